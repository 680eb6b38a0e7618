package convert

import (
	"slices"
	"strings"

	"github.com/packfile/frontend/layerkey"
)

// fates are what becomes of the layers of a build under some facts. They follow from the facts alone: what was asked for, and
// in which order, does not count. What is decided stays decided as facts are added.
//
// A kept layer runs when a step that runs looks into it. Such steps belong to layers that come after it, and what becomes of
// those may depend on what the kept layer comes out as. So fates goes by what is certain: a layer is taken from the previous
// image when no layer that it looks into may run, or when those that run are described and came out as they were.
type fates struct {
	build   *Build
	facts   Facts
	decided map[*layer]*Decision
	same    map[*layer]layerkey.Record // records of the previous image that have the key of the layer
	runs    map[*layer]bool            // the run step is part of the build, cached or not
	mayRun  map[*layer]bool            // as runs, or not certain yet

	readiness map[*layer]bool // what ready has found out
}

// fates returns what becomes of all layers. It fails when a key cannot be made.
func (b *Build) fates(f Facts) (*fates, error) {
	if b.final != nil {
		s := *b.final
		s.facts = f
		return &s, nil
	}
	s := &fates{
		build: b, facts: f, decided: map[*layer]*Decision{}, same: map[*layer]layerkey.Record{}, readiness: map[*layer]bool{},
	}
	for _, l := range b.layers {
		if err := s.decideByKey(l); err != nil {
			return nil, err
		}
	}
	var err error
	s.mayRun, err = s.spread(func(l *layer) bool { return s.decided[l] == nil && !s.hasSame(l) }, s.mayChange)
	for more := true; more && err == nil; {
		s.runs, err = s.spread(s.isDescribed, nil)
		more = false
		for _, l := range b.layers {
			if s.decided[l] != nil || !s.hasSame(l) || err != nil {
				continue
			}
			s.decided[l], err = s.decideByContent(l)
			more = more || s.decided[l] != nil
		}
	}
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(b.layers, func(l *layer) bool { return s.decided[l] == nil }) {
		b.final = s // more facts change nothing
	}
	return s, nil
}

func (s *fates) hasSame(l *layer) bool { _, ok := s.same[l]; return ok }

// isDescribed says whether it is known what the run step of a layer left.
func (s *fates) isDescribed(l *layer) bool { _, ok := s.facts[Question{l.id, Built}]; return ok }

// decideByKey decides what needs no content of other layers, and finds the record of a layer that has the same key.
func (s *fates) decideByKey(l *layer) error {
	b := s.build
	made := func(reason string) error {
		s.decided[l] = &Decision{Action: Made, Reason: reason}
		return nil
	}
	switch s.facts.status(l) {
	case dropped:
		s.decided[l] = &Decision{Action: NotCreated}
		return nil
	case open:
		return nil
	case settled:
	}
	if b.in.Previous == nil {
		return made("")
	}
	if !s.facts.keyed(l) {
		return nil
	}
	r, err := b.recipe(l, s.facts)
	if err != nil {
		return err
	}
	old, known := b.in.Previous.records[r.record.Parts.Layer]
	switch {
	case !known:
		return made("the previous image does not have it")
	case old.Key != r.record.Key && old.Key != "":
		s.decided[l] = &Decision{Action: Made, Changes: layerkey.Changes(old, r.record)}
		return nil
	case l.Provide.LockApp:
		return made("it changes the app")
	case r.record.Parts.Version == "":
		return made("it has no version")
	case l.noCache:
		return made("no cache is wanted")
	case !b.in.Build.Exact || old.Key == "":
		return made("the build image has no digest")
	case l.Export && old.DiffID == "":
		return made("the previous image has no layer that could be taken over for it")
	}
	if copied, answered := s.facts[Question{l.id, Copied}]; answered && copied.DiffID != old.DiffID {
		return made("the previous image does not hold it as its label says")
	}
	if unsaid := s.unsaid(l, old); unsaid != nil {
		return made("the previous image does not say what it was built with: " + strings.Join(unsaid, ", "))
	}
	s.same[l] = old
	return nil
}

