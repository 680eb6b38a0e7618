package frontend

import (
	"context"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/group"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/tree"
)

// osReleases are the files in which an image says which distribution it is (os-release(5)). The first one that exists counts.
var osReleases = []string{"etc/os-release", "usr/lib/os-release"}

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
	for _, name := range osReleases {
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
			return parseOSRelease(string(data)), nil
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

// parseOSRelease reads the two values that name the distribution: shell assignments with quotes and backslashes, without
// substitutions (os-release(5)). When a name is assigned twice, the last assignment counts.
func parseOSRelease(text string) (d group.Distro) {
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok {
			continue
		}
		switch name {
		case "ID":
			d.Name = unquote(value)
		case "VERSION_ID":
			d.Version = unquote(value)
		}
	}
	return d
}

// unquote returns a word as a shell reads it.
func unquote(word string) string {
	var out strings.Builder
	quote := rune(0)
	escaped := false
	for _, r := range word {
		switch {
		case escaped:
			// In double quotes a backslash before any other character stands for itself.
			if quote == '"' && !strings.ContainsRune("\"\\$`", r) {
				out.WriteRune('\\')
			}
			out.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped = true
		case r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '\''):
			quote = r
		case quote == 0 && (r == ' ' || r == '\t'):
			return out.String() // what follows is a comment, or no assignment
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}
