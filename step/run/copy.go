package run

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/containerd/continuity/sysx"
	"golang.org/x/sys/unix"

	"github.com/packfile/frontend/step"
	"github.com/packfile/frontend/text"
)

// copyTree copies what is below src into the empty folder dst: files, folders, symlinks, hard links and fifos, with modes,
// modification times and extended attributes, as the current user. Only root keeps owners and file capabilities. Sockets and
// devices are left out: no layer has any.
//
// Why not fsutil's copy, which makes layers: it sets the mode of a folder before it fills the folder, so that a read-only
// folder stays empty unless root copies it, and the mode of a file before its extended attributes. Root must not copy
// what a script left in a cache mount.
func copyTree(src, dst string) error {
	type inode struct{ dev, ino uint64 }
	copied := map[inode]string{} // files with several names, by where their first name was copied to
	var folders []func() error   // set mode and time of a folder, which its entries would change
	err := filepath.WalkDir(src, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == src {
			return err
		}
		rel, err := filepath.Rel(src, path)
		if err != nil {
			return err
		}
		to := filepath.Join(dst, rel)
		info, err := os.Lstat(path)
		if err != nil {
			return err
		}
		stat := info.Sys().(*syscall.Stat_t)
		switch {
		case info.IsDir():
			folders = append(folders, func() error { return setAttributes(path, to, info) })
			return os.Mkdir(to, 0o700)
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			if err := os.Symlink(target, to); err != nil {
				return err
			}
		case info.Mode().IsRegular():
			id := inode{uint64(stat.Dev), stat.Ino}
			if first, ok := copied[id]; ok {
				return os.Link(first, to)
			}
			if stat.Nlink > 1 {
				copied[id] = to
			}
			if err := copyFile(path, to); err != nil {
				return err
			}
		case info.Mode()&fs.ModeNamedPipe != 0:
			if err := unix.Mkfifo(to, 0o600); err != nil {
				return &fs.PathError{Op: "mkfifo", Path: to, Err: err}
			}
		default:
			return nil
		}
		return setAttributes(path, to, info)
	})
	if err != nil {
		return err
	}
	for _, set := range slices.Backward(folders) {
		if err := set(); err != nil {
			return err
		}
	}
	return nil
}

func copyFile(src, dst string) error {
	in, err := os.Open(src)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(dst, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(copyContent(out, in), out.Close())
}

// copyContent copies the content of a file to an empty one, without its holes (lseek(2)): a sparse file may be larger
// than the disk.
func copyContent(out, in *os.File) error {
	info, err := in.Stat()
	if err != nil {
		return err
	}
	for end := int64(0); ; {
		begin, err := in.Seek(end, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			return out.Truncate(info.Size())
		}
		if err != nil {
			return err
		}
		if end, err = in.Seek(begin, unix.SEEK_HOLE); err != nil {
			return err
		}
		for _, f := range []*os.File{in, out} {
			if _, err := f.Seek(begin, io.SeekStart); err != nil {
				return err
			}
		}
		if _, err := io.CopyN(out, in, end-begin); err != nil {
			return err
		}
	}
}

// setAttributes gives a copy the owner (if we are root), extended attributes, mode and modification time of its original.
// The order matters: setting the owner removes file capabilities and setuid bits, and a read-only file takes no
// attributes.
func setAttributes(src, dst string, info fs.FileInfo) error {
	if os.Geteuid() == 0 {
		stat := info.Sys().(*syscall.Stat_t)
		if err := os.Lchown(dst, int(stat.Uid), int(stat.Gid)); err != nil {
			return err
		}
	}
	if err := copyExtended(src, dst); err != nil {
		return err
	}
	if info.Mode()&fs.ModeSymlink == 0 {
		if err := os.Chmod(dst, info.Mode()); err != nil {
			return err
		}
	}
	time := unix.NsecToTimespec(info.ModTime().UnixNano())
	err := unix.UtimesNanoAt(unix.AT_FDCWD, dst, []unix.Timespec{time, time}, unix.AT_SYMLINK_NOFOLLOW)
	if err != nil {
		return &fs.PathError{Op: "utimensat", Path: dst, Err: err}
	}
	return nil
}

// fileCapabilities is the one extended attribute that images have. Only root can set it.
const fileCapabilities = "security.capability"

// copyExtended gives a copy the extended attributes of its original, except those that belong to the system or the file
// system. It prints a message when the file loses its capabilities.
func copyExtended(src, dst string) error {
	names, err := sysx.LListxattr(src)
	if err != nil && !errors.Is(err, unix.ENOTSUP) && !errors.Is(err, unix.EPERM) {
		return &fs.PathError{Op: "llistxattr", Path: src, Err: err}
	}
	for _, name := range names {
		value, err := sysx.LGetxattr(src, name)
		if err == nil {
			err = sysx.LSetxattr(dst, name, value, 0)
		}
		if err != nil && name == fileCapabilities {
			if os.Geteuid() == 0 {
				return &fs.PathError{Op: "lsetxattr " + name, Path: dst, Err: err}
			}
			fmt.Fprintf(os.Stderr, "%s: restore: the copy of %s has no file capabilities, which only root can set\n", step.StepBinary, text.Path(src))
		}
	}
	return nil
}

// removeContent removes everything below a folder.
func removeContent(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err := removeAll(filepath.Join(dir, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

// removeAll removes path with everything below it, also from folders that a script made read-only.
func removeAll(path string) error {
	if os.RemoveAll(path) == nil {
		return nil
	}
	filepath.WalkDir(path, func(path string, entry fs.DirEntry, err error) error {
		// A folder is visited before it is read.
		if entry != nil && entry.IsDir() && err == nil {
			os.Chmod(path, 0o700)
		}
		return nil
	})
	return os.RemoveAll(path)
}
