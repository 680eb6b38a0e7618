package layer

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Each of these makes one file.

func file(path string) error   { return os.WriteFile(path, nil, 0o644) }
func fifo(path string) error   { return syscall.Mkfifo(path, 0o644) }
func device(path string) error { return unix.Mknod(path, unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))) }

// overlayWhiteout is how overlayfs marks what is removed: any user may make it.
func overlayWhiteout(path string) error { return unix.Mknod(path, unix.S_IFCHR|0o666, 0) }

func TestContentThatAnImageCannotHold(t *testing.T) {
	deep := strings.Repeat(strings.Repeat("d", 250)+"/", 15)
	for _, test := range []struct {
		name, path string
		make       func(path string) error
		want       string // "" for no error
	}{
		{"a file", "sub/file", file, ""},
		{"a fifo", "sub/fifo", fifo, ""},
		{"a name with a newline", "a\nb", file, ""},
		{"a name that is no text", "\xff\xfe", file, ""},
		{"a name of 255 bytes", strings.Repeat("n", 255), file, ""},
		{"a path of 3800 bytes", (deep + strings.Repeat("d", 300))[:3800-len("/tree/")], file, ""},
		{"a name that only contains .wh.", "a.wh.b/.wh/.whx", file, ""},
		{"a longer path", (deep + strings.Repeat("d", 300))[:3801-len("/tree/")], file,
			"/tree/" + strings.Repeat("d", 194) + "… cannot be in an image: its path is longer than 3800 bytes; use shorter names or fewer folders"},
		{"a device", "dev/null", device, "/tree/dev/null is a device node, which cannot be in an image: builders without root cannot make it; remove it"},
		{"a device that overlayfs takes for a removed file", "gone", overlayWhiteout, "/tree/gone is a device node"},
		{"a name of a removed file", "sub/.wh.passwd", file,
			"/tree/sub/.wh.passwd cannot be in an image: in a layer, a name that begins with .wh. removes a file of the layers below; rename or remove it"},
		{"a name that empties a folder", ".wh..wh..opq", file, "/tree/.wh..wh..opq cannot be in an image"},
		{"a folder with such a name", ".wh.dir", func(path string) error { return os.Mkdir(path, 0o755) }, "/tree/.wh.dir cannot be in an image"},
		{"such a name with a newline and no text", ".wh.\n\xff", file, `/tree/.wh.\n\xff cannot be in an image`},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, test.path)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := test.make(path); err == unix.EPERM {
				t.Skip("needs root")
			} else if err != nil {
				t.Fatal(err)
			}
			err := CheckContent(dir, "/tree")
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (err == nil || !strings.HasPrefix(err.Error(), test.want)):
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
	t.Run("a tree that is not there", func(t *testing.T) {
		if err := CheckContent(filepath.Join(t.TempDir(), "none"), "/tree"); err == nil {
			t.Error("no error")
		}
	})
}
