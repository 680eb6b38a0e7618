package graph

// Which run steps are part of a build.

// set is a set of layers, by Layer.index.
type set []bool

// spread finds the layers whose run steps are part of the build if those of some layers are.
type spread struct {
	*state
	set   set
	added []*Layer // and not gone on from yet
	left  int      // how many layers may still come in from others
}

// newSpread returns a spread from layers that are decided so, from the target, from the layers that a test with full-env looks
// into, and from those that also names. A layer may come in from others if mayCome says so.
func (d *state) newSpread(also, mayCome func(*Layer) bool) *spread {
	s := &spread{state: d, set: make(set, len(d.fates))}
	for _, l := range d.Layers {
		if mayCome(l) {
			s.left++
		}
	}
	for _, l := range d.Layers {
		made := d.of(l).decision
		if made != nil && made.Action == Made || d.isKept(l) && l == d.TargetLayer || also(l) {
			s.add(l, mayCome(l))
		}
		if len(l.required) > 0 && l.maker.fullEnv() { // its test runs, whatever becomes of the layer
			s.lookInto(l.links)
		}
	}
	return s
}

// add adds a layer. counted says whether it is among those that may come in from others.
func (s *spread) add(l *Layer, counted bool) {
	if s.set[l.index] {
		return
	}
	s.set[l.index] = true
	s.added = append(s.added, l)
	if counted {
		s.left--
	}
}

// lookInto adds the kept layers that some links go to.
func (s *spread) lookInto(links []link) {
	for _, k := range links {
		if s.left == 0 {
			return
		}
		if k.layer != nil && s.isKept(k.layer) {
			s.add(k.layer, true)
		}
	}
}

// next returns an added layer to go on from, nil when there is none or nothing is left to add.
func (s *spread) next() *Layer {
	if len(s.added) == 0 || s.left == 0 {
		return nil
	}
	l := s.added[len(s.added)-1]
	s.added = s.added[:len(s.added)-1]
	return l
}

// findRuns returns the layers whose run steps are certainly part of the build: described ones, and what others look into.
func (d *state) findRuns() set {
	s := d.newSpread(func(l *Layer) bool { return d.of(l).described }, d.isKept)
	for l := s.next(); l != nil; l = s.next() {
		s.lookInto(l.looksInto)
	}
	return s.set
}

// findMayRun returns the layers whose run steps may be part of the build. That is so for layers about whose key nothing is known,
// for those that one of the set may change, and for copies of which nobody knows whether they are what they should be.
func (d *state) findMayRun() (set, error) {
	s := d.newSpread(func(l *Layer) bool {
		return d.of(l).decision == nil && (!d.hasSame(l) || d.unseenTogether(l))
	}, func(l *Layer) bool { return d.isKept(l) || d.isUndecided(l) })
	for l := s.next(); l != nil; l = s.next() {
		s.lookInto(l.looksInto)
		for _, user := range l.lookedInto {
			if s.set[user.layer.index] || !d.isUndecided(user.layer) {
				continue
			}
			changes, err := d.mayChange(user.layer, user.link)
			if err != nil {
				return nil, err
			}
			if changes {
				s.add(user.layer, true)
			}
		}
	}
	return s.set, nil
}

// mayChange reports whether a layer with the same key may have to be built because of a layer that it links, and that may run.
func (d *state) mayChange(l *Layer, k link) (bool, error) {
	if !d.of(k.layer).described {
		return true, nil
	}
	content, err := d.left(k.layer).through(k)
	return content != d.of(l).same.Links[k.layer.Dir()], err
}
