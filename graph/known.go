package graph

import (
	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/metadata"
)

// What is known of layers under decisions, for packages that use decisions.

// Fact returns the answer to a question, if it is known.
func (d *Decisions) Fact(q fact.Question) (fact.Answer, bool) {
	a, known := d.facts[q]
	return a, known
}

// Dropped reports whether a layer is not in this build: nobody requires it, or its test said not to create it.
func (d *Decisions) Dropped(l *Layer) bool { return d.of(l).status == dropped }

// Runs reports whether the run step of a layer is part of the build, whether it is cached or not.
func (d *Decisions) Runs(l *Layer) bool { return d.runs[l.index] }

// Metadata returns the metadata of a layer before it is run.
func (d *Decisions) Metadata(l *Layer) metadata.Table { return d.facts.metadata(l, "") }

// Record returns what an image says of a settled layer, without what is known only after the run step. It fails when the layer's
// key cannot be made.
func (d *Decisions) Record(l *Layer) (layerkey.Record, error) {
	r, err := d.recipe(l)
	if err != nil {
		return layerkey.Record{}, err
	}
	return r.record, nil
}
