package layer

import (
	"os"
	"path/filepath"
	"testing"
)

// box is a folder in which a test makes trees.
type box struct {
	t    *testing.T
	root string
}

func newBox(t *testing.T) *box {
	t.Helper()
	return &box{t: t, root: t.TempDir()}
}

// path is where an absolute path of the box is.
func (b *box) path(path string) string { return filepath.Join(b.root, path) }

func (b *box) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *box) mkdir(path string) {
	b.t.Helper()
	b.must(os.MkdirAll(b.path(path), 0o755))
}

func (b *box) write(path, content string) {
	b.t.Helper()
	b.mkdir(filepath.Dir(path))
	b.must(os.WriteFile(b.path(path), []byte(content), 0o644))
}

// symlink makes a link with exactly this target.
func (b *box) symlink(target, path string) {
	b.t.Helper()
	b.mkdir(filepath.Dir(path))
	b.must(os.Symlink(target, b.path(path)))
}
