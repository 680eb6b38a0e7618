// Package tree reads files of a solved state, one folder or file at a time, without following links. The frontend reads
// modules and their scripts by it. Each call is a request to the daemon.
package tree

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"strings"

	bk "github.com/moby/buildkit/client/llb"
	fstypes "github.com/tonistiigi/fsutil/types"

	"github.com/packfile/frontend/llb"
)

// Files are the files of a solved state. Paths are absolute.
type Files interface {
	// ReadDir returns the entries of a folder. With a pattern that is not "" it returns those whose name matches.
	ReadDir(ctx context.Context, dir, pattern string) ([]*fstypes.Stat, error)
	// Stat returns type, mode and size of a file.
	Stat(ctx context.Context, file string) (*fstypes.Stat, error)
	// ReadFile returns the content of a file.
	ReadFile(ctx context.Context, file string) ([]byte, error)
}

// Folder is a folder of a solved state. Paths in it are slash-separated and relative.
type Folder struct {
	State bk.State
	Files Files  // of State; comparable
	Dir   string // "" for the root
}

// Sub returns a folder in a folder.
func (f Folder) Sub(name string) Folder {
	f.Dir = path.Join(f.Dir, name)
	return f
}

// ID tells the folder from other folders of the build.
func (f Folder) ID() [2]any { return [2]any{f.Files, f.Dir} }

// Path returns the path of a file of the folder in the state.
func (f Folder) Path(name string) string { return path.Join("/", f.Dir, name) }

// Entries returns the entries of the folder, or of a folder in it, by name.
func (f Folder) Entries(ctx context.Context, name string) (map[string]*fstypes.Stat, error) {
	list, err := f.Files.ReadDir(ctx, f.Path(name), "")
	if err != nil {
		return nil, err
	}
	entries := make(map[string]*fstypes.Stat, len(list))
	for _, e := range list {
		entries[path.Base(e.Path)] = e
	}
	return entries, nil
}

// Stat returns a file of the folder, nil when there is none. It follows no link on the way: it returns the first link
// with its path. Otherwise the client would send the link's target, wherever that is.
func (f Folder) Stat(ctx context.Context, name string) (stat *fstypes.Stat, link string, err error) {
	at := ""
	for _, part := range SplitPath(name) {
		if stat != nil && !stat.IsDir() {
			return nil, "", nil
		}
		if stat, err = f.Entry(ctx, at, part); stat == nil || err != nil {
			return nil, "", err
		}
		if at = path.Join(at, part); IsSymlink(stat) {
			return stat, at, nil
		}
	}
	return stat, "", nil
}

// Entry returns the entry of a folder with a name, nil when there is none.
func (f Folder) Entry(ctx context.Context, dir, name string) (*fstypes.Stat, error) {
	pattern := name
	if llb.Literal(name) != name {
		pattern = "" // with any other pattern BuildKit looks into the folders below as well
	}
	entries, err := f.Files.ReadDir(ctx, f.Path(dir), pattern)
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

// Read returns the content of a file. It fails if the file is larger than limit, in bytes.
func (f Folder) Read(ctx context.Context, name string, limit int64) ([]byte, error) {
	stat, err := f.Files.Stat(ctx, f.Path(name))
	if err != nil {
		return nil, err
	}
	if stat.Size > limit {
		return nil, fmt.Errorf("it has %d bytes; the limit is %d", stat.Size, limit)
	}
	return f.Files.ReadFile(ctx, f.Path(name))
}

// IsSymlink reports whether a file is a symbolic link. Hard links have a link name as well.
func IsSymlink(stat *fstypes.Stat) bool { return fs.FileMode(stat.Mode)&fs.ModeSymlink != 0 }

// SplitPath returns the names that a path is made of.
func SplitPath(name string) []string { return strings.Split(path.Clean(name), "/") }
