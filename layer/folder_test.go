package layer

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestADigestOfAFolderChangesWithAllThatAScriptCanSeeOfIt(t *testing.T) {
	make := func(t *testing.T) string {
		t.Helper()
		dir := t.TempDir()
		for _, err := range []error{
			os.Mkdir(filepath.Join(dir, "sub"), 0o755), os.WriteFile(filepath.Join(dir, "sub", "file"), []byte("x"), 0o644),
			os.Symlink("/nowhere/else", filepath.Join(dir, "link")), unix.Mkfifo(filepath.Join(dir, "fifo"), 0o644),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	digestOf := func(t *testing.T, dir string) string {
		t.Helper()
		sum, err := DigestFolder(dir)
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}
	want := digestOf(t, make(t))
	for name, test := range map[string]struct {
		change func(dir string) error
		same   bool
	}{
		"nothing": {func(string) error { return nil }, true},
		"a time": {func(dir string) error {
			return os.Chtimes(filepath.Join(dir, "sub", "file"), time.Unix(1, 0), time.Unix(1, 0))
		}, true},
		"the folder's own mode":            {func(dir string) error { return os.Chmod(dir, 0o700) }, true},
		"content":                          {func(dir string) error { return os.WriteFile(filepath.Join(dir, "sub", "file"), []byte("y"), 0o644) }, false},
		"a mode":                           {func(dir string) error { return os.Chmod(filepath.Join(dir, "sub", "file"), 0o600) }, false},
		"a mode of a folder":               {func(dir string) error { return os.Chmod(filepath.Join(dir, "sub"), 0o711) }, false},
		"a program that runs as its owner": {func(dir string) error { return os.Chmod(filepath.Join(dir, "sub", "file"), 0o644|os.ModeSetuid) }, false},
		"a name": {func(dir string) error {
			return os.Rename(filepath.Join(dir, "sub", "file"), filepath.Join(dir, "sub", "other"))
		}, false},
		"an empty folder": {func(dir string) error { return os.Mkdir(filepath.Join(dir, "more"), 0o755) }, false},
		"the text of a symlink": {func(dir string) error {
			return os.Remove(filepath.Join(dir, "link"))
		}, false},
		"a file in place of a fifo": {func(dir string) error {
			if err := os.Remove(filepath.Join(dir, "fifo")); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(dir, "fifo"), nil, 0o644)
		}, false},
		"an owner": {func(dir string) error {
			if os.Getuid() != 0 {
				return os.Remove(filepath.Join(dir, "link")) // only root can
			}
			return os.Lchown(filepath.Join(dir, "link"), 7, 8)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := make(t)
			if err := test.change(dir); err != nil {
				t.Fatal(err)
			}
			if got := digestOf(t, dir); (got == want) != test.same {
				t.Errorf("the digest is the same: %t", got == want)
			}
		})
	}
	if _, err := DigestFolder(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a folder that is not there has a digest")
	}
}
