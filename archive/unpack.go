// Package archive reads what anyone may have made: tar archives, with or without gzip, and OCI layouts. It makes a folder of the
// module in one of them, and writes nothing outside of that folder. Which archives there are, and where they come from, others know.
package archive

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// What one archive may unpack to. Modules are scripts and small programs: both are far more than one needs, and less than
// what hurts a builder. A layout in an archive is unpacked twice, as archive and as image, each within these.
const (
	maxUnpacked = 1 << 30 // bytes of its tar, or of all layers of its image, without compression
	maxEntries  = 100_000 // entries, and folders that none of them names
)

// moduleTime is that of everything in an unpacked module, so that it is a function of the archive's content. It is the one
// that files of buildpackages have.
var moduleTime = time.Date(1980, 1, 1, 0, 0, 1, 0, time.UTC)

// packedSuffix names the folder beside the module's where an archive is unpacked before it is known what it holds.
const packedSuffix = ".archive"

// Unpack makes the new folder module of what is in folder from: one tar of the module's files, or an OCI layout, also as a tar. It
// checks everything while it writes. An error leaves a part of the module, and folders beside it. Unless it is OfTheMachine, it says
// what is wrong with the archive, by the name that its file has.
func Unpack(from, module string) error {
	return unpack(from, module, limits{bytes: maxUnpacked, entries: maxEntries})
}

// OfTheMachine reports whether an error may be another one the next time: a full disk, say.
func OfTheMachine(err error) bool {
	return slices.ContainsFunc([]error{unix.ENOSPC, unix.EDQUOT, unix.EIO, unix.ENOMEM, unix.EMFILE, unix.ENFILE, unix.EROFS},
		func(kind error) bool { return errors.Is(err, kind) })
}

// unpack is Unpack with other limits.
func unpack(from, module string, most limits) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	switch {
	case len(entries) == 1 && entries[0].Type().IsRegular():
		name := entries[0].Name()
		if err := unpackFile(filepath.Join(from, name), module, most); err != nil {
			return fmt.Errorf("module archive %s: %w", shownName(name), err)
		}
	case isLayout(from):
		if err := unpackLayout(from, module, most); err != nil {
			return fmt.Errorf("module archive: %w", err)
		}
	default:
		return fmt.Errorf("module archive: is neither one file nor an OCI layout, but a folder with %d entries", len(entries))
	}
	return setTimes(module, moduleTime)
}

// unpackFile unpacks an archive file. What it is says only what it holds: in a tar the file that makes it an OCI layout may
// come last.
func unpackFile(file, module string, most limits) error {
	unpacked := module + packedSuffix
	if err := untar(file, unpacked, most); err != nil {
		return err
	}
	var err error
	if isLayout(unpacked) {
		err = unpackLayout(unpacked, module, most)
	} else {
		err = moveModule(unpacked, module)
	}
	if err != nil {
		return err
	}
	return os.RemoveAll(unpacked)
}

// untar unpacks a tar archive into the new folder dir.
func untar(file, dir string, most limits) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	u, err := newUnpacker(dir)
	if err != nil {
		return err
	}
	defer u.root.Close()
	spent := budget{most: most}
	return u.unpack(tarball{from: f, spent: &spent})
}

// moveModule moves a module to where it should be. An archive of one folder, as those of releases are, is that folder's, but
// not when it is that of a buildpackage.
func moveModule(unpacked, module string) error {
	entries, err := os.ReadDir(unpacked)
	if err != nil {
		return err
	}
	if len(entries) == 1 && entries[0].IsDir() && entries[0].Name() != packageRoot {
		top := entries[0].Name()
		unpacked = filepath.Join(unpacked, top)
		// Links were checked against the archive, of which this is less.
		err := fs.WalkDir(os.DirFS(unpacked), ".", func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.Type()&fs.ModeSymlink == 0 {
				return err
			}
			target, err := os.Readlink(filepath.Join(unpacked, path))
			if err != nil {
				return err
			}
			if _, err := linkTarget(path, target, false); err != nil {
				return fmt.Errorf("entry %.200q: %w; the module is %.200q, the one folder of the archive", top+"/"+path, err, top)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if entries, err = os.ReadDir(unpacked); err != nil {
			return err
		}
	}
	if len(entries) == 0 {
		return errors.New("holds no files")
	}
	return os.Rename(unpacked, module)
}

// setTimes gives one modification time to dir and all that is below it.
func setTimes(dir string, t time.Time) error {
	at := unix.NsecToTimespec(t.UnixNano())
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if err := unix.UtimesNanoAt(unix.AT_FDCWD, path, []unix.Timespec{at, at}, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			return &fs.PathError{Op: "utimensat", Path: path, Err: err}
		}
		return nil
	})
}

// shownName returns the name of a file for messages: quoted if it is not plainly one.
func shownName(name string) string {
	odd := func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("\"'`\\:", r) }
	if strings.ContainsFunc(name, odd) {
		return fmt.Sprintf("%.200q", name)
	}
	return name
}
