package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/packfile/frontend/layer"
	"github.com/packfile/frontend/text"
)

// ownFolder is a folder that BuildKit mounted for us, as it was before scripts ran. Since then, scripts may have done
// everything that their user can: scripts of root can write into it, change its attributes, and replace the folders above
// it. They cannot remove the mount: that takes rights that BuildKit gives no step.
type ownFolder struct {
	path       string
	info       fs.FileInfo
	stat       unix.Stat_t
	attributes []string
}

// ownFolderAt returns the folder at a path, with its present state.
func ownFolderAt(path string) (*ownFolder, error) {
	f := &ownFolder{path: path, attributes: layer.Attributes(path)}
	if err := unix.Lstat(path, &f.stat); err != nil {
		return nil, &fs.PathError{Op: "lstat", Path: path, Err: err}
	}
	var err error
	f.info, err = os.Lstat(path)
	return f, err
}

// check returns an error if another folder is at this one's path now, or if something is mounted below it.
func (f *ownFolder) check() error {
	if now, err := os.Lstat(f.path); err != nil || !os.SameFile(f.info, now) {
		return fmt.Errorf("%s is not the folder any more that it was before the script: a step must leave folders of %s, and those above them, where they are",
			f.path, "/packfile and /layers")
	}
	if mount := mountBelow(f.path); mount != "" {
		return fmt.Errorf("%s is a mount that a script left; a step must not mount anything there", text.Path(mount))
	}
	return nil
}

// empty restores the folder to its state before scripts ran: empty, with the same mode, owner and extended attributes.
// New files in it would inherit some of these.
func (f *ownFolder) empty() error {
	if err := f.check(); err != nil {
		return err
	}
	var now unix.Stat_t
	if err := unix.Lstat(f.path, &now); err != nil {
		return &fs.PathError{Op: "lstat", Path: f.path, Err: err}
	}
	if now.Uid != f.stat.Uid || now.Gid != f.stat.Gid {
		if err := os.Lchown(f.path, int(f.stat.Uid), int(f.stat.Gid)); err != nil {
			return err
		}
	}
	for _, name := range layer.Attributes(f.path) {
		if slices.Contains(f.attributes, name) {
			continue
		}
		if err := unix.Lremovexattr(f.path, name); err != nil && !errors.Is(err, unix.ENODATA) {
			return &fs.PathError{Op: "removexattr " + name, Path: f.path, Err: err}
		}
	}
	if err := unix.Chmod(f.path, f.stat.Mode&0o7777); err != nil {
		return &fs.PathError{Op: "chmod", Path: f.path, Err: err}
	}
	return removeContent(f.path)
}

// mountBelow returns a mount point below a folder, "" when there is none, or no /proc to read: mounting takes a right
// that BuildKit gives no step.
func mountBelow(dir string) string {
	points, err := mountPoints()
	if err != nil {
		return ""
	}
	for _, point := range points {
		if strings.HasPrefix(point, filepath.Clean(dir)+"/") {
			return point
		}
	}
	return ""
}

// mountPoints returns the mount points of the container.
func mountPoints() (points []string, err error) {
	data, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	// proc(5): the fifth field is the mount point, with these characters as octal numbers.
	plain := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	for line := range strings.Lines(string(data)) {
		if fields := strings.Fields(line); len(fields) > 4 {
			points = append(points, plain.Replace(fields[4]))
		}
	}
	return points, nil
}
