package layer

import (
	"archive/tar"
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sys/unix"
)

var treeTime = time.Unix(315532801, 999) // a layer has whole seconds

// makeLayer makes a layer that has one of everything, in another order than that of names.
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
func layerDigest(t *testing.T, time time.Time) digest.Digest {
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
	return digest.Digest(fmt.Sprintf("sha256:%x", h.Sum(nil)))
}

func TestALayerIsDescribedByItsDiffID(t *testing.T) {
	b := newBox(t)
	b.makeLayer("/tree", treeTime)
	if got, err := Describe(b.path("/tree"), treeTime); err != nil || got != layerDigest(t, treeTime) {
		t.Errorf("%s %v", got, err)
	}
	t.Run("if it has nothing that cannot be in an image", func(t *testing.T) {
		b.write("/tree/workspace/.wh.x", "")
		if _, err := Describe(b.path("/tree"), treeTime); err == nil || !strings.HasPrefix(err.Error(), "/workspace/.wh.x cannot be in an image") {
			t.Error(err)
		}
	})
	t.Run("if it is there", func(t *testing.T) {
		if id, err := Describe(b.path("/none"), treeTime); err == nil {
			t.Error(id)
		}
	})
}

func TestALayerIsSealed(t *testing.T) {
	later := treeTime.Add(time.Hour)
	b := newBox(t)
	b.makeLayer("/tree", treeTime)
	for name, seal := range map[string]func(sealed string) error{
		"as a tree": func(sealed string) error { return SealTree(b.path("/tree"), sealed, later) },
		"as a folder": func(sealed string) error {
			return SealFolder(b.path("/tree/layers/app/modules"), sealed, "layers/app/modules", os.Getuid(), os.Getgid(), later)
		},
	} {
		t.Run(name, func(t *testing.T) {
			sealed := t.TempDir()
			b.must(seal(sealed))
			want := layerDigest(t, later)
			if got, err := Digest(sealed); err != nil || got != want {
				t.Errorf("the copy has the digest %s: %v", got, err)
			}
			if got := notedDigest(sealed, later); got != want {
				t.Errorf("noted is %q", got)
			}
			if got, err := Digest(b.path("/tree")); err != nil || got != layerDigest(t, treeTime) {
				t.Errorf("the layer itself was changed: %s %v", got, err)
			}
		})
	}
	t.Run("if it has nothing that cannot be in an image", func(t *testing.T) {
		b.write("/tree/layers/app/modules/.wh.x", "")
		if err := SealTree(b.path("/tree"), t.TempDir(), later); err == nil || !strings.HasPrefix(err.Error(), "/layers/app/modules/.wh.x cannot be in an image") {
			t.Error(err)
		}
		dir := b.path("/tree/layers/app/modules")
		if err := SealFolder(dir, t.TempDir(), "a/b", 0, 0, later); err == nil || !strings.Contains(err.Error(), "/.wh.x cannot be in an image") {
			t.Error(err)
		}
	})
	t.Run("if it is there", func(t *testing.T) {
		if err := SealTree(b.path("/none"), t.TempDir(), later); err == nil {
			t.Error("no error")
		}
	})
}

func TestWhatIsNotedOfALayerTakesNoReading(t *testing.T) {
	b := newBox(t)
	b.makeLayer("/tree", treeTime)
	noted := digest.FromString("noted")
	noteDigest(b.path("/tree"), note{treeTime.Unix(), noted})
	if notedDigest(b.path("/tree"), treeTime) == "" {
		t.Skip("no extended attributes here")
	}
	if got, err := Describe(b.path("/tree"), treeTime); err != nil || got != noted {
		t.Errorf("it is described as %s, noted is %s: %v", got, noted, err)
	}
	if got, err := Describe(b.path("/tree"), treeTime.Add(time.Second)); err != nil || got != layerDigest(t, treeTime) {
		t.Errorf("what was noted of another time describes it as %s: %v", got, err)
	}
	for _, value := range []string{"", "{", `{"time": 315532801, "diffID": "sha256:1"}`, strings.Repeat(" ", 300), "[]"} {
		b.must(unix.Setxattr(b.path("/tree"), noteAttribute, []byte(value), 0))
		if got, err := Describe(b.path("/tree"), treeTime); err != nil || got != layerDigest(t, treeTime) {
			t.Errorf("with %q noted it is described as %s: %v", value, got, err)
		}
	}
}
