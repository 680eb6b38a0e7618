// Package treetest has files in memory as BuildKit would show them, for tests of what reads them.
package treetest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	fstypes "github.com/tonistiigi/fsutil/types"

	"github.com/packfile/frontend/tree"
)

// Files are texts by their paths, which are relative. A path that ends with a slash is an empty folder.
type Files map[string]string

// link marks a text as that of a symbolic link.
const link = "\x00"

// Link is a symbolic link in place of a text.
func Link(to string) string { return link + to }

// Memory is Files as tree.Files.
type Memory struct {
	stats map[string]*fstypes.Stat // by absolute path
	texts map[string]string

	mu    sync.Mutex
	calls int
	fails int // which call fails, from 1; 0 for none
}

// New returns files in memory.
func New(files Files) *Memory {
	m := &Memory{stats: map[string]*fstypes.Stat{}, texts: map[string]string{}}
	folder := func(at string) {
		for ; m.stats[at] == nil; at = path.Dir(at) {
			m.stats[at] = &fstypes.Stat{Path: path.Base(at), Mode: uint32(fs.ModeDir | 0o755)}
		}
	}
	folder("/")
	for name, text := range files {
		at := path.Join("/", name)
		if strings.HasSuffix(name, "/") {
			folder(at)
			continue
		}
		folder(path.Dir(at))
		stat := &fstypes.Stat{Path: path.Base(at), Mode: 0o644, Size: int64(len(text))}
		if to, ok := strings.CutPrefix(text, link); ok {
			stat.Mode, stat.Linkname, stat.Size = uint32(fs.ModeSymlink|0o777), to, 0
		}
		m.stats[at], m.texts[at] = stat, text
	}
	return m
}

// Folder returns the root.
func (m *Memory) Folder() tree.Folder { return tree.Folder{Files: m} }

// ErrTransient is the error of a daemon or a network that has enough to do.
var ErrTransient = errors.New("rpc error: code = Unavailable desc = try again")

func (m *Memory) call() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.calls++; m.calls == m.fails {
		return ErrTransient
	}
	return nil
}

// Calls returns how many calls there have been.
func (m *Memory) Calls() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.calls
}

func (m *Memory) find(name string) (*fstypes.Stat, error) {
	if err := m.call(); err != nil {
		return nil, err
	}
	if stat := m.stats[name]; stat != nil {
		return stat, nil
	}
	return nil, fmt.Errorf("lstat %s: no such file or directory", name)
}

// ReadDir returns the entries of a folder whose names match a pattern.
func (m *Memory) ReadDir(_ context.Context, dir, pattern string) (found []*fstypes.Stat, err error) {
	stat, err := m.find(dir)
	if err == nil && !stat.IsDir() {
		err = fmt.Errorf("readdir %s: not a directory", dir)
	}
	if err != nil {
		return nil, err
	}
	for at, stat := range m.stats {
		if ok, _ := path.Match(pattern, path.Base(at)); at != "/" && path.Dir(at) == dir && (ok || pattern == "") {
			found = append(found, stat)
		}
	}
	slices.SortFunc(found, func(a, b *fstypes.Stat) int { return strings.Compare(a.Path, b.Path) })
	return found, nil
}

// Stat returns what a file is.
func (m *Memory) Stat(_ context.Context, file string) (*fstypes.Stat, error) { return m.find(file) }

// ReadFile returns the content of a file.
func (m *Memory) ReadFile(_ context.Context, file string) ([]byte, error) {
	stat, err := m.find(file)
	if err == nil && !fs.FileMode(stat.Mode).IsRegular() {
		err = fmt.Errorf("read %s: not a regular file", file)
	}
	return []byte(m.texts[file]), err
}

// NoErrorIsLost reads files again and again, and lets another call fail each time: a file that could not be read is not a file that is
// not there.
func NoErrorIsLost(t *testing.T, files Files, read func(context.Context, tree.Folder) error) {
	t.Helper()
	healthy := New(files)
	if err := read(t.Context(), healthy.Folder()); err != nil || healthy.calls == 0 {
		t.Fatalf("without an error: %v, %d calls", err, healthy.calls)
	}
	for i := range healthy.calls {
		failing := New(files)
		failing.fails = i + 1
		if err := read(t.Context(), failing.Folder()); err == nil {
			t.Errorf("call %d of %d failed, and nothing says so", i+1, healthy.calls)
		}
	}
}
