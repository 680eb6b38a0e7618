package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/packfile/frontend/step"
)

// What a tree that becomes a layer of an image may hold. Anything that one kind of builder would take and another not, or
// that is something else in an image than in a folder, is an error: "What a layer can hold" in docs/reference.md.

// whiteout is how names begin that mean "this is removed" in a layer of an image.
const whiteout = ".wh."

// maxPath is how long a path in the image may be. The kernel takes 4096 bytes, of which builders need some for the folders
// in which they keep trees.
const maxPath = 3800

// checkContent is an error if dir, which will be the folder at of the image ("" for its root), has something below it that
// cannot be there. What may not be read is passed over.
func checkContent(dir, at string) error {
	return walkContent(dir, func(path string, kind fs.FileMode) error {
		base := filepath.Base(path)
		path = at + "/" + path
		shown := shownPath(path)
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

// dropSockets removes the sockets below dir, which an image cannot hold, and says so. They mean nothing without the process
// that made them.
func dropSockets(dir, at string) error {
	return walkContent(dir, func(path string, kind fs.FileMode) error {
		if kind&fs.ModeSocket == 0 {
			return nil
		}
		say(step.StepBinary, shownPath(at+"/"+path)+" is a socket, which an image cannot hold: it is left out")
		return os.Remove(filepath.Join(dir, path))
	})
}

// noteAttributes says which extended attributes of the user will not be in the image.
func noteAttributes(dir, at string) error {
	noted := map[string]bool{}
	return walkContent(dir, func(path string, _ fs.FileMode) error {
		for _, attribute := range userAttributes(filepath.Join(dir, path)) {
			if !noted[attribute] {
				noted[attribute] = true
				say(step.StepBinary, fmt.Sprintf("%s has the extended attribute %s, which will not be in the image: of these, only file "+
					"capabilities are", shownPath(at+"/"+path), attribute))
			}
		}
		return nil
	})
}

// userAttributes are the names of a file's extended attributes that belong to programs and not to the system.
func userAttributes(path string) []string {
	return slices.DeleteFunc(attributesOf(path), func(name string) bool { return !strings.HasPrefix(name, "user.") })
}

// walkContent visits everything below dir, by its path from there.
func walkContent(dir string, visit func(path string, kind fs.FileMode) error) error {
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

// shownPath is a path for messages: one line of bounded length, whatever the names are.
func shownPath(path string) string {
	const most = 200
	rest := ""
	if len(path) > most {
		path, rest = path[:most], "…"
	}
	if strings.ContainsFunc(path, unicode.IsControl) || !utf8.ValidString(path) {
		quoted := strconv.Quote(path)
		path = quoted[1 : len(quoted)-1]
	}
	return path + rest
}

// makeContent runs the run script and checks what it made of LAYER.
func (r *runner) makeContent() error {
	dir := r.spec.LayerDir
	before, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if err := r.runScript(); err != nil {
		return err
	}
	// A folder that stands there now and is not the one that was mounted would not get into the image.
	if now, err := os.Lstat(dir); err != nil || !os.SameFile(before, now) {
		return fmt.Errorf("the run script moved $LAYER (%s) away; the folder has to stay where it is, what is in it may be anything", dir)
	}
	for _, check := range []func(dir, at string) error{checkContent, dropSockets, noteAttributes} {
		if err := check(dir, dir); err != nil {
			return err
		}
	}
	return nil
}
