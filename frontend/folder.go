package frontend

import (
	"context"
	"fmt"
	"io/fs"
	"path"

	bk "github.com/moby/buildkit/client/llb"
	gw "github.com/moby/buildkit/frontend/gateway/client"
	fstypes "github.com/tonistiigi/fsutil/types"

	"github.com/packfile/frontend/llb"
)

// folder is a folder of something that was solved. Paths in it are slash-separated and relative.
type folder struct {
	state bk.State
	ref   gw.Reference
	dir   string // "" for the root
}

// sub is a folder in a folder.
func (f folder) sub(name string) folder {
	f.dir = path.Join(f.dir, name)
	return f
}

// listID tells it from other folders of the build.
func (f folder) listID() [2]any { return [2]any{f.ref, f.dir} }

// path is where a file of the folder is in the state.
func (f folder) path(name string) string { return path.Join("/", f.dir, name) }

// entries are the names in the folder, or in one of its folders.
func (f folder) entries(ctx context.Context, name string) (map[string]*fstypes.Stat, error) {
	list, err := f.ref.ReadDir(ctx, gw.ReadDirRequest{Path: f.path(name)})
	if err != nil {
		return nil, err
	}
	entries := make(map[string]*fstypes.Stat, len(list))
	for _, e := range list {
		entries[path.Base(e.Path)] = e
	}
	return entries, nil
}

// stat is a file of the folder, nil when there is none. No link is followed on the way to it, and none is an answer: the
// client would send what a link points to from wherever that is.
func (f folder) stat(ctx context.Context, name string) (stat *fstypes.Stat, link string, err error) {
	at := ""
	for _, part := range splitPath(name) {
		if stat != nil && !stat.IsDir() {
			return nil, "", nil
		}
		if stat, err = f.entry(ctx, at, part); stat == nil || err != nil {
			return nil, "", err
		}
		if at = path.Join(at, part); isSymlink(stat) {
			return stat, at, nil
		}
	}
	return stat, "", nil
}

// entry is what one of the folder's folders has under a name, nil when it has nothing.
func (f folder) entry(ctx context.Context, dir, name string) (*fstypes.Stat, error) {
	req := gw.ReadDirRequest{Path: f.path(dir), IncludePattern: name}
	if llb.Literal(name) != name {
		req.IncludePattern = "" // with any other pattern BuildKit looks into the folders below as well
	}
	entries, err := f.ref.ReadDir(ctx, req)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if path.Base(e.Path) == name {
			return e, nil
		}
	}
	return nil, nil
}

// isSymlink says whether a file is a symbolic link. Hard links have a link name as well.
func isSymlink(stat *fstypes.Stat) bool { return fs.FileMode(stat.Mode)&fs.ModeSymlink != 0 }

// literal are patterns that match paths and nothing else.
func literal(paths []string) []string {
	patterns := make([]string, len(paths))
	for i, p := range paths {
		patterns[i] = llb.Literal(p)
	}
	return patterns
}

// similar are patterns for paths below dir, for whichever system the client has.
func similar(dir string, paths []string) []string {
	patterns := make([]string, len(paths))
	for i, p := range paths {
		patterns[i] = llb.Similar(path.Join(dir, p))
	}
	return patterns
}

// read is the content of a file that is no larger than limit, in bytes.
func (f folder) read(ctx context.Context, name string, limit int64) ([]byte, error) {
	stat, err := f.ref.StatFile(ctx, gw.StatRequest{Path: f.path(name)})
	if err != nil {
		return nil, err
	}
	if stat.Size > limit {
		return nil, fmt.Errorf("it has %d bytes; the limit is %d", stat.Size, limit)
	}
	return f.ref.ReadFile(ctx, gw.ReadRequest{Filename: f.path(name)})
}
