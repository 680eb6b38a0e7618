package layer

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
)

// matched is where newTree makes its tree.
const matched = "/match/0"

// newTree makes a tree with one of everything that a digest covers.
func newTree(t *testing.T) *box {
	b := newBox(t)
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
	for _, files := range []int{0, 10, 11} {
		t.Run(fmt.Sprint(files), func(t *testing.T) {
			b := newBox(t)
			b.mkdir(matched)
			for i := range files {
				b.write(fmt.Sprintf("%s/%d/file", matched, i), "x") // folders are not counted
			}
			tree, err := DigestTree(b.path(matched), 10)
			b.must(err)
			want := files
			if files > 10 {
				want = 0
			}
			if tree.Files != files || len(tree.FileDigests) != want {
				t.Errorf("%d files, %d digests", tree.Files, len(tree.FileDigests))
			}
		})
	}
}

func TestTheDigestOfATreeStaysTheSame(t *testing.T) {
	b := newTree(t)
	tree, err := DigestTree(b.path(matched), 100)
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
			tree, err := DigestTree(b.path(matched), 100)
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
			b.mkdir("/match/home")
			b.symlink("..", matched+"/a/up")
			b.symlink("up/../home", matched+"/a/link")
		}, "a/link is a symlink to up/../home, which is outside of the app"},
		{"a fifo", func(b *box) { b.must(syscall.Mkfifo(b.path(matched+"/fifo"), 0o644)) }, "fifo is a fifo"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newTree(t)
			test.make(b)
			if _, err := DigestTree(b.path(matched), 100); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
	t.Run("a link to the app itself is fine", func(t *testing.T) {
		b := newTree(t)
		b.symlink("..", matched+"/bin/up")
		if _, err := DigestTree(b.path(matched), 100); err != nil {
			t.Error(err)
		}
	})
}

func TestDigestsDoNotDependOnThePlace(t *testing.T) {
	for range 3 {
		dir := newTree(t).path(matched)
		tree, err := DigestTree(filepath.Clean(dir)+"/", 100)
		if diff := cmp.Diff(Tree{Digest: treeDigest, Files: 4, FileDigests: fileDigests}, tree); diff != "" || err != nil {
			t.Error(diff, err)
		}
	}
}
