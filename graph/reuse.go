package graph

import (
	"fmt"
	"slices"

	bk "github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/llb"
)

// Action is what becomes of a layer in a build.
type Action string

const (
	Reused     Action = "reused"      // taken from the previous image, by reference
	Kept       Action = "kept"        // not in the image, and the same as in the previous build: built only if a layer that is built links it
	Made       Action = "built"       // found in the build cache, or else its run step runs
	NotCreated Action = "not created" // its require or test step said so
)

// Decision is what becomes of a layer, and why.
type Decision struct {
	Action  Action
	Changes []layerkey.Change // of its key, when the previous image has the layer with another key
	Reason  string            // when its key did not change
}

// whyRun returns a few words on why the run step of a layer, which is decided so, is part of the build.
func (d *Decisions) whyRun(l *Layer, made *Decision) string {
	switch {
	case made.Action != Kept:
		return made.Why()
	case l == d.TargetLayer:
		return "it is the target"
	}
	if !slices.ContainsFunc(l.lookedInto, func(by use) bool { return d.runs[by.layer.index] }) {
		return "a test with full-env looks into it"
	}
	return "a layer that is built links it"
}

// Why returns the reason in a few words, "" when there is nothing to tell.
func (d *Decision) Why() string {
	if len(d.Changes) > 0 {
		return layerkey.Why(d.Changes)
	}
	return d.Reason
}

// Reused returns a state with all that the build reuses from the previous image, as far as that is decided, and with nothing
// else; nil when the build reuses nothing. Solving it fails if, and only if, the build fails because of the previous image.
func (d *Decisions) Reused() *bk.State {
	s := Steps{d}
	lookedInto := map[*Layer]bool{}
	for _, l := range d.Layers {
		for _, k := range l.links {
			if k.layer != nil && (d.runs[l.index] && l.maker.runsScripts() || l.maker.fullEnv()) {
				lookedInto[k.layer] = true
			}
		}
	}
	var layers []llb.Layer
	add := func(st bk.State) { layers = append(layers, llb.Layer{State: st, Time: d.Previous.Time}) }
	for _, l := range d.Layers {
		made := d.of(l).decision
		switch {
		case d.hasSame(l) && l.Export && d.Previous.IsCopied(l.Dir()):
			add(s.taken(l)) // it is looked at before the decision
		case made == nil || made.Action != Reused:
		case lookedInto[l] || !d.Previous.Time.Equal(d.Time):
			add(llb.Normalize(s.taken(l), container.DefaultTime, bk.WithCustomName(d.Name(l.ID, "content"))))
		default:
			add(s.taken(l))
		}
	}
	if layers == nil {
		return nil
	}
	all := d.Layering.Merge(bk.Scratch(), layers, bk.WithCustomName(d.Name("", "layers of the previous image")))
	return &all
}

// Retimed returns the layers that are reused from the previous image and whose files get another time: these are downloaded and
// copied. Everything must be decided.
func (d *Decisions) Retimed() (names []string) {
	if d.Previous == nil || d.Previous.Time.Equal(d.Time) || d.TargetLayer != nil {
		return nil
	}
	for _, l := range d.Layers {
		if made := d.of(l).decision; made != nil && made.Action == Reused {
			names = append(names, d.Shown(l))
		}
	}
	return names
}

// Decision returns what becomes of a layer. It fails when that depends on an open question.
func (d *Decisions) Decision(l *Layer) (*Decision, error) {
	made := d.of(l).decision
	if made == nil {
		return nil, fmt.Errorf("layer %q is not decided", l.ID)
	}
	return made, nil
}
