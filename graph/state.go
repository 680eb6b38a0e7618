package graph

import (
	"slices"

	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/layerkey"
)

// state is what is known of the layers of a graph under some facts.
type state struct {
	*Graph
	facts  facts
	fates  []fate // by Layer.index
	runs   set    // the run step is part of the build, whether it is cached or not
	mayRun set    // like runs, or not certain yet
}

// fate is what is known of one layer under decisions. More facts change nothing that is known, so With hands it on: each link of
// the layer is looked at about once, however many times facts are added.
type fate struct {
	status    status
	decision  *Decision        // nil while it is not decided
	same      *layerkey.Record // of the previous image, nil unless it has the key of the layer
	described bool             // it is known what its run step left
	ready     bool             // everything is known that goes into its output

	// How many links, from the first on, are known so far to go to layers that are settled, that have keys, that are ready;
	// and how many of Layer.looksInto to layers whose content is certain.
	settledLinks, keyedLinks, readyLinks, certainLinks int

	was, left *shown // what the layer shows: of the previous image, and when it is built; nil before it is asked for

	recipe *recipe
	output *Output
}

// of returns what is known of a layer.
func (d *state) of(l *Layer) *fate { return &d.fates[l.index] }

// note notes which layers are settled, and which are described.
func (d *state) note() {
	for _, l := range d.Layers {
		of := d.of(l)
		of.described = of.described || d.known(l, fact.Built)
		if of.status == open {
			of.status = d.facts.status(l)
		}
	}
}

// complete reports whether everything is decided. Then more facts change nothing.
func (d *state) complete() bool {
	return !slices.ContainsFunc(d.fates, func(of fate) bool { return of.decision == nil })
}

// hasSame reports whether the previous image has a layer with the same key.
func (d *state) hasSame(l *Layer) bool { return d.of(l).same != nil }

// isUndecided reports whether a layer is not decided although its key is the same: that depends on the content of others.
func (d *state) isUndecided(l *Layer) bool { return d.hasSame(l) && d.of(l).decision == nil }

// known reports whether a question about a layer is answered.
func (d *state) known(l *Layer, kind fact.Kind) bool {
	_, ok := d.facts[fact.Question{Layer: l.ID, Kind: kind}]
	return ok
}

// isOtherCopy reports whether a layer, copied out of the previous image, is not what its record there says.
func (d *state) isOtherCopy(l *Layer, old layerkey.Record) bool {
	copied, answered := d.facts[fact.Question{Layer: l.ID, Kind: fact.Copied}]
	return answered && copied.DiffID != old.DiffID
}

// unseen reports whether nobody has looked at a layer that can only be copied out of the previous image. The files in its folder
// may belong to another: to the run image, or to a later build.
func (d *state) unseen(l *Layer) bool {
	return l.Export && d.Previous.IsCopied(l.Dir()) && !d.known(l, fact.Copied) && !d.BuildNothing
}

// unseenTogether reports whether a layer is unseen that is made together with l: when it is rebuilt, so is l.
func (d *state) unseenTogether(l *Layer) bool {
	return slices.ContainsFunc(l.together, func(l *Layer) bool { return d.hasSame(l) && d.unseen(l) })
}

// isKept reports whether a layer is not in the image and has the same key as before: it runs only if another one looks into it.
func (d *state) isKept(l *Layer) bool { return d.hasSame(l) && !l.Export }
