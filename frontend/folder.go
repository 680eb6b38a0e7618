package frontend

import (
	"context"
	"fmt"
	"path"

	bk "github.com/moby/buildkit/client/llb"
	gw "github.com/moby/buildkit/frontend/gateway/client"
	fstypes "github.com/tonistiigi/fsutil/types"
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
		entries, err := f.ref.ReadDir(ctx, gw.ReadDirRequest{Path: f.path(at), IncludePattern: part})
		if err != nil || len(entries) == 0 {
			return nil, "", nil // also when at is no folder
		}
		stat, at = entries[0], path.Join(at, part)
		if stat.Linkname != "" {
			return stat, at, nil
		}
	}
	return stat, "", nil
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
