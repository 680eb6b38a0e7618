package run

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
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
	b.write(matched+"/package.json", "{}")
	b.write(matched+"/bin/run", "#!/bin/sh\n")
	b.must(os.Chmod(b.path(matched+"/bin/run"), 0o755))
	b.mkdir(matched + "/empty")
	b.symlink("../package.json", matched+"/bin/link")
	b.symlink("nowhere", matched+"/dangling")
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

// fileDigests are those of newTree's files.
var fileDigests = map[string]string{
	"package.json": fileDigest("f 0644 2 12 package.json\n{}\n"),
	"bin/run":      fileDigest("f 0755 10 7 bin/run\n#!/bin/sh\n\n"),
	"bin/link":     fileDigest("l 0777 15 8 bin/link\n../package.json\n"),
	"dangling":     fileDigest("l 0777 7 8 dangling\nnowhere\n"),
}

func fileDigest(form string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(form)))[:16] }

func TestFilesAreNamedWhenTheyAreFew(t *testing.T) {
	for _, files := range []int{0, step.MaxFileDigests, step.MaxFileDigests + 1} {
		t.Run(fmt.Sprint(files), func(t *testing.T) {
			b := newBox(t, step.Match)
			for i := range files {
				b.write(fmt.Sprintf("%s/%d/file", matched, i), "x") // folders are not counted
			}
			result := b.succeed().result
			want := files
			if files > step.MaxFileDigests {
				want = 0
			}
			if result.Files != files || len(result.FileDigests) != want {
				t.Errorf("%d files, %d digests", result.Files, len(result.FileDigests))
			}
		})
	}
}

func TestTheDigestOfATreeStaysTheSame(t *testing.T) {
	b := newTree(t)
	tree, err := DigestTree(b.path(matched))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Tree{Digest: treeDigest, Files: 4, FileDigests: fileDigests}, tree); diff != "" {
		t.Error(diff)
	}
}

