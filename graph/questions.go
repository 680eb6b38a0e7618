package graph

import (
	"slices"

	"github.com/packfile/frontend/fact"
)

// ready reports whether everything is decided that goes into the output of a layer.
func (d *Decisions) ready(l *Layer) bool {
	is, known := d.readiness[l]
	if known {
		return is
	}
	is = d.decided[l] != nil && (!d.runs[l] || d.linksReady(l))
	if l.Provide.LockApp {
		for _, other := range d.LockApp() {
			is = is && (other.index >= l.index || d.ready(other))
		}
	}
	d.readiness[l] = is
	return is
}

// linksReady reports whether all layers that a layer links are ready.
func (d *Decisions) linksReady(l *Layer) bool {
	return !slices.ContainsFunc(l.links, func(k link) bool { return k.layer != nil && !d.ready(k.layer) })
}

// Questions returns the questions that can be asked now: they are not answered yet, and everything that they need is known. It
// returns none when everything is decided.
func (d *Decisions) Questions() (qs []fact.Question) {
	add := func(q fact.Question) {
		if _, answered := d.facts[q]; !answered && !slices.Contains(qs, q) {
			qs = append(qs, q)
		}
	}
	var waiting *link // of the first layer that waits for something and asks nothing
	for _, l := range d.Layers {
		switch {
		case d.facts.status(l) == open:
			if q := d.openQuestion(l); q != nil {
				add(*q)
			}
		case d.decided[l] != nil || !d.hasSame(l) || d.BuildNothing:
		default:
			if d.unseen(l) {
				add(fact.Question{Layer: l.ID, Kind: fact.Copied})
			}
			for _, k := range l.looksInto() {
				switch {
				case d.facts.status(k.layer) == dropped || d.content(k.layer) != nil:
				case d.runs[k.layer] && d.ready(k.layer):
					add(fact.Question{Layer: k.layer.ID, Kind: fact.Built})
				case waiting == nil:
					waiting = &k
				}
			}
		}
	}
	if len(qs) == 0 && waiting != nil {
		// Layers wait for each other: whether a kept layer runs depends on a layer that waits for the kept layer's content. So it
		// is built.
		add(fact.Question{Layer: waiting.layer.ID, Kind: fact.Built})
	}
	return qs
}

// openQuestion returns the next question to ask before a layer is settled. It returns nil when the layer has to wait.
func (d *Decisions) openQuestion(l *Layer) *fact.Question {
	for _, kind := range l.maker.questions() {
		q := fact.Question{Layer: l.maker.id(), Kind: kind}
		if _, ok := d.facts[q]; ok {
			continue // the next question needs its answer
		}
		if kind == fact.Tested && l.testScript() != nil {
			if !d.facts.linksSettled(l) || l.maker.fullEnv() && (!d.linksReady(l) || d.BuildNothing && d.needsBuilding(l)) {
				return nil
			}
		}
		return &q
	}
	return nil
}

// needsBuilding reports whether a layer that l links would have to be built before l can see it.
func (d *Decisions) needsBuilding(l *Layer) bool {
	return slices.ContainsFunc(l.links, func(k link) bool {
		return k.layer != nil && d.decided[k.layer].Action != Reused && d.decided[k.layer].Action != NotCreated
	})
}
