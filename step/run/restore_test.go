package run

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/containerd/continuity/sysx"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/packfile/frontend/step"
)

// newRestoreBox is a container for a layer with restore = true.
func newRestoreBox(t *testing.T, script string) *box {
	b := newBox(t, step.KindRun).script(script)
	b.spec.Restore = true
	b.mkdir(step.RestoreDir)
	return b
}

// emptyLayer is what every run of a step starts with.
func (b *box) emptyLayer() {
	b.t.Helper()
	b.must(removeAll(b.spec.LayerDir))
	b.must(os.MkdirAll(b.spec.LayerDir, 0o755))
}

func TestALayerStartsFromWhatItsLastRunLeft(t *testing.T) {
	b := newRestoreBox(t, `cat $LAYER/runs 2>/dev/null; echo ran >> $LAYER/runs`)
	for _, want := range []string{"", "ran\n", "ran\nran\n"} {
		b.emptyLayer()
		if got := b.succeed().stdout; got != want {
			t.Errorf("the script found %q, want %q", got, want)
		}
	}
	t.Run("and not from what a run that failed left", func(t *testing.T) {
		b.emptyLayer()
		good := b.read(step.SpecDir + "/script")
		b.script("echo bad >> $LAYER/runs; exit 1").fail(1, "run script failed")
		b.emptyLayer()
		if got := b.script(good).succeed().stdout; got != "ran\nran\nran\n" {
			t.Errorf("the script found %q", got)
		}
	})
	t.Run("without the files of its environment", func(t *testing.T) {
		b := newRestoreBox(t, `ls $LAYER`)
		b.spec.Env = []step.EnvFile{{Dir: "env", Name: "A", Op: "override", Value: "x"}}
		b.expect("")
		b.spec.Env = nil
		b.emptyLayer()
		b.expect("")
		if b.exists(layerDir + "/env") {
			t.Error("an entry that is gone from the packfile came back")
		}
	})
}

func TestARunThatWasKilledLeavesNoHalfState(t *testing.T) {
	const script = `cat $LAYER/state 2>/dev/null || echo none`
	for _, test := range []struct {
		name string
		make func(b *box)
		want string
	}{
		{"while it copied the first content", func(b *box) { b.write(step.RestoreDir+"/next/state", "half") }, "none"},
		{"while it copied", func(b *box) {
			b.write(step.RestoreDir+"/current/state", "whole")
			b.write(step.RestoreDir+"/next/state", "half")
		}, "whole"},
		{"between the two renames", func(b *box) {
			b.write(step.RestoreDir+"/old/state", "whole")
			b.write(step.RestoreDir+"/next/state", "new")
		}, "whole"},
		{"while it removed the old content", func(b *box) {
			b.write(step.RestoreDir+"/current/state", "new")
			b.write(step.RestoreDir+"/old/state", "half")
		}, "new"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newRestoreBox(t, script)
			test.make(b)
			b.expect(test.want)
			entries, err := os.ReadDir(b.path(step.RestoreDir))
			b.must(err)
			if len(entries) != 1 || entries[0].Name() != restoreCurrent {
				t.Errorf("the cache holds %v", entries)
			}
		})
	}
}