// keyed says whether everything is known that the key of a settled layer is made of.
func (f Facts) keyed(l *layer) bool {
	return !slices.ContainsFunc(l.links, func(k link) bool {
		if k.layer == nil {
			return false
		}
		status := f.status(k.layer)
		return status == open || status == settled && k.LinkContent && !f.keyed(k.layer)
	})
}

// unsaid are the links of a layer whose content cannot have been what a record says, or of which it says nothing. The records
// of an image fit together: each layer saw the others as they are in the image.
func (s *fates) unsaid(l *layer, old layerkey.Record) (names []string) {
	for _, k := range l.looksInto() {
		said, ok := old.Links[k.layer.dir()]
		created := s.facts.status(k.layer) != dropped
		if ok != created {
			names = append(names, k.shown())
			continue
		}
		if other, known := s.build.in.Previous.records[k.layer.dir()]; created && known {
			if content, err := linkContent(k, contentOf(other)); err != nil || content != said {
				names = append(names, k.shown())
			}
		}
	}
	return names
}

// spread returns the layers whose run steps are part of the build if those that starts names are: these, layers that are
// decided so, the target, and kept layers that one of them looks into; and those that more adds to a set.
func (s *fates) spread(starts func(*layer) bool, more func(map[*layer]bool, *layer) (bool, error)) (map[*layer]bool, error) {
	set := map[*layer]bool{}
	kept := func(l *layer) bool { return s.hasSame(l) && !l.Export }
	lookInto := func(l *layer) (grown bool) {
		for _, k := range l.links {
			if k.layer != nil && kept(k.layer) && !set[k.layer] {
				set[k.layer], grown = true, true
			}
		}
		return grown
	}
	for _, l := range s.build.layers {
		d := s.decided[l]
		set[l] = starts(l) || d != nil && d.Action == Made || kept(l) && l == s.build.target
		if len(l.required) > 0 && l.fullEnv() {
			lookInto(l) // its test runs whatever becomes of it
		}
	}
	for grown := true; grown; {
		grown = false
		for _, l := range slices.Backward(s.build.layers) {
			if set[l] && l.runsScripts() && lookInto(l) {
				grown = true
			}
		}
		if more == nil {
			break // links go to layers before, so that was all
		}
		for _, l := range s.build.layers {
			if set[l] || !s.hasSame(l) {
				continue
			}
			add, err := more(set, l)
			if err != nil {
				return nil, err
			}
			if add {
				set[l], grown = true, true
			}
		}
	}
	return set, nil
}

// unseen says whether a layer that can only be copied out of the previous image has not been looked at. What the image has in
// its folder may be another's, too: of the run image, or of a build that came after.
func (s *fates) unseen(l *layer) bool {
	_, seen := s.facts[Question{l.id, Copied}]
	return l.Export && s.build.in.Previous.copied[l.dir()] && !seen && !s.build.in.BuildNothing
}

// mayChange says whether a layer that has the same key may have to be built for the sake of one that it looks into, if those
// of a set may run, or because its copy is another.
func (s *fates) mayChange(mayRun map[*layer]bool, l *layer) (bool, error) {
	if s.unseen(l) {
		return true, nil
	}
	for _, k := range l.looksInto() {
		if !mayRun[k.layer] {
			continue
		}
		if !s.isDescribed(k.layer) {
			return true, nil
		}
		content, err := linkContent(k, s.built(k.layer))
		if err != nil || content != s.same[l].Links[k.layer.dir()] {
			return true, err
		}
	}
	return false, nil
}

