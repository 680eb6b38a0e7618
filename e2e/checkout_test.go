package e2e

import (
	"archive/tar"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// checkout is how the files of a project came to be where they are.
type checkout struct {
	umask fs.FileMode // 022 when it is 0
	age   time.Duration
	owner int // user and group; ours when it is 0
}

// Who checks an app out, and where, shows in no image: folders and programs have mode 755, other files 644.
func TestAppHasThePermissionsThatGitKeeps(t *testing.T) {
	t.Parallel()
	source := syntheticProject(t)
	for _, umask := range []fs.FileMode{0o077, 0o002} {
		dir := checkOut(t, source, checkout{umask: umask})
		write(t, dir, map[string]string{"packfile.toml": sh})
		app := request{dir: dir}.export(t).ours()[0].files
		if _, ok := app["workspace/bin/run"]; !ok {
			t.Fatalf("the app is not in the first layer: %v", slices.Sorted(maps.Keys(app)))
		}
		for name, f := range app {
			want := int64(0o644)
			if f.Typeflag == tar.TypeDir || strings.HasPrefix(name, "workspace/bin/") {
				want = 0o755
			}
			if f.Typeflag != tar.TypeSymlink && f.Mode != want {
				t.Errorf("umask %03o: %s has mode %o, want %o", umask, name, f.Mode, want)
			}
		}
	}
}

// checkOut copies a project into a folder of its own, as a checkout makes it.
func checkOut(t *testing.T, source string, c checkout) string {
	t.Helper()
	if c.umask == 0 {
		c.umask = 0o022
	}
	dir := filepath.Join(t.TempDir(), "app")
	links := map[uint64]string{} // by inode
	var folders []string
	special := map[string]fs.FileMode{}
	err := filepath.WalkDir(source, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(source, path)
		if err != nil {
			return err
		}
		to := filepath.Join(dir, rel)
		info, err := entry.Info()
		if err != nil {
			return err
		}
		switch {
		case entry.IsDir():
			folders = append(folders, to)
			special[to] = info.Mode() & (fs.ModeSetgid | fs.ModeSticky)
			return os.Mkdir(to, 0o700)
		case entry.Type() == fs.ModeSymlink:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(target, to)
		}
		inode := info.Sys().(*syscall.Stat_t).Ino
		if first, ok := links[inode]; ok {
			return os.Link(first, to)
		}
		links[inode] = to
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o666)
		if info.Mode()&0o100 != 0 {
			mode = 0o777
		}
		if err := os.WriteFile(to, data, 0o600); err != nil {
			return err
		}
		return c.finish(to, mode|info.Mode()&fs.ModeSetuid)
	})
	for _, folder := range slices.Backward(folders) {
		if err == nil {
			err = c.finish(folder, 0o777|special[folder])
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// finish gives a file the permissions, the owner and the time of a checkout.
func (c checkout) finish(path string, mode fs.FileMode) error {
	if err := os.Chmod(path, mode&^c.umask); err != nil {
		return err
	}
	if c.owner != 0 {
		if err := os.Chown(path, c.owner, c.owner); err != nil {
			return err
		}
	}
	when := time.Now().Add(-c.age)
	return os.Chtimes(path, when, when)
}
