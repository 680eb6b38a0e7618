package graph

import (
	"slices"
	"strings"

	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/layerkey"
)

// Decisions are what becomes of the layers of a graph under some facts. They follow from the facts alone: the questions asked,
// and their order, do not count. A decision stays as it is when facts are added (With). One goroutine uses them.
//
// A kept layer runs when a step that runs looks into it. Such steps belong to layers that come after it, and what becomes of
// those may depend on the content of the kept layer. So only certain things count: a layer is reused from the previous image when
// no layer that it looks into may run, or when those that run are described and did not change.
type Decisions struct{ state }

// Decide returns what becomes of all layers under some facts. It takes time by the number of links. It fails when a key cannot be
// made.
func (g *Graph) Decide(f fact.Facts) (*Decisions, error) {
	d := &Decisions{state{Graph: g, facts: facts(f), fates: make([]fate, len(g.Layers))}}
	return d, d.decide()
}

// With returns what Decide would return under these facts and some more. It computes nothing twice: what it takes for the layers
// that the facts are about goes by the number of their links, and the rest by the number of layers. Facts that say which layers a
// maker makes have a graph of their own, about which everything is decided anew.
func (d *Decisions) With(more fact.Facts) (*Decisions, error) {
	next := *d
	next.facts = facts(fact.Facts(d.facts).With(more))
	if slices.ContainsFunc(d.Layers, func(l *Layer) bool { return l.standsIn && next.facts.status(l) != open }) {
		return next.again()
	}
	next.fates = slices.Clone(d.fates)
	if d.complete() {
		next.note()
		return &next, nil
	}
	return &next, next.decide()
}

// again returns what becomes of the layers of the graph that the facts make, with all layers that are known by now.
func (d *Decisions) again() (*Decisions, error) {
	f := fact.Facts(d.facts)
	g, err := newGraph(d.Builder, d.Input, d.chosen, d.makers, f)
	if err != nil {
		return nil, err
	}
	return g.Decide(f)
}

// decide finds out what becomes of layers that are not decided. It fails when a key cannot be made.
func (d *Decisions) decide() error {
	d.note()
	for _, l := range d.Layers {
		if err := d.decideByKey(l); err != nil {
			return err
		}
	}
	d.decideTogether()
	var err error
	if d.mayRun, err = d.findMayRun(); err != nil {
		return err
	}
	for more := true; more; {
		d.runs = d.findRuns()
		more = false
		for _, l := range d.Layers {
			if !d.isUndecided(l) {
				continue
			}
			made, err := d.decideByContent(l)
			if err != nil {
				return err
			}
			if made != nil {
				d.of(l).decision, more = made, true
				d.decideTogether()
			}
		}
	}
	return nil
}

// decideTogether makes all layers of a maker built when one of them is.
func (d *Decisions) decideTogether() {
	isMade := func(l *Layer) bool { made := d.of(l).decision; return made != nil && made.Action == Made }
	for _, together := range d.together {
		i := slices.IndexFunc(together, isMade)
		if i < 0 {
			continue
		}
		for _, l := range together {
			if d.hasSame(l) && !isMade(l) {
				d.of(l).decision = &Decision{Action: Made, Reason: "it is made together with " + d.Shown(together[i])}
			}
		}
	}
}

// decideByKey decides about a layer when that needs no content of other layers, and finds the layer's record with the same key.
func (d *Decisions) decideByKey(l *Layer) error {
	of := d.of(l)
	switch {
	case of.decision != nil:
	case of.status == dropped:
		of.decision = &Decision{Action: NotCreated}
	case of.status == open:
	case of.same != nil:
		if d.isOtherCopy(l, *of.same) {
			of.decision = otherCopy
		}
	case d.Previous == nil:
		of.decision = &Decision{Action: Made}
	case d.keyed(l):
		r, err := d.recipe(l)
		if err != nil {
			return err
		}
		old, known := d.Previous.Record(r.record.Parts.Layer)
		if of.decision = d.compare(l, r.record, old, known); of.decision == nil {
			of.same = &old
		}
	}
	return nil
}

// otherCopy is the decision about a layer that the previous image does not hold as its label says.
var otherCopy = &Decision{Action: Made, Reason: "the previous image does not hold it as its label says"}

// compare compares the record of a layer with that of the previous image. It returns nil when the keys are the same and the layer
// can be reused.
func (d *Decisions) compare(l *Layer, r, old layerkey.Record, known bool) *Decision {
	made := func(reason string) *Decision { return &Decision{Action: Made, Reason: reason} }
	switch {
	case !known:
		return made("the previous image does not have it")
	case old.Key != r.Key && old.Key != "":
		return &Decision{Action: Made, Changes: layerkey.Changes(old, r)}
	case l.Provide.LockApp:
		return made("it changes the app")
	case r.Parts.Version == "":
		return made("it has no version")
	case l.noCache:
		return made("no cache is wanted")
	case !d.Build.Exact:
		return made(d.Build.Inexact())
	case old.Key == "":
		return made("the previous image was built with a build image that has no digest")
	case l.Export && old.DiffID == "":
		return made("the previous image has no layer that could be taken over for it")
	case d.isOtherCopy(l, old):
		return otherCopy
	}
	if unsaid := d.unsaid(l, old); unsaid != nil {
		return made("the previous image does not say what it was built with: " + strings.Join(unsaid, ", "))
	}
	return nil
}

// keyed reports whether everything is known that goes into the key of a settled layer.
func (d *Decisions) keyed(l *Layer) bool {
	return forward(l.links, &d.of(l).keyedLinks, func(k link) bool {
		if k.layer == nil {
			return true
		}
		status := d.of(k.layer).status
		return status == dropped || status == settled && (!k.LinkContent || d.keyed(k.layer))
	})
}

// forward counts links for which something holds, from where the count stands to the first for which it does not. It reports
// whether it holds for all.
func forward(links []link, count *int, holds func(link) bool) bool {
	for ; *count < len(links); *count++ {
		if !holds(links[*count]) {
			return false
		}
	}
	return true
}

// unsaid returns the links of a layer whose content cannot be what a record says, or which the record leaves out. The records of
// an image fit together: each layer saw the others as they are in the image.
func (d *Decisions) unsaid(l *Layer, old layerkey.Record) (names []string) {
	for _, k := range l.looksInto {
		said, ok := old.Links[k.layer.Dir()]
		created := d.of(k.layer).status != dropped
		if ok != created {
			names = append(names, k.shown())
			continue
		}
		if other := d.was(k.layer); created && other != nil {
			if content, err := other.through(k); err != nil || content != said {
				names = append(names, k.shown())
			}
		}
	}
	return names
}

// decideByContent decides about a layer with the same key, once it is certain what it sees of others. Until then it returns nil.
func (d *Decisions) decideByContent(l *Layer) (*Decision, error) {
	of := d.of(l)
	if d.unseenTogether(l) || !forward(l.looksInto, &of.certainLinks, func(k link) bool { return d.isCertain(k.layer) }) {
		return nil, nil
	}
	links, _, err := d.linkContents(l, d.content) // as the record has them
	if err != nil {
		return nil, err
	}
	var changed []string
	for _, k := range l.looksInto {
		if dir := k.layer.Dir(); links[dir] != of.same.Links[dir] {
			changed = append(changed, k.shown())
		}
	}
	switch {
	case changed != nil:
		return &Decision{Action: Made, Reason: "the content of a layer that it links changed: " + strings.Join(changed, ", ")}, nil
	case l.Export:
		return &Decision{Action: Reused}, nil
	}
	return &Decision{Action: Kept}, nil
}
