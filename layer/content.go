// Package layer handles the trees of files that become image layers: it checks what a tree holds (CheckContent), gives
// all files one time (SealTree, SealFolder), and computes the diff id (Digest, Describe), which it notes beside the tree.
// DigestTree computes another digest, by which files of the app count, and DigestFolder one of all that a script can see of a
// folder. packfile-step uses it inside build containers. The package runs no scripts and knows no packfile.
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

// Limits for a tree that becomes a layer of an image. Anything that only some builders take, or that means something else
// in an image than in a folder, is an error: "What a layer can hold" in docs/reference.md.

// whiteout is the prefix of names that mean "this is removed" in a layer of an image.
const whiteout = ".wh."

// maxPath is the longest path in the image, in bytes. The kernel takes 4096, of which builders need some for the folders
// in which they keep trees.
const maxPath = 3800

// CheckContent returns an error if dir, which becomes the folder at in the image ("" for its root), has something below
// it that no image can hold. It skips files and folders that it may not read. It visits everything, and reads no content.
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

// DropSockets removes the sockets below dir, which an image cannot hold, and calls tell with the path of each from dir. A
// socket means nothing without the process that made it.
func DropSockets(dir string, tell func(path string)) error {
	return walk(dir, func(path string, kind fs.FileMode) error {
		if kind&fs.ModeSocket == 0 {
			return nil
		}
		tell(path)
		return os.Remove(filepath.Join(dir, path))
	})
}

// LostAttributes finds the extended attributes of users below dir, which the image will not have. It calls tell once for
// each attribute, with the path from dir of the first file that has it.
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

// Attributes returns the names of a file's extended attributes, none where the file system has none.
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

// walk visits everything below dir, by its path from there. It skips what it may not read.
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

// TypeName returns the name of a kind of file that is neither a regular file nor a folder.
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
