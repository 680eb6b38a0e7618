package live

import (
	"bytes"
	"context"
	"fmt"

	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"

	"github.com/packfile/frontend/source"
	"github.com/packfile/frontend/tree"
)

// maxIgnore is the size limit of a .dockerignore file, in bytes.
const maxIgnore = 1 << 20

// ignored finds the file that names what to leave out of the app: FILE.dockerignore beside the packfile FILE, else .dockerignore
// in the app. Why not dockerui's: it looks only into local folders, and ignores a file that it cannot read. Then files that must
// not be in an image would be in it.
func (d *Door) ignored(ctx context.Context, st bk.State, local *clientFolder) (source.IgnoreFile, error) {
	if d.packfile.Definition != nil {
		files, err := d.solve(ctx, d.packfile.Definition)
		if err != nil {
			return source.IgnoreFile{}, err
		}
		file, err := readIgnore(ctx, tree.Folder{Files: files}, d.packfile.Filename+dockerui.DefaultDockerignoreName)
		if file.Name != "" || err != nil {
			return file, err
		}
	}
	return d.dockerignore(ctx, st, local)
}

// dockerignore reads .dockerignore in a context.
func (d *Door) dockerignore(ctx context.Context, st bk.State, local *clientFolder) (source.IgnoreFile, error) {
	if local != nil { // the same options as dockerui's for the main context, so that the file is sent once
		st = local.state(
			bk.SessionID(local.session),
			bk.FollowPaths([]string{dockerui.DefaultDockerignoreName}),
			bk.SharedKeyHint(local.sharedKey+"-"+dockerui.DefaultDockerignoreName),
			dockerui.WithInternalName("load "+dockerui.DefaultDockerignoreName),
			bk.Differ(bk.DiffNone, false))
	}
	folder, err := d.files(ctx, st)
	if err != nil {
		return source.IgnoreFile{}, err
	}
	return readIgnore(ctx, folder, dockerui.DefaultDockerignoreName)
}

// readIgnore reads a .dockerignore file. The result has no name when there is no file.
func readIgnore(ctx context.Context, f tree.Folder, name string) (file source.IgnoreFile, err error) {
	stat, link, err := f.Stat(ctx, name)
	if stat == nil || err != nil {
		return file, err
	}
	fail := func(err error) (source.IgnoreFile, error) {
		return source.IgnoreFile{}, fmt.Errorf("%s: %v", name, err)
	}
	if stat.IsDir() && link == "" {
		return fail(fmt.Errorf("it is a folder"))
	}
	file.Name = name
	if file.Data, err = f.Read(ctx, name, maxIgnore); err != nil {
		return fail(err)
	}
	if file.Patterns, err = ignorefile.ReadAll(bytes.NewReader(file.Data)); err != nil {
		return fail(err)
	}
	for _, p := range file.Patterns {
		// Some errors of a pattern show only when it is used.
		m, err := patternmatcher.New([]string{p})
		if err == nil {
			_, err = m.MatchesOrParentMatches("name")
		}
		if err != nil {
			return fail(fmt.Errorf("pattern %q: %w", p, err))
		}
	}
	return file, nil
}
