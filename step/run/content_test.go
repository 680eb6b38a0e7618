package run

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/packfile/frontend/step"
)

// Each of these makes one file.

func file(path string) error { return os.WriteFile(path, nil, 0o644) }
func fifo(path string) error { return syscall.Mkfifo(path, 0o644) }

func socket(path string) error {
	// A socket's path may have 108 bytes only.
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	short := filepath.Join("/proc/self/fd", strconv.Itoa(int(dir.Fd())), filepath.Base(path))
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: short, Net: "unix"})
	if err != nil {
		return err
	}
	l.SetUnlinkOnClose(false)
	return l.Close()
}

// layerBox runs a script that has a folder sub with some files in LAYER.
func layerBox(t *testing.T, script string, files map[string]func(path string) error) *box {
	t.Helper()
	b := newBox(t, step.KindRun).script(script)
	b.must(os.Mkdir(filepath.Join(b.spec.LayerDir, "sub"), 0o755))
	for name, create := range files {
		b.must(create(filepath.Join(b.spec.LayerDir, "sub", name)))
	}
	return b
}

func TestSocketsAreLeftOutOfALayer(t *testing.T) {
	b := layerBox(t, "true", map[string]func(string) error{"s": socket, "fifo": fifo, "file": file})
	out := b.run()
	if out.code != 0 || out.stderr != "packfile-step: "+b.spec.LayerDir+"/sub/s is a socket, which an image cannot hold: it is left out\n" {
		t.Errorf("got %+v", out)
	}
	left, err := os.ReadDir(b.path(layerDir + "/sub"))
	if err != nil || len(left) != 2 || left[0].Name() != "fifo" || left[1].Name() != "file" {
		t.Errorf("left are %v, %v", left, err)
	}
}

func TestExtendedAttributesThatWillBeLostAreSaidOnce(t *testing.T) {
	attribute := func(path string) error {
		return errors.Join(file(path), unix.Setxattr(path, "user.origin", []byte("x"), 0))
	}
	b := layerBox(t, "true", map[string]func(string) error{"a": attribute, "b": attribute, "c": file})
	if _, err := unix.Getxattr(filepath.Join(b.spec.LayerDir, "sub/a"), "user.origin", nil); err != nil {
		t.Skip("no extended attributes here:", err)
	}
	out := b.run()
	want := "packfile-step: " + b.spec.LayerDir + "/sub/a has the extended attribute user.origin, which will not be in the image: of these, only file capabilities are\n"
	if out.code != 0 || out.stderr != want {
		t.Errorf("got %+v", out)
	}
}

func TestWhatAScriptMakesOfItsLayerIsChecked(t *testing.T) {
	for _, test := range []struct{ name, script, want string }{
		{"a name that would remove a file", "touch $LAYER/sub/.wh.x", "LAYERDIR/sub/.wh.x cannot be in an image"},
		{"the folder moved", "mv $LAYER $LAYER.old", "the run script moved $LAYER (LAYERDIR) away; the folder has to stay where it is"},
		{"the folder removed", "rm -r $LAYER", "the run script moved $LAYER (LAYERDIR) away"},
		{"another one in its place", "mv $LAYER $LAYER.old; mkdir $LAYER", "the run script moved $LAYER (LAYERDIR) away"},
		{"a symlink in its place", "mv $LAYER $LAYER.old; ln -s $LAYER.old $LAYER", "the run script moved $LAYER (LAYERDIR) away"},
		{"a folder above moved", "mv ${LAYER%/*} ${LAYER%/*}.old", "the run script moved $LAYER (LAYERDIR) away"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := layerBox(t, test.script, nil)
			b.fail(1, `layer "modules": `+strings.ReplaceAll(test.want, "LAYERDIR", b.spec.LayerDir))
		})
	}
	t.Run("a script that fails says so first", func(t *testing.T) {
		layerBox(t, "touch $LAYER/.wh.x; exit 3", nil).fail(3, "run script failed with exit code 3")
	})
}
