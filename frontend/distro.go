package frontend

import (
	"context"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/deb"
	"github.com/packfile/frontend/group"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/tree"
)

// maxOSRelease is the size limit of such a file, in bytes. Those of distributions have less than one thousand.
const maxOSRelease = 64 << 10

// findDistro returns the distribution that a file of the build image names, for buildpacks, when the image's labels name none
// (the lifecycle's platform.GetTargetOSFromFileSystem). It returns an empty one when nobody needs it or no file says. It takes a
// solve.
func (s *solver) findDistro(ctx context.Context, modules module.Found, img container.Base) (group.Distro, error) {
	needed := slices.ContainsFunc(modules.All, func(m *module.Module) bool { return m.Buildpack != nil })
	if !needed || img.State.Output() == nil || group.LabelledDistro(img) != (group.Distro{}) {
		return group.Distro{}, nil
	}
	ref, err := s.solve(ctx, img.State)
	if err != nil {
		return group.Distro{}, err
	}
	root := tree.Folder{Files: files{ref}}
	for _, name := range deb.ReleaseFiles {
		stat, _, err := root.Stat(ctx, name)
		if err != nil {
			return group.Distro{}, err
		}
		if stat == nil || !tree.IsSymlink(stat) && !fs.FileMode(stat.Mode).IsRegular() {
			continue
		}
		data, err := root.Read(ctx, name, maxOSRelease)
		switch {
		case err == nil:
			release := deb.ParseRelease(data)
			return group.Distro{Name: release.ID, Version: release.Version}, nil
		case !tree.IsSymlink(stat) || !strings.Contains(err.Error(), "no such file or directory"):
			return group.Distro{}, &distroError{path.Join("/", name), err}
		}
	}
	return group.Distro{}, nil
}

// distroError is an error about a file of the build image that names the distribution.
type distroError struct {
	file string
	err  error
}

func (e *distroError) Error() string { return e.file + " of the build image: " + e.err.Error() }
func (e *distroError) Unwrap() error { return e.err }
