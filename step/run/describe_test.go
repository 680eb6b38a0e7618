package run

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/json"
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

// newSealBox is a container with a layer that has one of everything, made in another order than that of names.
func newSealBox(t *testing.T, kind step.Kind, dir string) *box {
	b := newBox(t, kind)
	// It has no app, and runs in an image that has nothing.
	b.must(os.RemoveAll(b.path(step.AppDir)))
	b.must(os.RemoveAll(b.path("/tmp")))
	b.env = []string{testRoot + "=" + b.root}
	b.spec.Time = treeTime.Unix()
	b.mkdir(step.SealedDir)
	b.makeLayer(dir, treeTime)
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

func TestALayerIsSealed(t *testing.T) {
	later := treeTime.Add(time.Hour)
	b := newSealBox(t, step.Seal, step.TreeDir)
	b.spec.Time = later.Unix()
	if out := b.run(); out.code != 0 || out.stderr != "" {
		t.Fatalf("%+v", out)
	}
	if got, err := digestLayer(b.path(step.SealedDir)); err != nil || got != layerDigest(t, later) {
		t.Errorf("the copy has the digest %s: %v", got, err)
	}
	if got, err := digestLayer(b.path(step.TreeDir)); err != nil || got != layerDigest(t, treeTime) {
		t.Errorf("the layer itself was changed: %s %v", got, err)
	}
	t.Run("if it has nothing that cannot be in an image", func(t *testing.T) {
		b := newSealBox(t, step.Seal, step.TreeDir)
		b.write(step.TreeDir+"/layers/app/modules/.wh.x", "")
		b.fail(1, `layer "modules": /layers/app/modules/.wh.x cannot be in an image`)
	})
	t.Run("if it is there", func(t *testing.T) {
		newBox(t, step.Seal).fail(1, `layer "modules": `)
	})
}

// described are the results that a Describe left, by tree.
func (b *box) described() map[string]step.Result {
	b.t.Helper()
	if out := b.run(); out.code != 0 || out.stderr != "" {
		b.t.Fatalf("%+v", out)
	}
	results := map[string]step.Result{}
	for i, name := range b.spec.Trees {
		var got step.Result
		b.must(json.Unmarshal([]byte(b.read(fmt.Sprintf("%s/%d.json", step.OutDir, i))), &got))
		results[name] = got
	}
	return results
}

func TestLayersAreDescribed(t *testing.T) {
	b := newSealBox(t, step.Describe, step.TreeDir+"/0")
	b.makeLayer(step.TreeDir+"/1", treeTime.Add(time.Hour))
	b.spec.Trees = []string{"app", "slice-0"}
	if diff := cmp.Diff(map[string]step.Result{
		"app": {DiffID: layerDigest(t, treeTime)}, "slice-0": {DiffID: layerDigest(t, treeTime.Add(time.Hour))},
	}, b.described()); diff != "" {
		t.Error(diff)
	}
	t.Run("with the metadata that a run step left", func(t *testing.T) {
		b := newSealBox(t, step.Describe, step.TreeDir+"/0")
		b.spec.Trees = []string{"layer"}
		b.write(step.RunResult+"/0", `{"metadata": {"version": "1", "table": {"a": "x"}}, "files": 7}`)
		metadata := map[string]any{"version": "1", "table": map[string]any{"a": "x"}}
		if diff := cmp.Diff(map[string]step.Result{"layer": {DiffID: layerDigest(t, treeTime), Metadata: metadata}}, b.described()); diff != "" {
			t.Error(diff)
		}
		b.write(step.RunResult+"/0", "{")
		b.fail(1, b.path(step.RunResult+"/0")+": unexpected end of JSON input")
	})
	t.Run("if they have nothing that cannot be in an image", func(t *testing.T) {
		b.write(step.TreeDir+"/0/workspace/.wh.x", "")
		b.fail(1, "app: /workspace/.wh.x cannot be in an image")
	})
	t.Run("if they are there", func(t *testing.T) {
		b := newBox(t, step.Describe)
		b.spec.Trees = []string{"none"}
		b.fail(1, "none: ")
	})
}
