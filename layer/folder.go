package layer

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sys/unix"
)

// DigestFolder returns the digest, in hex, of everything below dir that a script can see and may copy: names, kinds, contents,
// modes, owners, file capabilities and the texts of symlinks. Times do not count, and neither does dir itself. It reads all files
// and follows no symlink.
//
// It is another digest than that of DigestTree, which is about an app: an app has no owners, its umask does not count, and it has
// neither devices nor symlinks that lead out of it.
//
// The digest is the SHA-256 of this canonical form: the line "packfile folder 1", and then for each entry, a folder before its
// entries and entries in byte order of their names, the line
//
//	MODE UID GID DEVICE SIZE LENGTH CAPABILITY PATH
//
// followed by SIZE bytes of content and a newline. MODE is that of stat(2) in octal; DEVICE the number of a device node, else 0;
// CAPABILITY the attribute security.capability in hex, "-" when there is none; PATH the slash-separated path from dir, of LENGTH
// bytes; content is that of a file, the text of a symlink, nothing of others.
func DigestFolder(dir string) (string, error) {
	all := digest.Canonical.Digester()
	h := all.Hash()
	fmt.Fprintln(h, "packfile folder 1")
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		return digestSeen(h, path, rel)
	})
	return all.Digest().Encoded(), err
}

// digestSeen writes the canonical form of one entry of DigestFolder.
func digestSeen(w io.Writer, path, rel string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	stat := info.Sys().(*syscall.Stat_t)
	var size, device int64
	var target string
	switch kind := info.Mode(); {
	case kind.IsRegular():
		size = info.Size()
	case kind&fs.ModeSymlink != 0:
		if target, err = os.Readlink(path); err != nil {
			return err
		}
		size = int64(len(target))
	case kind&fs.ModeDevice != 0:
		device = int64(stat.Rdev)
	}
	capability, err := capabilityOf(path)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%o %d %d %d %d %d %s %s\n", stat.Mode, stat.Uid, stat.Gid, device, size, len(rel), capability, rel)
	if info.Mode().IsRegular() {
		err = digestFile(w, path, size)
	} else {
		_, err = io.WriteString(w, target)
	}
	fmt.Fprintln(w)
	return err
}

// fileCapability is the extended attribute with the capabilities of a program.
const fileCapability = "security.capability"

// capabilityOf returns the capabilities of a file in hex, "-" when it has none.
func capabilityOf(path string) (string, error) {
	if !slices.Contains(Attributes(path), fileCapability) {
		return "-", nil
	}
	value := make([]byte, 256) // more than a capability has
	n, err := unix.Lgetxattr(path, fileCapability, value)
	if err != nil {
		return "", &fs.PathError{Op: "getxattr", Path: path, Err: err}
	}
	return fmt.Sprintf("%x", value[:n]), nil
}
