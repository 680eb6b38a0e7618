package layer

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// twoTrees returns a box with the folder base and a copy of it, tree.
func twoTrees(t *testing.T) *box {
	b := newBox(t)
	for _, tree := range []string{"base/", "tree/"} {
		b.write(tree+"etc/passwd", "root")
		b.write(tree+"etc/group", "root")
		b.write(tree+"usr/lib/a.so", "a")
		b.symlink("a.so", tree+"usr/lib/link.so")
		b.mkdir(tree + "srv")
	}
	return b
}

func (b *box) compare(skip func(string, fs.FileMode) bool) Changes {
	b.t.Helper()
	if skip == nil {
		skip = func(string, fs.FileMode) bool { return false }
	}
	c, err := Compare(b.path("base"), b.path("tree"), time.Now(), skip)
	b.must(err)
	return c
}

func TestWhatDiffersBetweenTwoTreesIsFound(t *testing.T) {
	for name, test := range map[string]struct {
		change        func(b *box)
		changed, gone []string
	}{
		"nothing":            {func(*box) {}, nil, nil},
		"a time":             {func(b *box) { b.must(os.Chtimes(b.path("tree/etc/passwd"), time.Time{}, time.Unix(1, 0))) }, nil, nil},
		"content":            {func(b *box) { b.write("tree/etc/passwd", "toor") }, []string{"etc/passwd"}, nil},
		"size":               {func(b *box) { b.write("tree/etc/passwd", "roots") }, []string{"etc/passwd"}, nil},
		"a mode":             {func(b *box) { b.must(os.Chmod(b.path("tree/etc/passwd"), 0o600)) }, []string{"etc/passwd"}, nil},
		"setuid":             {func(b *box) { b.must(os.Chmod(b.path("tree/etc/passwd"), 0o644|fs.ModeSetuid)) }, []string{"etc/passwd"}, nil},
		"a mode of a folder": {func(b *box) { b.must(os.Chmod(b.path("tree/etc"), 0o700)) }, []string{"etc"}, nil},
		"a new file":         {func(b *box) { b.write("tree/usr/lib/b.so", "b") }, []string{"usr/lib/b.so"}, nil},
		"a new folder":       {func(b *box) { b.write("tree/opt/b/c", "b") }, []string{"opt", "opt/b", "opt/b/c"}, nil},
		"a symlink": {func(b *box) {
			b.must(os.Remove(b.path("tree/usr/lib/link.so")))
			b.symlink("b.so", "tree/usr/lib/link.so")
		}, []string{"usr/lib/link.so"}, nil},
		"a file that becomes a symlink": {func(b *box) {
			b.must(os.Remove(b.path("tree/etc/group")))
			b.symlink("passwd", "tree/etc/group")
		}, []string{"etc/group"}, nil},
		"a symlink that becomes a folder": {func(b *box) {
			b.must(os.Remove(b.path("tree/usr/lib/link.so")))
			b.write("tree/usr/lib/link.so/etc", "x")
		}, []string{"usr/lib/link.so", "usr/lib/link.so/etc"}, nil},
		"an empty folder that becomes a symlink": {func(b *box) {
			b.must(os.Remove(b.path("tree/srv")))
			b.symlink("/etc", "tree/srv")
		}, []string{"srv"}, nil},
		"a folder that becomes a symlink": {func(b *box) {
			b.must(os.Rename(b.path("tree/usr/lib"), b.path("tree/lib")))
			b.symlink("/lib", "tree/usr/lib")
		}, []string{"lib", "lib/a.so", "lib/link.so", "usr/lib"}, []string{"usr/lib/a.so", "usr/lib/link.so"}},
		"a file that is gone":   {func(b *box) { b.must(os.Remove(b.path("tree/etc/group"))) }, nil, []string{"etc/group"}},
		"a folder that is gone": {func(b *box) { b.must(os.RemoveAll(b.path("tree/usr"))) }, nil, []string{"usr"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := twoTrees(t)
			test.change(b)
			if diff := cmp.Diff(Changes{test.changed, test.gone}, b.compare(nil)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatDoesNotCountIsNotCompared(t *testing.T) {
	b := twoTrees(t)
	b.write("tree/etc/passwd", "changed")
	b.write("tree/usr/new", "new")
	b.must(os.Remove(b.path("tree/etc/group")))
	b.must(os.Remove(b.path("tree/usr/lib/a.so")))
	got := b.compare(func(path string, kind fs.FileMode) bool {
		return path == "etc" && kind.IsDir() || path == "usr/lib/a.so"
	})
	if diff := cmp.Diff(Changes{Changed: []string{"usr/new"}}, got); diff != "" {
		t.Error(diff)
	}
}

func TestALayerOfChangesHasThemInTheirFolders(t *testing.T) {
	b := twoTrees(t)
	b.must(os.Chmod(b.path("tree/usr/lib"), 0o2750))
	b.must(unix.Chmod(b.path("tree/usr/lib"), 0o2750))
	b.write("tree/usr/lib/b.so", "b")
	b.must(os.Link(b.path("tree/usr/lib/b.so"), b.path("tree/usr/b")))
	b.must(unix.Chmod(b.path("tree/usr/b"), 0o4755))
	b.mkdir("tree/stage")
	b.mkdir("sealed")
	b.must(unix.Mknod(b.path("tree/etc/socket"), unix.S_IFSOCK|0o600, 0))
	c := b.compare(func(path string, _ fs.FileMode) bool { return path == "stage" })
	var told []string
	at := time.Unix(1000, 0)
	b.must(SealChanges(b.path("tree"), c.Changed, b.path("tree/stage"), b.path("sealed"), at, func(path string) { told = append(told, path) }))
	if diff := cmp.Diff([]string{"etc/socket"}, told); diff != "" {
		t.Errorf("sockets: %s", diff)
	}
	var got []string
	b.must(filepath.WalkDir(b.path("sealed"), func(path string, _ fs.DirEntry, err error) error {
		if rel, _ := filepath.Rel(b.path("sealed"), path); rel != "." {
			info, err := os.Lstat(path)
			b.must(err)
			got = append(got, info.Mode().String()+" "+rel)
			if !info.ModTime().Equal(at) {
				t.Errorf("%s has the time %v", rel, info.ModTime())
			}
		}
		return err
	}))
	want := []string{"drwxr-xr-x etc", "drwxr-xr-x usr", "urwxr-xr-x usr/b", "dgrwxr-x--- usr/lib", "urwxr-xr-x usr/lib/b.so"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	inode := func(path string) uint64 {
		info, err := os.Lstat(b.path(path))
		b.must(err)
		return info.Sys().(*syscall.Stat_t).Ino
	}
	if inode("sealed/usr/b") != inode("sealed/usr/lib/b.so") {
		t.Error("the hard link is another file")
	}
	if id, err := Describe(b.path("sealed"), at); err != nil || !strings.HasPrefix(id.String(), "sha256:") {
		t.Errorf("the digest is %q, %v", id, err)
	}
}

func TestALayerOfChangesHasNoDevice(t *testing.T) {
	b := twoTrees(t)
	if unix.Mknod(b.path("tree/etc/null"), unix.S_IFCHR|0o600, int(unix.Mkdev(1, 3))) != nil {
		t.Skip("device nodes take root")
	}
	b.mkdir("stage")
	b.mkdir("sealed")
	err := SealChanges(b.path("tree"), []string{"etc/null"}, b.path("stage"), b.path("sealed"), time.Unix(1, 0), nil)
	if err == nil || !strings.Contains(err.Error(), "/etc/null is a device node") {
		t.Errorf("the error is %v", err)
	}
}