func TestCopiesAreLikeTheirOriginals(t *testing.T) {
	src, dst := t.TempDir(), t.TempDir()
	t.Cleanup(func() { removeAll(src); removeAll(dst) })
	old := time.Date(2001, 2, 3, 4, 5, 6, 7, time.UTC)
	for _, err := range []error{
		os.MkdirAll(filepath.Join(src, "readonly/sub"), 0o755),
		os.WriteFile(filepath.Join(src, "readonly/sub/file"), []byte("content"), 0o640),
		os.Chmod(filepath.Join(src, "readonly/sub/file"), 0o4711),
		os.Link(filepath.Join(src, "readonly/sub/file"), filepath.Join(src, "readonly/twin")),
		os.Symlink("/none", filepath.Join(src, "link")),
		syscall.Mkfifo(filepath.Join(src, "fifo"), 0o644),
		unix.Setxattr(filepath.Join(src, "readonly/sub/file"), "user.origin", []byte("here\x00\xff"), 0),
		unix.Setxattr(filepath.Join(src, "readonly"), "user.folder", nil, 0),
		os.Chtimes(filepath.Join(src, "readonly/sub/file"), old, old),
		os.Chtimes(filepath.Join(src, "readonly/sub"), old, old),
		os.Chmod(filepath.Join(src, "readonly"), 0o555),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if os.Geteuid() == 0 {
		capable := filepath.Join(src, "capable")
		for _, err := range []error{
			os.WriteFile(capable, nil, 0o755),
			os.Lchown(capable, 5, 6),
			os.Lchown(filepath.Join(src, "link"), 7, 8),
			os.Chmod(capable, 0o6755),
			unix.Setxattr(capable, fileCapabilities, netBindService, 0),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := copyTree(src, dst); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(listing(t, src), listing(t, dst)); diff != "" {
		t.Error(diff)
	}
}

func TestCopiesOfSparseFilesAreSparse(t *testing.T) {
	src, dst := t.TempDir(), t.TempDir()
	const size = 64 << 20
	for name, pieces := range map[string]map[int64]string{
		"empty": nil, "begin": {0: "data"}, "middle": {20<<20 + 1: "data", 40 << 20: "more"}, "end": {size - 4: "data"},
	} {
		f, err := os.Create(filepath.Join(src, name))
		if err != nil {
			t.Fatal(err)
		}
		for at, text := range pieces {
			if _, err := f.WriteAt([]byte(text), at); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(f.Truncate(size), f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	if err := copyTree(src, dst); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(listing(t, src), listing(t, dst)); diff != "" {
		t.Error("content or attributes differ")
	}
	for _, name := range []string{"empty", "begin", "middle", "end"} {
		var before, after unix.Stat_t
		if err := errors.Join(unix.Stat(filepath.Join(src, name), &before), unix.Stat(filepath.Join(dst, name), &after)); err != nil {
			t.Fatal(err)
		}
		if before.Blocks > 1000 {
			t.Skip("this file system has no sparse files")
		}
		if after.Blocks > before.Blocks {
			t.Errorf("%s: the copy takes %d blocks, and the original %d", name, after.Blocks, before.Blocks)
		}
	}
}

// netBindService is the capability of that name, permitted and effective, as file capabilities say it.
var netBindService = []byte("\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")

type listed struct {
	Mode    string
	Owner   string
	Extra   map[string]string // extended attributes
	Time    time.Time
	Content string
	Names   uint64
}

// listing describes everything below dir.
func listing(t *testing.T, dir string) map[string]listed {
	t.Helper()
	all := map[string]listed{}
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || path == dir {
			return err
		}
		stat := info.Sys().(*syscall.Stat_t)
		l := listed{
			Mode: info.Mode().String(), Owner: fmt.Sprint(stat.Uid, ":", stat.Gid), Extra: map[string]string{}, Time: info.ModTime(), Names: uint64(stat.Nlink),
		}
		names, readErr := sysx.LListxattr(path)
		for _, name := range names {
			value, err := sysx.LGetxattr(path, name)
			l.Extra[name] = string(value)
			readErr = errors.Join(readErr, err)
		}
		switch {
		case info.Mode().IsRegular():
			var data []byte
			data, err = os.ReadFile(path)
			readErr = errors.Join(readErr, err)
			l.Content = string(data)
		case info.Mode()&os.ModeSymlink != 0:
			l.Content, err = os.Readlink(path)
			readErr = errors.Join(readErr, err)
		}
		rel, relErr := filepath.Rel(dir, path)
		all[rel] = l
		return errors.Join(readErr, relErr)
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
