package run

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// DigestTree returns the hex SHA-256 of everything below dir, and how many files (all but folders) that is. Equal trees
// have equal digests on any machine: owners and times do not count, and neither does dir itself.
//
// The digest is taken over this canonical form: the line "packfile tree 1", and then for each entry, a folder before its
// entries and entries in byte order of their names, the line
//
//	TYPE MODE SIZE LENGTH PATH
//
// followed by SIZE bytes of content and a newline. TYPE is d, f or l; MODE is 0755 for folders and files that their owner
// may execute, 0644 for other files and 0777 for symlinks, so that the umask of a checkout does not count;
// PATH the slash-separated path from dir, of LENGTH bytes; content is that of a file, the target's text of a symlink,
// nothing of a folder.
//
// What the digest cannot stand for is an error: sockets, devices, fifos, and symlinks that leave dir.
func DigestTree(dir string) (digest string, files int, err error) {
	root, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return "", 0, err
	}
	h := sha256.New()
	fmt.Fprintln(h, "packfile tree 1")
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if !entry.IsDir() {
			files++
		}
		return digestEntry(h, root, path, rel)
	})
	if err != nil {
		return "", 0, err
	}
	return hex.EncodeToString(h.Sum(nil)), files, nil
}

func digestEntry(h hash.Hash, root, path, rel string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	line := func(kind byte, perm uint32, size int64) {
		fmt.Fprintf(h, "%c %04o %d %d %s\n", kind, perm, size, len(rel), rel)
	}
	switch {
	case info.IsDir():
		line('d', 0o755, 0)
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(path)
		if err != nil {
			return err
		}
		if leaves(root, path, rel, target) {
			return fmt.Errorf("%s is a symlink to %s, which is outside of the app", rel, target)
		}
		line('l', 0o777, int64(len(target)))
		io.WriteString(h, target)
	case info.Mode().IsRegular():
		perm := uint32(0o644)
		if info.Mode().Perm()&0o100 != 0 {
			perm = 0o755
		}
		line('f', perm, info.Size())
		if err := digestFile(h, path, info.Size()); err != nil {
			return err
		}
	default:
		return fmt.Errorf("%s is a %s; a version can only be made of files, folders and symlinks", rel, typeName(info.Mode()))
	}
	fmt.Fprintln(h)
	return nil
}

func digestFile(h hash.Hash, path string, size int64) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	n, err := io.Copy(h, f)
	if err == nil && n != size {
		err = fmt.Errorf("%s changed while it was read", path)
	}
	return err
}

// leaves says whether a symlink leads out of root. The text is checked because its target may not be there, the file
// system because a path without ".." can lead out through another symlink.
func leaves(root, path, rel, target string) bool {
	if filepath.IsAbs(target) || !filepath.IsLocal(filepath.Join(filepath.Dir(rel), target)) {
		return true
	}
	real, err := filepath.EvalSymlinks(path)
	return err == nil && real != root && !strings.HasPrefix(real, strings.TrimSuffix(root, "/")+"/")
}
