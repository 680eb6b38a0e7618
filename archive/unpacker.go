package archive

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// whiteout is the prefix of names that mean "this is removed" in a layer
// (https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts).
const whiteout = ".wh."

// unpacker writes entries of archives below one folder: files, folders, symlinks and hard links, with modes 0755 and 0644,
// owned by the current user.
//
// It writes nothing through a symlink that an archive made. os.Root keeps to its folder whatever the links are. Besides,
// a parent of an entry must be a folder, and a folder is never replaced. So the name of an entry alone decides where it
// goes, and ".." at the beginning of a link's target leads to folders of the link's own name. That is why linkTarget can
// check targets by their text.
type unpacker struct {
	root   *os.Root
	keep   func(name string) bool // whether to unpack an entry; nil for all
	folder string                 // the last folder that was found to exist, and so do those above it
}

// newUnpacker returns an unpacker into the new folder dir.
func newUnpacker(dir string) (*unpacker, error) {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &unpacker{root: root, folder: "."}, nil
}

// unpack writes all entries of an archive. A later layer of an image may replace files of an earlier one.
func (u *unpacker) unpack(t tarball) error {
	return t.each(func(name string, h *tar.Header, content io.Reader) error {
		if u.keep != nil && !u.keep(name) {
			return nil
		}
		return u.entry(name, h, content, t)
	})
}

func (u *unpacker) entry(name string, h *tar.Header, content io.Reader, of tarball) error {
	// BuildKit keeps the result as a layer, and there the name would remove something.
	if strings.HasPrefix(name, whiteout) || strings.Contains(name, "/"+whiteout) {
		return fmt.Errorf("is a whiteout: names that begin with %s mean in a layer that a file is removed", whiteout)
	}
	if h.Typeflag == tar.TypeDir {
		if err := u.makeFolder(path.Dir(name), of.spent); err != nil {
			return err
		}
		_, err := u.ensureFolder(name)
		return err
	}
	if name == "." {
		return errors.New("is the root of the archive, which has to be a folder")
	}
	switch {
	case isSparse(h):
		return errors.New("is a sparse file, of which only a part is in the archive")
	case h.Typeflag == tar.TypeReg:
		return u.file(name, h, content, of)
	case h.Typeflag == tar.TypeSymlink:
		return u.symlink(name, h, of)
	case h.Typeflag == tar.TypeLink:
		return u.hardLink(name, h, of)
	}
	return fmt.Errorf("is a %s; only files, folders and links can be unpacked", entryType(h.Typeflag))
}

// isSparse reports whether a file has holes: GNU tar has one format of its own for them, and three in PAX.
func isSparse(h *tar.Header) bool {
	if h.Typeflag == tar.TypeGNUSparse {
		return true
	}
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return false
}

func entryType(flag byte) string {
	switch flag {
	case tar.TypeChar, tar.TypeBlock:
		return "device"
	case tar.TypeFifo:
		return "fifo"
	}
	return fmt.Sprintf("special file of type %q", flag)
}

func (u *unpacker) file(name string, h *tar.Header, content io.Reader, of tarball) error {
	if err := u.makeRoom(name, 0, of); err != nil {
		return err
	}
	mode := fs.FileMode(0o644)
	if h.Mode&0o111 != 0 {
		mode = 0o755
	}
	f, err := u.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, content); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

func (u *unpacker) symlink(name string, h *tar.Header, of tarball) error {
	target, err := linkTarget(name, h.Linkname, of.layer)
	if err != nil {
		return err
	}
	if err := u.makeRoom(name, fs.ModeSymlink, of); err != nil {
		return err
	}
	return u.root.Symlink(target, name)
}

func (u *unpacker) hardLink(name string, h *tar.Header, of tarball) error {
	target, err := cleanName(h.Linkname, of.layer)
	if err != nil {
		return fmt.Errorf("is a hard link to %.200q, which %w", h.Linkname, err)
	}
	noFile := fmt.Errorf("is a hard link to %.200q, which is no file that was unpacked before", h.Linkname)
	if target == name {
		return noFile
	}
	// No symlink is on the path to the file, either. A folder that this makes has no such file.
	if err := u.makeFolder(path.Dir(target), of.spent); err != nil {
		return fmt.Errorf("is a hard link to %.200q: %w", h.Linkname, err)
	}
	if info, err := u.root.Lstat(target); errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return noFile
	} else if err != nil {
		return err
	}
	if err := u.makeRoom(name, 0, of); err != nil {
		return err
	}
	return u.root.Link(target, name)
}

// makeRoom prepares the place of an entry of this type: it makes the folder above, and removes a file that the entry may
// replace.
func (u *unpacker) makeRoom(name string, kind fs.FileMode, of tarball) error {
	if err := u.makeFolder(path.Dir(name), of.spent); err != nil {
		return err
	}
	old, err := u.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	switch {
	case !of.layer:
		return errors.New("is there twice")
	case old.Mode().Type() != kind:
		return errors.New("is there twice, as different types of file")
	}
	return u.root.Remove(name)
}

// makeFolder makes the folder of an entry, and those above it, if no entry has made them.
func (u *unpacker) makeFolder(name string, spent *budget) error {
	if name == "." || name == u.folder || strings.HasPrefix(u.folder, name+"/") {
		return nil
	}
	if err := u.makeFolder(path.Dir(name), spent); err != nil {
		return err
	}
	made, err := u.ensureFolder(name)
	if made && err == nil {
		err = spent.addEntry()
	}
	return err
}

// ensureFolder makes a folder unless it exists. The folder above it must exist.
func (u *unpacker) ensureFolder(name string) (made bool, err error) {
	if name == "." {
		return false, nil
	}
	info, err := u.root.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		made, err = true, u.root.Mkdir(name, 0o755)
	case err != nil:
	case info.Mode()&fs.ModeSymlink != 0:
		err = fmt.Errorf("%.200q is a symlink, not a folder", name)
	case !info.IsDir():
		err = fmt.Errorf("%.200q is a file, not a folder", name)
	}
	if err == nil {
		u.folder = name
	}
	return made, err
}

// linkTarget returns the target with which to make a symlink of this name, or an error if the link leads out of the
// archive. In a layer, an absolute target is a path in the image, and linkTarget makes it relative; in other archives it
// is an error.
//
// ".." may only be at the beginning. After the name of a link it does not mean what the text says: with the links "up ->
// .." and "out -> folder/up/..", both in folders of the archive, the second leads out.
func linkTarget(name, target string, layer bool) (string, error) {
	if target == "" {
		return "", errors.New("is a symlink to nothing")
	}
	if err := checkName(target); err != nil {
		return "", fmt.Errorf("is a symlink to %.200q, which %w", target, err)
	}
	outside := fmt.Errorf("is a symlink to %.200q, which is outside of the archive", target)
	absolute := strings.HasPrefix(target, "/")
	if absolute && !layer {
		return "", outside
	}
	up, named := 0, false
	for _, element := range strings.Split(target, "/") {
		switch {
		case element == "" || element == ".":
		case element != "..":
			named = true
		case named:
			return "", fmt.Errorf("is a symlink to %.200q: \"..\" behind a name could lead anywhere", target)
		default:
			up++
		}
	}
	if folders := strings.Count(name, "/"); up > folders || absolute && up > 0 {
		return "", outside
	}
	if !absolute {
		return target, nil
	}
	return filepath.Rel(path.Dir("/"+name), path.Clean(target))
}
