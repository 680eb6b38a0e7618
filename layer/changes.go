package layer

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Changes is what differs between two trees, by slash-separated paths from their folders, a folder before its entries and entries in
// byte order of their names.
type Changes struct {
	Changed []string // what is new, or different in anything that an image has of it except its time
	Gone    []string // what the first tree alone has, without the entries of folders that are gone
}

// Compare returns how tree differs from base. skip says what does not count, by its path; nothing below a folder that does not count is
// looked at. Compare reads the contents of files unless they are the same inode, and unchanged since an earlier time than since.
func Compare(base, tree string, since time.Time, skip func(path string, kind fs.FileMode) bool) (Changes, error) {
	c := comparison{base: base, tree: tree, since: since, skip: skip}
	err := c.folder("", true)
	return c.Changes, err
}

type comparison struct {
	Changes
	base, tree string
	since      time.Time
	skip       func(path string, kind fs.FileMode) bool
}

// folder compares the entries of a folder of the tree. based says whether the base has that folder, too.
func (c *comparison) folder(path string, based bool) error {
	entries, err := os.ReadDir(filepath.Join(c.tree, path))
	if err != nil {
		return err
	}
	if based {
		before, err := os.ReadDir(filepath.Join(c.base, path))
		if err != nil {
			return err
		}
		for _, entry := range before {
			in := func(e fs.DirEntry) bool { return e.Name() == entry.Name() }
			if rel := filepath.Join(path, entry.Name()); !slices.ContainsFunc(entries, in) && !c.skip(rel, entry.Type()) {
				c.Gone = append(c.Gone, rel)
			}
		}
	}
	for _, entry := range entries {
		if err := c.entry(filepath.Join(path, entry.Name()), based); err != nil {
			return err
		}
	}
	return nil
}

// entry compares what is at a path of the tree, and what is below.
func (c *comparison) entry(path string, based bool) error {
	now, err := os.Lstat(filepath.Join(c.tree, path))
	if err != nil {
		return err
	}
	if c.skip(path, now.Mode().Type()) {
		return nil
	}
	var before fs.FileInfo
	if based {
		if before, err = os.Lstat(filepath.Join(c.base, path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	same := false
	if before != nil {
		if same, err = c.same(path, before, now); err != nil {
			return err
		}
	}
	if !same {
		c.Changed = append(c.Changed, path)
	}
	wasFolder := before != nil && before.IsDir()
	if now.IsDir() {
		return c.folder(path, wasFolder)
	}
	if wasFolder {
		return c.goneBelow(path)
	}
	return nil
}

// goneBelow notes what the base has in a folder that is none in the tree.
func (c *comparison) goneBelow(path string) error {
	before, err := os.ReadDir(filepath.Join(c.base, path))
	for _, entry := range before {
		if rel := filepath.Join(path, entry.Name()); !c.skip(rel, entry.Type()) {
			c.Gone = append(c.Gone, rel)
		}
	}
	return err
}

// same reports whether an image has the same of both: kind, mode, owner, device number, file capabilities, content.
func (c *comparison) same(path string, before, now fs.FileInfo) (bool, error) {
	x, y := before.Sys().(*syscall.Stat_t), now.Sys().(*syscall.Stat_t)
	if x.Mode != y.Mode || x.Uid != y.Uid || x.Gid != y.Gid || x.Rdev != y.Rdev {
		return false, nil
	}
	// Nobody can set this time back.
	if x.Ino == y.Ino && x.Size == y.Size && x.Ctim == y.Ctim && time.Unix(y.Ctim.Unix()).Before(c.since) {
		return true, nil
	}
	from, to := filepath.Join(c.base, path), filepath.Join(c.tree, path)
	switch {
	case now.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(from)
		if err != nil {
			return false, err
		}
		changed, err := os.Readlink(to)
		return target == changed, err
	case now.Mode().IsRegular():
		if x.Size != y.Size {
			return false, nil
		}
		if same, err := sameContent(from, to); !same {
			return false, err
		}
	}
	was, err := capabilityOf(from)
	if err != nil {
		return false, err
	}
	is, err := capabilityOf(to)
	return was == is, err
}

func sameContent(x, y string) (bool, error) {
	a, err := os.Open(x)
	if err != nil {
		return false, err
	}
	defer a.Close()
	b, err := os.Open(y)
	if err != nil {
		return false, err
	}
	defer b.Close()
	var one, other [64 << 10]byte
	for {
		n, err := io.ReadFull(a, one[:])
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return false, err
		}
		m, end := io.ReadFull(b, other[:])
		if end != nil && end != io.EOF && end != io.ErrUnexpectedEOF {
			return false, end
		}
		if !bytes.Equal(one[:n], other[:m]) {
			return false, nil
		}
		if n < len(one) {
			return true, nil
		}
	}
}

// SealChanges makes a layer of the changed paths of a tree: in folder sealed, which exists and is empty, with time t. Folders above them
// are in the layer as well, with the modes and owners that they have in the tree. It moves what changed into the empty folder stage,
// which must be in the tree's file system: so hard links stay what they are. It calls tell for each socket, which no image has. It
// fails if something cannot be in an image.
func SealChanges(tree string, changed []string, stage, sealed string, t time.Time, tell func(path string)) error {
	for _, path := range changed {
		if err := move(tree, path, stage); err != nil {
			return err
		}
	}
	if err := DropSockets(stage, tell); err != nil {
		return err
	}
	return SealTree(stage, sealed, t)
}

// move moves what is at a path of a tree to the same path of stage. Of a folder it makes another one without entries, which are moved
// by themselves.
func move(tree, path, stage string) error {
	if above := filepath.Dir(path); above != "." {
		if err := makeLike(tree, above, stage); err != nil {
			return err
		}
	}
	from, to := filepath.Join(tree, path), filepath.Join(stage, path)
	info, err := os.Lstat(from)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return makeLike(tree, path, stage)
	}
	return os.Rename(from, to)
}

// makeLike makes the folder at a path of stage, and those above it, with mode and owner of the tree's.
func makeLike(tree, path, stage string) error {
	to := filepath.Join(stage, path)
	if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if above := filepath.Dir(path); above != "." {
		if err := makeLike(tree, above, stage); err != nil {
			return err
		}
	}
	var stat unix.Stat_t
	if err := unix.Lstat(filepath.Join(tree, path), &stat); err != nil {
		return &fs.PathError{Op: "lstat", Path: filepath.Join(tree, path), Err: err}
	}
	if err := os.Mkdir(to, 0o700); err != nil {
		return err
	}
	if err := os.Lchown(to, int(stat.Uid), int(stat.Gid)); err != nil {
		return err
	}
	// After the owner, which takes setgid away.
	if err := unix.Chmod(to, stat.Mode&0o7777); err != nil {
		return &fs.PathError{Op: "chmod", Path: to, Err: err}
	}
	return nil
}