// decideByContent decides about a layer that has the same key, when it is certain what it sees of others; else it returns nil.
func (s *fates) decideByContent(l *layer) (*Decision, error) {
	links, unknown, err := s.linkContents(l)
	if unknown != nil || err != nil || s.unseen(l) {
		return nil, err
	}
	var changed []string
	for _, k := range l.looksInto() {
		if dir := k.layer.dir(); links[dir] != s.same[l].Links[dir] {
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

// linkContents is what the run step of a layer sees of others, by LAYER: their content, and their metadata if it asks for it.
// Unknown is a layer of which that is not certain yet, nil when there is none.
func (s *fates) linkContents(l *layer) (contents map[string]string, unknown *layer, err error) {
	for _, k := range l.looksInto() {
		if s.facts.status(k.layer) == dropped {
			continue
		}
		seen := s.content(k.layer)
		if seen == nil {
			return nil, k.layer, nil
		}
		content, err := linkContent(k, *seen)
		if err != nil {
			return nil, nil, err
		}
		contents = put(contents, k.layer.dir(), content)
	}
	return contents, nil, nil
}

// content is what a layer holds, nil while that is not certain.
func (s *fates) content(l *layer) *description {
	old, same := s.same[l]
	switch {
	case s.runs[l]:
		if !s.isDescribed(l) {
			return nil
		}
		seen := s.built(l)
		return &seen
	case s.mayRun[l] || !same:
		return nil
	}
	seen := contentOf(old)
	return &seen
}

// built is what the run step of a layer left, when that is described.
func (s *fates) built(l *layer) description {
	r := s.facts[Question{l.id, Built}]
	return description{metadata: r.Metadata, content: r.DiffID, diffID: r.DiffID}
}

// ready says whether everything is decided that the output of a layer is made of.
func (s *fates) ready(l *layer) bool {
	is, known := s.readiness[l]
	if known {
		return is
	}
	is = s.decided[l] != nil && (!s.runs[l] || s.linksReady(l))
	if l.Provide.LockApp {
		for _, other := range s.build.lockApp() {
			is = is && (other.index >= l.index || s.ready(other))
		}
	}
	s.readiness[l] = is
	return is
}

// linksReady says whether all layers that a layer links are ready.
func (s *fates) linksReady(l *layer) bool {
	return !slices.ContainsFunc(l.links, func(k link) bool { return k.layer != nil && !s.ready(k.layer) })
}

// questions are those that can be asked now, without those that are answered.
func (s *fates) questions() (qs []Question) {
	add := func(q Question) {
		if _, answered := s.facts[q]; !answered && !slices.Contains(qs, q) {
			qs = append(qs, q)
		}
	}
	var waiting *link // of the first layer that waits for something and asks nothing
	for _, l := range s.build.layers {
		switch {
		case s.facts.status(l) == open:
			if q := s.openQuestion(l); q != nil {
				add(*q)
			}
		case s.decided[l] != nil || !s.hasSame(l) || s.build.in.BuildNothing:
		default:
			if s.unseen(l) {
				add(Question{l.id, Copied})
			}
			for _, k := range l.looksInto() {
				switch {
				case s.facts.status(k.layer) == dropped || s.content(k.layer) != nil:
				case s.runs[k.layer] && s.ready(k.layer):
					add(Question{k.layer.id, Built})
				case waiting == nil:
					waiting = &k
				}
			}
		}
	}
	if len(qs) == 0 && waiting != nil {
		// Layers wait for each other: whether a kept layer runs depends on one that waits for what it holds. It is built.
		add(Question{waiting.layer.id, Built})
	}
	return qs
}

// openQuestion is the next one to ask before a layer is settled, nil when it has to wait.
func (s *fates) openQuestion(l *layer) *Question {
	for _, kind := range l.questions() {
		q := Question{l.id, kind}
		if _, ok := s.facts[q]; ok {
			continue // the next one sees what this one says
		}
		if kind == Tested && l.testScript() != nil {
			if !s.facts.linksSettled(l) || l.fullEnv() && (!s.linksReady(l) || s.build.in.BuildNothing && s.needsBuilding(l)) {
				return nil
			}
		}
		return &q
	}
	return nil
}

// needsBuilding says whether something that l links would have to be built for l to see it.
func (s *fates) needsBuilding(l *layer) bool {
	return slices.ContainsFunc(l.links, func(k link) bool {
		return k.layer != nil && s.decided[k.layer].Action != Reused && s.decided[k.layer].Action != NotCreated
	})
}
