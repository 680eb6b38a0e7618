package image

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/solver/pb"

	"github.com/packfile/frontend/layerkey"
)

// flat makes the daemon one that cannot merge.
func flat(in *testInput) { in.Layering.Flat = true }

// merges reports whether the image, or what is reused for it, needs a merge or a diff.
func merges(t *testing.T, b testGraph) bool {
	t.Helper()
	f := describeAll(b, answers(b), nil)
	ops := marshal(t, b, f)
	if reused := b.decided(t, f).Reused(); reused != nil {
		def, err := reused.Marshal(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ops = append(ops, def.Def...)
	}
	return slices.ContainsFunc(ops, func(data []byte) bool {
		var op pb.Op
		if err := op.Unmarshal(data); err != nil {
			t.Fatal(err)
		}
		return op.GetMerge() != nil || op.GetDiff() != nil
	})
}

func TestNothingIsMergedWhereThatCannotBeDone(t *testing.T) {
	previous := from(t, imageOf(t, chain))
	otherTime := func(in *testInput) { in.Time = in.Time.AddDate(1, 0, 0) }
	for name, changes := range map[string][]func(*testInput){
		"an image":                       {exact},
		"from a previous one":            {previous},
		"from a previous one, in a year": {previous, otherTime},
	} {
		t.Run(name, func(t *testing.T) {
			if !merges(t, newBuild(t, chain, changes...)) {
				t.Error("nothing is merged where it can be: what does this test?")
			}
			if merges(t, newBuild(t, chain, append(changes, flat)...)) {
				t.Error("something is merged")
			}
		})
	}
}

func TestLabelOfACopyPromisesNoDigests(t *testing.T) {
	cfg := imageOf(t, chain, flat)
	var label layerkey.Label
	if err := json.Unmarshal([]byte(cfg.Config.Labels[layerkey.LabelName]), &label); err != nil {
		t.Fatal(err)
	}
	for _, r := range label.Layers {
		if r.DiffID != "" || r.Content == "" {
			t.Errorf("%s has diff id %q and content %q", r.Name, r.DiffID, r.Content)
		}
	}
	got := actions(t, newBuild(t, chain, from(t, cfg)), nil)
	if want := "tools built, modules built, assets kept ?modules"; got != want {
		t.Errorf("the next build: got %s, want %s", got, want)
	}
	// A layer that is reused from a merged image is a copy as well.
	again := imageOf(t, chain, from(t, imageOf(t, chain)), flat)
	if text := again.Config.Labels[layerkey.LabelName]; strings.Contains(text, "diffID") {
		t.Errorf("the label of a build that takes layers over is %s", text)
	}
}
