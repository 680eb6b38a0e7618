package run

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packfile/frontend/step"
)

func TestAMatchSaysWhichPatternsMatchNoFile(t *testing.T) {
	b := newBox(t, step.Match)
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

func TestAMatchSaysWhichSymlinksLeadOn(t *testing.T) {
	b := newBox(t, step.Match)
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
