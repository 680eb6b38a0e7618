package run

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/packfile/frontend/step"
)

// newTree makes a tree with one of everything that a digest covers.
func newTree(t *testing.T) *box {
	b := newBox(t, step.Match)
	b.write(step.AppDir+"/package.json", "{}")
	b.write(step.AppDir+"/bin/run", "#!/bin/sh\n")
	b.must(os.Chmod(b.path(step.AppDir+"/bin/run"), 0o755))
	b.mkdir(step.AppDir + "/empty")
	b.symlink("../package.json", step.AppDir+"/bin/link")
	b.symlink("nowhere", step.AppDir+"/dangling")
	return b
}

// treeForm is the canonical form of newTree. Digests are part of layer keys, so it must not change by accident.
const treeForm = `packfile tree 1
d 0755 0 3 bin

l 0777 15 8 bin/link
../package.json
f 0755 10 7 bin/run
#!/bin/sh

l 0777 7 8 dangling
nowhere
d 0755 0 5 empty

f 0644 2 12 package.json
{}
`

var treeDigest = fmt.Sprintf("%x", sha256.Sum256([]byte(treeForm)))

func TestTheDigestOfATreeStaysTheSame(t *testing.T) {
	b := newTree(t)
	digest, files, err := DigestTree(b.path(step.AppDir))
	if err != nil {
		t.Fatal(err)
	}
	if digest != treeDigest || files != 4 {
		t.Errorf("got %s of %d files, want %s of 4", digest, files, treeDigest)
	}
}

func TestWhatTheDigestOfATreeCovers(t *testing.T) {
	app := func(name string) string { return step.AppDir + "/" + name }
	for _, test := range []struct {
		name   string
		change func(b *box)
		same   bool
	}{
		{name: "content", change: func(b *box) { b.write(app("package.json"), "[]") }},
		{name: "a name", change: func(b *box) { b.must(os.Rename(b.path(app("package.json")), b.path(app("package.jsom")))) }},
		{name: "the executable bit", change: func(b *box) { b.must(os.Chmod(b.path(app("bin/run")), 0o644)) }},
		{name: "not what another umask makes of a checkout", same: true, change: func(b *box) {
			b.must(os.Chmod(b.path(app("empty")), 0o700))
			b.must(os.Chmod(b.path(app("package.json")), 0o664))
			b.must(os.Chmod(b.path(app("bin/run")), 0o700))
		}},
		{name: "an empty folder", change: func(b *box) { b.must(os.Remove(b.path(app("empty")))) }},
		{name: "a file instead of a folder", change: func(b *box) {
			b.must(os.Remove(b.path(app("empty"))))
			b.write(app("empty"), "")
		}},
		{name: "where a symlink points", change: func(b *box) {
			b.must(os.Remove(b.path(app("dangling"))))
			b.symlink("elsewhere", app("dangling"))
		}},
		{name: "a symlink instead of a file", change: func(b *box) {
			b.must(os.Remove(b.path(app("dangling"))))
			b.write(app("dangling"), "nowhere")
			b.must(os.Chmod(b.path(app("dangling")), 0o777))
		}},
		{name: "where one content ends and the next begins", change: func(b *box) {
			b.write(app("bin/run"), "")
			b.write(app("bin/rvn"), "#!/bin/sh\n")
		}},
		{name: "not times", same: true, change: func(b *box) {
			for _, name := range []string{"package.json", "bin", "."} {
				b.must(os.Chtimes(b.path(app(name)), time.Unix(1, 0), time.Unix(1, 0)))
			}
		}},
		{name: "not the folder itself", same: true, change: func(b *box) { b.must(os.Chmod(b.path(step.AppDir), 0o700)) }},
		{name: "not owners", same: true, change: func(b *box) {
			if os.Geteuid() == 0 {
				b.must(os.Chown(b.path(app("package.json")), 1000, 1000))
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newTree(t)
			test.change(b)
			digest, _, err := DigestTree(b.path(step.AppDir))
			if err != nil {
				t.Fatal(err)
			}
			if (digest == treeDigest) != test.same {
				t.Errorf("got %s", digest)
			}
		})
	}
}

func TestTreesThatHaveNoDigest(t *testing.T) {
	for _, test := range []struct {
		name string
		make func(b *box)
		want string
	}{
		{"an absolute symlink", func(b *box) { b.symlink("/etc/passwd", step.AppDir+"/a/link") },
			"a/link is a symlink to /etc/passwd, which is outside of the app"},
		{"an absolute symlink into the app", func(b *box) { b.symlink(b.path(step.AppDir+"/package.json"), step.AppDir+"/link") },
			"which is outside of the app"},
		{"a symlink that leads up", func(b *box) { b.symlink("../../etc", step.AppDir+"/a/link") },
			"a/link is a symlink to ../../etc, which is outside of the app"},
		{"a symlink that leads out through another", func(b *box) {
			b.symlink("..", step.AppDir+"/a/up")
			b.symlink("up/../home", step.AppDir+"/a/link")
		}, "a/link is a symlink to up/../home, which is outside of the app"},
		{"a fifo", func(b *box) { b.must(syscall.Mkfifo(b.path(step.AppDir+"/fifo"), 0o644)) }, "fifo is a fifo"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newTree(t)
			test.make(b)
			b.fail(1, test.want)
		})
	}
	t.Run("a link to the app itself is fine", func(t *testing.T) {
		b := newTree(t)
		b.symlink("..", step.AppDir+"/bin/up")
		b.succeed()
	})
}

func TestAMatchStepMakesTheDigestTheVersion(t *testing.T) {
	b := newTree(t)
	b.spec.Metadata = map[string]any{"version": "static", "note": "x"}
	want := &step.Result{Files: 4, Metadata: map[string]any{"version": treeDigest, "note": "x"}}
	if diff := cmp.Diff(want, b.succeed().result); diff != "" {
		t.Error(diff)
	}
	if got := b.read(step.OutDir + "/md/version"); got != treeDigest {
		t.Errorf("$MD/version is %q", got)
	}
	t.Run("also when the app is reached through a symlink", func(t *testing.T) {
		b := newTree(t)
		b.must(os.Rename(b.path(step.AppDir), b.path("/elsewhere")))
		b.symlink("elsewhere", step.AppDir)
		if diff := cmp.Diff(treeDigest, b.succeed().result.Metadata["version"]); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("also of no files", func(t *testing.T) {
		out := newBox(t, step.Match).succeed()
		if out.result.Files != 0 || len(out.result.Metadata["version"].(string)) != 64 {
			t.Errorf("got %+v", out.result)
		}
	})
	t.Run("and names a file that cannot be read", func(t *testing.T) {
		if os.Geteuid() == 0 {
			t.Skip("root can read every file")
		}
		b := newTree(t)
		b.must(os.Chmod(b.path(step.AppDir+"/package.json"), 0))
		b.fail(1, "package.json: permission denied")
	})
}

func TestDigestsDoNotDependOnThePlace(t *testing.T) {
	for range 3 {
		dir := newTree(t).path(step.AppDir)
		digest, _, err := DigestTree(filepath.Clean(dir) + "/")
		if err != nil || digest != treeDigest || strings.Contains(digest, "/") {
			t.Errorf("got %s, %v", digest, err)
		}
	}
}
