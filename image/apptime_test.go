package image_test

import (
	"testing"
	"time"

	"github.com/packfile/frontend/graph"
	"github.com/packfile/frontend/step"
)

// timedWorld returns a world with a layer, one that links it, and an app.
func timedWorld() *world {
	return &world{
		app: map[string]string{"a": "1", "b": "2"}, args: "1", image: "build-1", weather: "sun", epoch: time.Unix(step.DefaultTime, 0), pinned: true,
		modules: []*module{{layers: []*layer{
			{name: "tool", section: "build", export: true, version: "1", run: &script{Salt: 1, Reads: "a"}},
			{name: "deps", section: "build", export: true, version: "1", run: &script{Salt: 2, Reads: "b"}, links: []*link{{name: "tool", pathAs: "TOOL"}}},
		}}},
	}
}

// built builds the world, with a previous image if there is one.
func (w *world) built(t *testing.T, from *built) *built {
	t.Helper()
	in := w.input(t, nil)
	if from != nil {
		in = w.input(t, from.previous(t, false))
	}
	img, err := w.build(t, from, in, allAtOnce)
	if err != nil {
		t.Fatal(err)
	}
	if lies := img.untrue(t); lies != nil {
		t.Fatal(lies)
	}
	return img
}

func wantReused(t *testing.T, img *built, want graph.Action, layers ...string) {
	t.Helper()
	for _, l := range layers {
		if got := img.actions[l]; got != want {
			t.Errorf("%s is %s, want %s", l, got, want)
		}
	}
}

func TestAnImageFromOneWithAnotherDefaultTimeIsAsFromNothing(t *testing.T) {
	w := timedWorld()
	w.epoch = time.Unix(olderTime, 0)
	old := w.built(t, nil).withOlderTime(t)
	for _, r := range old.label(t).Layers {
		if r.Content != r.DiffID {
			t.Errorf("%s has content %s and diff id %s: no older frontend made the image", r.Name, r.Content, r.DiffID)
		}
	}
	w.epoch = time.Unix(step.DefaultTime, 0)
	fresh, got := w.built(t, nil), w.built(t, old)
	wantReused(t, got, graph.Reused, "tool", "deps")
	if d := differences(fresh, got); d != nil {
		t.Error(d)
	}
	again := w.built(t, got)
	wantReused(t, again, graph.Reused, "tool", "deps")
	if d := differences(fresh, again); d != nil {
		t.Error("and again:", d)
	}
}

func TestALayerThatLinksOneOfAnotherDefaultTimeIsBuiltWithTheOtherOnce(t *testing.T) {
	w := timedWorld()
	w.epoch = time.Unix(olderTime, 0)
	old := w.built(t, nil).withOlderTime(t)
	w.epoch = time.Unix(step.DefaultTime, 0)
	tool := w.modules[0].layers[0]
	tool.restore = true // another key, and the same content
	got := w.built(t, old)
	wantReused(t, got, graph.Made, "tool", "deps")
	tool.restore = false
	got = w.built(t, got)
	wantReused(t, got, graph.Made, "tool")
	wantReused(t, got, graph.Reused, "deps")
}

func TestTheTimeOfTheAppsFilesChangesNoOtherLayer(t *testing.T) {
	w := timedWorld()
	w.modules[0].layers = append(w.modules[0].layers, &layer{name: "lock", section: "build", lockApp: true, run: &script{Reads: "a"}})
	before := w.built(t, nil)
	w.appTime = time.Unix(1100000000, 0)
	after := w.built(t, before)
	wantReused(t, after, graph.Reused, "tool", "deps")
	if d := differences(w.built(t, nil), after); d != nil {
		t.Error("not as from nothing:", d)
	}
	of := func(img *built) map[string]bool {
		all := map[string]bool{}
		for _, l := range img.layers {
			all[l.digest(true)] = true
		}
		return all
	}
	was, changed := of(before), 0
	for id := range of(after) {
		if !was[id] {
			changed++
		}
	}
	if changed != 1 {
		t.Errorf("%d layers have another digest, want that of the app", changed)
	}
}
