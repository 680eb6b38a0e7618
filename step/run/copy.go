package run

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// copyTree copies what is below src into the empty folder dst: files, folders, symlinks and hard links, with modes and
// modification times, as the current user. Sockets, fifos and devices are left out: they mean nothing without the
// process that made them.
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
			folders = append(folders, func() error { return setAttributes(to, info) })
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
		default:
			return nil
		}
		return setAttributes(to, info)
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
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

// setAttributes gives a copy mode and modification time of its original.
func setAttributes(path string, info fs.FileInfo) error {
	if info.Mode()&fs.ModeSymlink == 0 {
		if err := os.Chmod(path, info.Mode()); err != nil {
			return err
		}
	}
	time := unix.NsecToTimespec(info.ModTime().UnixNano())
	err := unix.UtimesNanoAt(unix.AT_FDCWD, path, []unix.Timespec{time, time}, unix.AT_SYMLINK_NOFOLLOW)
	if err != nil {
		return &fs.PathError{Op: "utimensat", Path: path, Err: err}
	}
	return nil
}

// removeContent removes what is below a folder.
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

// removeAll removes path with what is below it, also from folders that a script made read-only.
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
