package graph

import (
	"slices"

	"github.com/packfile/frontend/fact"
)

// ready says whether everything is decided that the output of a layer is made of.
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

// linksReady says whether all layers that a layer links are ready.
func (d *Decisions) linksReady(l *Layer) bool {
	return !slices.ContainsFunc(l.links, func(k link) bool { return k.layer != nil && !d.ready(k.layer) })
}

// Questions returns those that can be asked now: they are not answered yet, and what they need is known. There is none when
// everything is decided.
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
		// Layers wait for each other: whether a kept layer runs depends on one that waits for what it holds. It is built.
		add(fact.Question{Layer: waiting.layer.ID, Kind: fact.Built})
	}
	return qs
}

// openQuestion is the next one to ask before a layer is settled, nil when it has to wait.
func (d *Decisions) openQuestion(l *Layer) *fact.Question {
	for _, kind := range l.maker.questions() {
		q := fact.Question{Layer: l.maker.id(), Kind: kind}
		if _, ok := d.facts[q]; ok {
			continue // the next one sees what this one says
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

// needsBuilding says whether something that l links would have to be built for l to see it.
func (d *Decisions) needsBuilding(l *Layer) bool {
	return slices.ContainsFunc(l.links, func(k link) bool {
		return k.layer != nil && d.decided[k.layer].Action != Reused && d.decided[k.layer].Action != NotCreated
	})
}
