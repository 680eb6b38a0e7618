// Package layer is about the trees of files that image layers are made of: what one may hold (CheckContent), how it gets one time
// (SealTree, SealFolder), which diff id it has (Digest, Describe), and what is written down of that beside it. DigestTree is the
// other digest of a tree, by which files of the app count. The package runs no scripts, and knows of no packfile.
package layer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/packfile/frontend/text"
)

// What a tree that becomes a layer of an image may hold. Anything that one kind of builder would take and another not, or
// that is something else in an image than in a folder, is an error: "What a layer can hold" in docs/reference.md.

// whiteout is how names begin that mean "this is removed" in a layer of an image.
const whiteout = ".wh."

// maxPath is how long a path in the image may be. The kernel takes 4096 bytes, of which builders need some for the folders
// in which they keep trees.
const maxPath = 3800

// CheckContent returns an error if dir, which will be the folder at of the image ("" for its root), has something below it that
// cannot be there. What may not be read is passed over.
func CheckContent(dir, at string) error {
	return walk(dir, func(path string, kind fs.FileMode) error {
		base := filepath.Base(path)
		path = at + "/" + path
		shown := text.Path(path)
		switch {
		case strings.HasPrefix(base, whiteout):
			return fmt.Errorf("%s cannot be in an image: in a layer, a name that begins with %s removes a file of the layers below; "+
				"rename or remove it", shown, whiteout)
		case kind&fs.ModeDevice != 0:
			return fmt.Errorf("%s is a device node, which cannot be in an image: builders without root cannot make it; remove it, "+
				"containers have a /dev of their own", shown)
		case len(path) > maxPath:
			return fmt.Errorf("%s cannot be in an image: its path is longer than %d bytes; use shorter names or fewer folders", shown, maxPath)
		}
		return nil
	})
}

// DropSockets removes the sockets below dir, which an image cannot hold, and tells of each by its path from dir. They mean nothing
// without the process that made them.
func DropSockets(dir string, tell func(path string)) error {
	return walk(dir, func(path string, kind fs.FileMode) error {
		if kind&fs.ModeSocket == 0 {
			return nil
		}
		tell(path)
		return os.Remove(filepath.Join(dir, path))
	})
}

// LostAttributes finds the extended attributes of users below dir, which will not be in the image. It tells of each once, with the
// path from dir of the first file that has it.
func LostAttributes(dir string, tell func(path, attribute string)) error {
	told := map[string]bool{}
	return walk(dir, func(path string, _ fs.FileMode) error {
		for _, name := range Attributes(filepath.Join(dir, path)) {
			// Others belong to the system.
			if strings.HasPrefix(name, "user.") && !told[name] {
				told[name] = true
				tell(path, name)
			}
		}
		return nil
	})
}

// Attributes returns the names of a file's extended attributes, none where there are no such.
func Attributes(path string) (names []string) {
	// Few files have any, so that most are asked once.
	size, err := unix.Llistxattr(path, nil)
	if err != nil || size == 0 {
		return nil
	}
	list := make([]byte, size)
	if size, err = unix.Llistxattr(path, list); err != nil {
		return nil
	}
	for _, name := range strings.Split(string(list[:size]), "\x00") {
		if name != "" {
			names = append(names, name)
		}
	}
	return names
}

// walk visits everything below dir, by its path from there. It passes over what may not be read.
func walk(dir string, visit func(path string, kind fs.FileMode) error) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if path == dir {
			return err
		}
		if errors.Is(err, fs.ErrPermission) {
			return fs.SkipDir
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		return visit(rel, entry.Type())
	})
}

// TypeName returns what kind of file it is that is neither file nor folder.
func TypeName(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeSymlink != 0:
		return "symlink"
	case mode&fs.ModeSocket != 0:
		return "socket"
	case mode&fs.ModeNamedPipe != 0:
		return "fifo"
	case mode&fs.ModeDevice != 0:
		return "device"
	}
	return "special file"
}
