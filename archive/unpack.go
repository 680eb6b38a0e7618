// Package archive unpacks archives that anyone may have made: tar, with or without gzip, and OCI layouts. It makes a
// folder of the module in the archive, and writes nothing outside of that folder. packfile-step uses it in a container
// without a network. It fetches nothing, and does not know where archives come from.
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

	"github.com/packfile/frontend/step"
)

// Limits of one unpacked archive. Modules are scripts and small programs: both limits are far more than a module needs,
// and harmless to a builder. A layout in an archive is unpacked twice, as archive and as image, each within these limits.
const (
	maxUnpacked = 1 << 30 // bytes of its tar, or of all layers of its image, without compression
	maxEntries  = 100_000 // entries, and folders that none of them names
)

// moduleTime is the time of everything in an unpacked module, so that the module is a function of the archive's content.
var moduleTime = time.Unix(step.DefaultTime, 0)

// packedSuffix names the folder beside the module's into which an archive is unpacked before its kind is known.
const packedSuffix = ".archive"

// Unpack makes the new folder module of the archive in folder from: one tar of the module's files, or an OCI layout, also
// as a tar. It checks everything while it writes. After an error, a part of the module and folders beside it stay. An
// error that is not OfTheMachine says what is wrong with the archive, and names its file.
func Unpack(from, module string) error {
	return unpack(from, module, limits{bytes: maxUnpacked, entries: maxEntries})
}

// OfTheMachine reports whether an error comes from the machine and not from the archive, and so may be gone the next
// time: a full disk, say.
func OfTheMachine(err error) bool {
	return slices.ContainsFunc([]error{unix.ENOSPC, unix.EDQUOT, unix.EIO, unix.ENOMEM, unix.EMFILE, unix.ENFILE, unix.EROFS},
		func(kind error) bool { return errors.Is(err, kind) })
}

// unpack does the work of Unpack within limits.
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

// unpackFile unpacks an archive file. Only its content decides what it is: in a tar, the file that makes it an OCI layout
// may come last.
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

// moveModule moves an unpacked module to its place. When the archive holds a single folder, as archives of releases do,
// that folder is the module, unless it is the folder of a buildpackage.
func moveModule(unpacked, module string) error {
	entries, err := os.ReadDir(unpacked)
	if err != nil {
		return err
	}
	if len(entries) == 1 && entries[0].IsDir() && entries[0].Name() != packageRoot {
		top := entries[0].Name()
		unpacked = filepath.Join(unpacked, top)
		// Links were checked against the whole archive, of which this is a part.
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

// setTimes gives one modification time to dir and everything below it.
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

// shownName returns the name of a file for messages, quoted if it holds unusual characters.
func shownName(name string) string {
	odd := func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("\"'`\\:", r) }
	if strings.ContainsFunc(name, odd) {
		return fmt.Sprintf("%.200q", name)
	}
	return name
}