func TestWhatTheDigestOfATreeCovers(t *testing.T) {
	app := func(name string) string { return matched + "/" + name }
	for _, test := range []struct {
		name   string
		change func(b *box)
		same   bool
		files  string // that differ
	}{
		{name: "content", files: "package.json", change: func(b *box) { b.write(app("package.json"), "[]") }},
		{name: "a name", files: "+package.jsom -package.json", change: func(b *box) { b.must(os.Rename(b.path(app("package.json")), b.path(app("package.jsom")))) }},
		{name: "the executable bit", files: "bin/run", change: func(b *box) { b.must(os.Chmod(b.path(app("bin/run")), 0o644)) }},
		{name: "not what another umask makes of a checkout", same: true, change: func(b *box) {
			b.must(os.Chmod(b.path(app("empty")), 0o700))
			b.must(os.Chmod(b.path(app("package.json")), 0o664))
			b.must(os.Chmod(b.path(app("bin/run")), 0o700))
		}},
		{name: "an empty folder", change: func(b *box) { b.must(os.Remove(b.path(app("empty")))) }},
		{name: "a file instead of a folder", files: "+empty", change: func(b *box) {
			b.must(os.Remove(b.path(app("empty"))))
			b.write(app("empty"), "")
		}},
		{name: "where a symlink points", files: "dangling", change: func(b *box) {
			b.must(os.Remove(b.path(app("dangling"))))
			b.symlink("elsewhere", app("dangling"))
		}},
		{name: "a symlink instead of a file", files: "dangling", change: func(b *box) {
			b.must(os.Remove(b.path(app("dangling"))))
			b.write(app("dangling"), "nowhere")
			b.must(os.Chmod(b.path(app("dangling")), 0o777))
		}},
		{name: "where one content ends and the next begins", files: "+bin/rvn bin/run", change: func(b *box) {
			b.write(app("bin/run"), "")
			b.write(app("bin/rvn"), "#!/bin/sh\n")
		}},
		{name: "not times", same: true, change: func(b *box) {
			for _, name := range []string{"package.json", "bin", "."} {
				b.must(os.Chtimes(b.path(app(name)), time.Unix(1, 0), time.Unix(1, 0)))
			}
		}},
		{name: "not the folder itself", same: true, change: func(b *box) { b.must(os.Chmod(b.path(matched), 0o700)) }},
		{name: "not owners", same: true, change: func(b *box) {
			if os.Geteuid() == 0 {
				b.must(os.Chown(b.path(app("package.json")), 1000, 1000))
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newTree(t)
			test.change(b)
			tree, err := DigestTree(b.path(matched))
			if err != nil {
				t.Fatal(err)
			}
			if (tree.Digest == treeDigest) != test.same {
				t.Errorf("got %s", tree.Digest)
			}
			if got := differing(fileDigests, tree.FileDigests); got != test.files {
				t.Errorf("files that differ: %q, want %q", got, test.files)
			}
		})
	}
}

// differing lists the keys of maps that differ: -GONE, +NEW, CHANGED.
func differing(old, new map[string]string) string {
	var list []string
	for name, digest := range old {
		if other, is := new[name]; !is {
			list = append(list, "-"+name)
		} else if other != digest {
			list = append(list, name)
		}
	}
	for name := range new {
		if _, was := old[name]; !was {
			list = append(list, "+"+name)
		}
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

func TestTreesThatHaveNoDigest(t *testing.T) {
	for _, test := range []struct {
		name string
		make func(b *box)
		want string
	}{
		{"an absolute symlink", func(b *box) { b.symlink("/etc/passwd", matched+"/a/link") },
			"a/link is a symlink to /etc/passwd, which is outside of the app"},
		{"an absolute symlink into the app", func(b *box) { b.symlink(b.path(matched+"/package.json"), matched+"/link") },
			"which is outside of the app"},
		{"a symlink that leads up", func(b *box) { b.symlink("../../etc", matched+"/a/link") },
			"a/link is a symlink to ../../etc, which is outside of the app"},
		{"a symlink that leads out through another", func(b *box) {
			b.mkdir(step.MatchDir + "/home")
			b.symlink("..", matched+"/a/up")
			b.symlink("up/../home", matched+"/a/link")
		}, "a/link is a symlink to up/../home, which is outside of the app"},
		{"a fifo", func(b *box) { b.must(syscall.Mkfifo(b.path(matched+"/fifo"), 0o644)) }, "fifo is a fifo"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newTree(t)
			test.make(b)
			b.fail(1, test.want)
		})
	}
	t.Run("a link to the app itself is fine", func(t *testing.T) {
		b := newTree(t)
		b.symlink("..", matched+"/bin/up")
		b.succeed()
	})
}

func TestTheVersionThatAMatchGivesIsTheDigest(t *testing.T) {
	b := newTree(t)
	want := &step.Result{
		Files: 4, FileDigests: fileDigests, Metadata: map[string]any{"version": treeDigest}, Links: []step.Symlink{{Path: "dangling", Text: "nowhere"}},
	}
	if diff := cmp.Diff(want, b.succeed().result); diff != "" {
		t.Error(diff)
	}
	t.Run("also when the app is reached through a symlink", func(t *testing.T) {
		b := newTree(t)
		b.must(os.Rename(b.path(matched), b.path("/elsewhere")))
		b.symlink("../../elsewhere", matched)
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
		b.must(os.Chmod(b.path(matched+"/package.json"), 0))
		b.fail(1, "package.json: permission denied")
	})
}

func TestDigestsDoNotDependOnThePlace(t *testing.T) {
	for range 3 {
		dir := newTree(t).path(matched)
		tree, err := DigestTree(filepath.Clean(dir) + "/")
		if diff := cmp.Diff(Tree{Digest: treeDigest, Files: 4, FileDigests: fileDigests}, tree); diff != "" || err != nil {
			t.Error(diff, err)
		}
	}
}
