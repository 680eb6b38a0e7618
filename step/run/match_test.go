package run

import (
	"fmt"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packfile/frontend/layer"
	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/step"
)

// newTree makes a tree of a few files.
func newTree(t *testing.T) *box {
	b := newBox(t, step.KindMatch)
	b.write(matched+"/package.json", "{}")
	b.write(matched+"/bin/run", "#!/bin/sh\n")
	b.symlink("../package.json", matched+"/bin/link")
	b.symlink("nowhere", matched+"/dangling")
	return b
}

func TestFilesAreNamedWhenTheyAreFew(t *testing.T) {
	for _, files := range []int{0, step.MaxFileDigests, step.MaxFileDigests + 1} {
		t.Run(fmt.Sprint(files), func(t *testing.T) {
			b := newBox(t, step.KindMatch)
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

func TestTheVersionThatAMatchGivesIsTheDigest(t *testing.T) {
	b := newTree(t)
	tree, err := layer.DigestTree(b.path(matched), step.MaxFileDigests)
	b.must(err)
	want := &step.Result{
		Metadata: metadata.Table{"version": tree.Digest},
		Matched:  step.Matched{Files: 4, FileDigests: tree.FileDigests, Links: []step.Symlink{{Path: "dangling", Text: "nowhere"}}},
	}
	if diff := cmp.Diff(want, b.succeed().result); diff != "" {
		t.Error(diff)
	}
	t.Run("also when the app is reached through a symlink", func(t *testing.T) {
		b := newTree(t)
		b.must(os.Rename(b.path(matched), b.path("/elsewhere")))
		b.symlink("../../elsewhere", matched)
		if diff := cmp.Diff(tree.Digest, b.succeed().result.Metadata["version"]); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("also of no files", func(t *testing.T) {
		out := newBox(t, step.KindMatch).succeed()
		if out.result.Files != 0 || len(out.result.Metadata["version"].(string)) != 64 {
			t.Errorf("got %+v", out.result)
		}
	})
	t.Run("unless there is none", func(t *testing.T) {
		b := newTree(t)
		b.symlink("/etc/passwd", matched+"/a/link")
		b.fail(1, "a/link is a symlink to /etc/passwd, which is outside of the app")
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

func TestAMatchSaysWhichPatternsMatchNoFile(t *testing.T) {
	b := newBox(t, step.KindMatch)
	b.write(matched+"/dir/file", "")
	b.mkdir(matched + "/empty")
	b.symlink("dir", matched+"/link")
	b.spec.Selected = []step.Selection{{Patterns: [][]string{
		{"dir"}, {"empty"}, {"nothing"}, {"*/file"}, {"link/file", "dir/file"}, {"link"}, {"**/*.go", "**/x"}, {"**"},
	}}}
	if diff := cmp.Diff([]int{1, 2, 6}, b.succeed().result.Unmatched); diff != "" {
		t.Error(diff)
	}
}

func TestAMatchDoesNotJudgeExclusions(t *testing.T) {
	b := newBox(t, step.KindMatch)
	b.write(matched+"/dir/file", "")
	b.symlink("dir", matched+"/whole")
	b.symlink("../other", matched+"/dir/away")
	b.spec.Selected = []step.Selection{{
		Patterns: [][]string{{"dir"}, {"!dir/gone"}, {"gone"}, {"!nothing", "!dir/nothing"}, {"whole"}, {"!other"}}, Targets: []string{"other"},
	}}
	want := step.Matched{Files: 3, Unmatched: []int{2}, Links: []step.Symlink{{Path: "dir/away", Text: "../other"}}}
	got := b.succeed().result.Matched
	got.FileDigests = nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAMatchSaysWhichSymlinksLeadOn(t *testing.T) {
	b := newBox(t, step.KindMatch)
	b.write(matched+"/dir/file", "")
	b.write(matched+"/part/file", "")
	for name, text := range map[string]string{
		"to-file": "dir/file", "to-folder": "dir", "to-part": "./part", "to-itself": "to-itself", "to-nothing": "up/../nothing",
		"dir/to-app": "..", "dir/to-nothing": "../a", "way": "part", "beside": "part",
	} {
		b.symlink(text, matched+"/"+name)
	}
	b.spec.Selected = []step.Selection{{Patterns: [][]string{{"to-*"}, {"dir/**"}, {"part/file"}}, Targets: []string{"dir"}, Ways: []string{"way"}}}
	want := []step.Symlink{
		{Path: "dir/to-app", Text: ".."}, {Path: "dir/to-nothing", Text: "../a"},
		{Path: "to-itself", Text: "to-itself"}, {Path: "to-nothing", Text: "up/../nothing"}, {Path: "to-part", Text: "./part"},
	}
	if diff := cmp.Diff(want, b.succeed().result.Links); diff != "" {
		t.Error(diff)
	}
	t.Run("up to a limit", func(t *testing.T) {
		for i := range step.MaxLinks {
			b.symlink("nowhere", fmt.Sprintf("%s/dir/%d", matched, i))
		}
		b.fail(1, "more than 10000 symlinks lead to other files of the app")
	})
}
