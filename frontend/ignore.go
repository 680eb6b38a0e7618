package frontend

import (
	"bytes"
	"context"
	"fmt"

	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"

	"github.com/packfile/frontend/tree"
)

// maxIgnore is the size limit of a .dockerignore file, in bytes.
const maxIgnore = 1 << 20

// ignoreFile is a .dockerignore file. One that is not there has no name.
type ignoreFile struct {
	name     string
	data     []byte
	patterns []string
}

// ignored finds the file that says what is no part of the app: FILE.dockerignore beside the packfile FILE, else
// .dockerignore in the app. dockerui's own are for local folders alone, and a file that it cannot read is none to it: then
// what must not be in an image would be in it.
func (b *build) ignored(ctx context.Context, st bk.State, local *clientFolder) (ignoreFile, error) {
	if b.source.Definition != nil {
		ref, err := b.solveDefinition(ctx, b.source.Definition)
		if err != nil {
			return ignoreFile{}, err
		}
		file, err := readIgnore(ctx, tree.Folder{Files: files{ref}}, b.source.Filename+dockerui.DefaultDockerignoreName)
		if file.name != "" || err != nil {
			return file, err
		}
	}
	return b.dockerignore(ctx, st, local)
}

// dockerignore finds .dockerignore in a context.
func (b *build) dockerignore(ctx context.Context, st bk.State, local *clientFolder) (ignoreFile, error) {
	if local != nil { // the options are dockerui's for the main context: the file is sent once
		st = local.state(
			bk.SessionID(local.session),
			bk.FollowPaths([]string{dockerui.DefaultDockerignoreName}),
			bk.SharedKeyHint(local.sharedKey+"-"+dockerui.DefaultDockerignoreName),
			dockerui.WithInternalName("load "+dockerui.DefaultDockerignoreName),
			bk.Differ(bk.DiffNone, false))
	}
	ref, err := b.solve(ctx, st)
	if err != nil {
		return ignoreFile{}, err
	}
	return readIgnore(ctx, tree.Folder{Files: files{ref}}, dockerui.DefaultDockerignoreName)
}

// readIgnore is what a .dockerignore file says, if there is one.
func readIgnore(ctx context.Context, f tree.Folder, name string) (file ignoreFile, err error) {
	stat, link, err := f.Stat(ctx, name)
	if stat == nil || err != nil {
		return file, err
	}
	fail := func(err error) (ignoreFile, error) { return ignoreFile{}, fmt.Errorf("%s: %v", name, err) }
	if stat.IsDir() && link == "" {
		return fail(fmt.Errorf("it is a folder"))
	}
	file.name = name
	if file.data, err = f.Read(ctx, name, maxIgnore); err != nil {
		return fail(err)
	}
	if file.patterns, err = ignorefile.ReadAll(bytes.NewReader(file.data)); err != nil {
		return fail(err)
	}
	for _, p := range file.patterns {
		// Some of what is wrong shows only when the pattern is used.
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
