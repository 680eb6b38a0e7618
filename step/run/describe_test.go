package run

import (
	"archive/tar"
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/packfile/frontend/step"
)

var treeTime = time.Unix(315532801, 999) // a layer has whole seconds

// newDescribeBox is a container with a layer that has one of everything, made in another order than that of names.
func newDescribeBox(t *testing.T) *box {
	b := newBox(t, step.Describe)
	// It has no app, and runs in an image that has nothing.
	b.must(os.RemoveAll(b.path(step.AppDir)))
	b.must(os.RemoveAll(b.path("/tmp")))
	b.env = []string{testRoot + "=" + b.root}
	b.makeLayer(step.TreeDir, treeTime)
	return b
}

func (b *box) makeLayer(dir string, time time.Time) {
	layer := dir + "/layers/app/modules"
	b.write(layer+"/z", "content\n")
	b.must(os.Chmod(b.path(layer+"/z"), 0o711|os.ModeSetuid))
	b.must(os.Link(b.path(layer+"/z"), b.path(layer+"/twin")))
	b.mkdir(layer + "/empty")
	b.symlink("/none", layer+"/a")
	b.must(syscall.Mkfifo(b.path(layer+"/fifo"), 0o600))
	b.must(os.Chmod(b.path(layer+"/fifo"), 0o644))
	b.write(layer+"/ä"+strings.Repeat("x", 120), "")
	at := unix.NsecToTimespec(time.UnixNano())
	for _, name := range []string{"/z", "/a", "/fifo", "/empty", "/ä" + strings.Repeat("x", 120), "", "/..", "/../.."} {
		b.must(unix.UtimesNanoAt(unix.AT_FDCWD, b.path(layer+name), []unix.Timespec{at, at}, unix.AT_SYMLINK_NOFOLLOW))
	}
}

// layerDigest is the digest of what makeLayer made, as the specification of image layers wants it.
func layerDigest(t *testing.T, time time.Time) string {
	t.Helper()
	h := sha256.New()
	w := tar.NewWriter(h)
	add := func(kind byte, name string, mode int64, content, target string) {
		header := &tar.Header{
			Typeflag: kind, Name: name, Mode: mode, Size: int64(len(content)), Linkname: target,
			Uid: os.Getuid(), Gid: os.Getgid(), ModTime: time.Truncate(1e9), Format: tar.FormatPAX,
		}
		if err := w.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	add(tar.TypeDir, "layers/", 0o755, "", "")
	add(tar.TypeDir, "layers/app/", 0o755, "", "")
	add(tar.TypeDir, "layers/app/modules/", 0o755, "", "")
	add(tar.TypeSymlink, "layers/app/modules/a", 0o777, "", "/none")
	add(tar.TypeDir, "layers/app/modules/empty/", 0o755, "", "")
	add(tar.TypeFifo, "layers/app/modules/fifo", 0o644, "", "")
	add(tar.TypeReg, "layers/app/modules/twin", 0o4711, "content\n", "")
	add(tar.TypeLink, "layers/app/modules/z", 0o4711, "", "layers/app/modules/twin")
	add(tar.TypeReg, "layers/app/modules/ä"+strings.Repeat("x", 120), 0o644, "", "")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("sha256:%x", h.Sum(nil))
}

func TestALayerHasTheDigestOfItsTar(t *testing.T) {
	want := layerDigest(t, treeTime)
	b := newDescribeBox(t)
	if diff := cmp.Diff(&step.Result{Content: want, DiffID: want}, b.succeed().result); diff != "" {
		t.Error(diff)
	}
	t.Run("and another in an image whose files have another time", func(t *testing.T) {
		b := newDescribeBox(t)
		other := treeTime.Add(time.Hour)
		b.makeLayer(step.TimedDir, other)
		if diff := cmp.Diff(&step.Result{Content: want, DiffID: layerDigest(t, other)}, b.succeed().result); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("and the metadata that its run step left", func(t *testing.T) {
		b := newDescribeBox(t)
		b.write(step.RunResult, `{"metadata": {"version": "1", "table": {"a": "x"}}, "files": 7}`)
		metadata := map[string]any{"version": "1", "table": map[string]any{"a": "x"}}
		if diff := cmp.Diff(&step.Result{Content: want, DiffID: want, Metadata: metadata}, b.succeed().result); diff != "" {
			t.Error(diff)
		}
	})
}

func TestALayerThatCannotBeDescribed(t *testing.T) {
	t.Run("because it is not there", func(t *testing.T) {
		b := newBox(t, step.Describe)
		b.fail(1, `layer "modules": digest of the layer in `+b.path(step.TreeDir)+": ")
	})
	t.Run("because its other form cannot be reached", func(t *testing.T) {
		b := newDescribeBox(t)
		b.symlink("timed", step.TimedDir)
		b.fail(1, "too many levels of symbolic links")
	})
	t.Run("because the result of its run step is none", func(t *testing.T) {
		b := newDescribeBox(t)
		b.write(step.RunResult, "{")
		b.fail(1, b.path(step.RunResult)+": unexpected end of JSON input")
	})
}
