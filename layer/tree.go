package layer

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/opencontainers/go-digest"
)

// Tree is the result of DigestTree for the files below a folder. Everything but folders counts as a file.
type Tree struct {
	Digest string // hex SHA-256 of everything
	Files  int
	// FileDigests has a digest for each file, by slash-separated path from the folder; nil when there are more files than
	// were asked for. They show which file changed, and are too short to protect from an attacker.
	FileDigests map[string]string
}

// fileDigits is the number of hex digits of the digest of one file.
const fileDigits = 16

// DigestTree returns the digest of everything below dir, all of which it reads, and digests of single files if there are
// no more than most. Equal trees have equal digests on any machine: owners and times do not count, and neither does dir
// itself.
//
// The digest is the SHA-256 of this canonical form: the line "packfile tree 1", and then for each entry, a folder before
// its entries and entries in byte order of their names, the line
//
//	TYPE MODE SIZE LENGTH PATH
//
// followed by SIZE bytes of content and a newline. TYPE is d, f or l; MODE is 0755 for folders and files that their owner
// may execute, 0644 for other files and 0777 for symlinks, so that the umask of a checkout does not count;
// PATH the slash-separated path from dir, of LENGTH bytes; content is that of a file, the target's text of a symlink,
// nothing of a folder. The digest of a file is taken over its part of that form, so it changes with whatever of the file
// counts.
//
// It fails for sockets, devices, fifos, and symlinks that leave dir: the digest cannot cover them.
func DigestTree(dir string, most int) (Tree, error) {
	root, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return Tree{}, err
	}
	tree := Tree{FileDigests: map[string]string{}}
	all := digest.Canonical.Digester()
	h := all.Hash()
	fmt.Fprintln(h, "packfile tree 1")
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return digestEntry(h, root, path, rel)
		}
		if tree.Files++; tree.Files > most {
			tree.FileDigests = nil
			return digestEntry(h, root, path, rel)
		}
		own := digest.Canonical.Digester()
		err = digestEntry(io.MultiWriter(h, own.Hash()), root, path, rel)
		tree.FileDigests[rel] = own.Digest().Encoded()[:fileDigits]
		return err
	})
	if err != nil {
		return Tree{}, err
	}
	tree.Digest = all.Digest().Encoded()
	return tree, nil
}

func digestEntry(w io.Writer, root, path, rel string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	line := func(kind byte, perm uint32, size int64) {
		fmt.Fprintf(w, "%c %04o %d %d %s\n", kind, perm, size, len(rel), rel)
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
		io.WriteString(w, target)
	case info.Mode().IsRegular():
		perm := uint32(0o644)
		if info.Mode().Perm()&0o100 != 0 {
			perm = 0o755
		}
		line('f', perm, info.Size())
		if err := digestFile(w, path, info.Size()); err != nil {
			return err
		}
	default:
		return fmt.Errorf("%s is a %s; a version can only be made of files, folders and symlinks", rel, TypeName(info.Mode()))
	}
	fmt.Fprintln(w)
	return nil
}

func digestFile(w io.Writer, path string, size int64) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	n, err := io.Copy(w, f)
	if err == nil && n != size {
		err = fmt.Errorf("%s changed while it was read", path)
	}
	return err
}

// leaves reports whether a symlink leads out of root. It checks the text, because the target may not exist, and the file
// system, because a path without ".." can lead out through another symlink.
func leaves(root, path, rel, target string) bool {
	if filepath.IsAbs(target) || !filepath.IsLocal(filepath.Join(filepath.Dir(rel), target)) {
		return true
	}
	real, err := filepath.EvalSymlinks(path)
	return err == nil && real != root && !strings.HasPrefix(real, strings.TrimSuffix(root, "/")+"/")
}
