package graph

import (
	"slices"

	"github.com/packfile/frontend/fact"
)

// isReady reports whether everything is decided that goes into the output of a layer.
func (d *Decisions) isReady(l *Layer) bool {
	of := d.of(l)
	if of.ready || of.decision == nil {
		return of.ready
	}
	of.ready = !d.runs[l.index] || d.linksReady(l)
	if l.Provide.LockApp {
		for _, other := range d.LockApp {
			of.ready = of.ready && (other.index >= l.index || d.isReady(other))
		}
	}
	return of.ready
}

// linksReady reports whether all layers that a layer links are ready.
func (d *Decisions) linksReady(l *Layer) bool {
	return forward(l.links, &d.of(l).readyLinks, func(k link) bool { return k.layer == nil || d.isReady(k.layer) })
}

// linksSettled reports whether the versions and metadata of all layers that l links are known. A test sees those of layers that
// its packfile names.
func (d *Decisions) linksSettled(l *Layer) bool {
	return forward(l.links, &d.of(l).settledLinks, func(k link) bool {
		return k.layer == nil || k.exposed || d.of(k.layer).status != open
	})
}

// Questions returns the questions that can be asked now: they are not answered yet, and everything that they need is known. It
// returns none when everything is decided.
func (d *Decisions) Questions() (qs []fact.Question) {
	asked := map[fact.Question]bool{}
	add := func(q fact.Question) {
		if _, answered := d.facts[q]; !answered && !asked[q] {
			asked[q] = true
			qs = append(qs, q)
		}
	}
	var waiting []*Layer // for the content of others
	if !d.BuildNothing {
		waiting = slices.DeleteFunc(slices.Clone(d.Layers), func(l *Layer) bool { return !d.isUndecided(l) })
	}
	for _, l := range d.Layers {
		switch {
		case d.of(l).status == open:
			if q := d.openQuestion(l); q != nil {
				add(*q)
			}
		case d.isUndecided(l) && d.unseen(l):
			add(fact.Question{Layer: l.ID, Kind: fact.Copied})
		case len(waiting) > 0 && d.runs[l.index] && d.isAwaited(l) && d.isReady(l):
			add(fact.Question{Layer: l.ID, Kind: fact.Built})
		}
	}
	if len(qs) > 0 {
		return qs
	}
	for _, l := range waiting {
		i := slices.IndexFunc(l.looksInto, func(k link) bool { return !d.isCertain(k.layer) })
		if i >= 0 {
			// Layers wait for each other: whether a kept layer runs depends on a layer that waits for the kept layer's content. So
			// it is built.
			add(fact.Question{Layer: l.looksInto[i].layer.ID, Kind: fact.Built})
			break
		}
	}
	return qs
}

// isAwaited reports whether a layer that is not decided looks into l.
func (d *Decisions) isAwaited(l *Layer) bool {
	return slices.ContainsFunc(l.lookedInto, func(by use) bool { return d.isUndecided(by.layer) })
}

// openQuestion returns the next question to ask before a layer is settled. It returns nil when the layer has to wait.
func (d *Decisions) openQuestion(l *Layer) *fact.Question {
	for _, kind := range l.maker.questions(d.facts) {
		q := fact.Question{Layer: l.maker.id(), Kind: kind}
		if _, ok := d.facts[q]; ok {
			continue // the next question needs its answer
		}
		if kind == fact.Tested && l.testScript() != nil {
			if !d.linksSettled(l) || l.maker.fullEnv() && (!d.linksReady(l) || d.BuildNothing && d.needsBuilding(l)) {
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
		if k.layer == nil {
			return false
		}
		action := d.of(k.layer).decision.Action
		return action != Reused && action != NotCreated
	})
}
