package plan

// trial evaluates one choice of alternatives; its parts are the chosen alternatives, one for each member.
//
// The lifecycle checks the whole group again each time that it left a member out. Here each dependency remembers how far
// its providers and requirers are checked. Leaving members out only makes more faults, so these marks move in one
// direction, and a trial takes time in proportion to its plans.
type trial struct {
	parts []*option // in group order
	deps  []dep     // by number of the name
	fault []bool    // by part
	out   []bool    // by part: at fault and optional, and so left out
	used  []int     // by part: number of its provides that some part requires
	queue []int     // parts that were left out, and whose dependencies are not updated yet
}

// dep is a dependency. Parts are in group order; a part that provides or requires it twice is there twice.
type dep struct {
	providers []provider
	requirers []int

	left    int // providers before this one are left out
	unmet   int // requirers before this one have no provider
	right   int // requirers from this one on are left out
	useless int // providers from this one on have no requirer
}

type provider struct {
	part       int
	ifRequired bool
}

// providedTo reports whether some part that is not left out, up to this one, provides the dependency.
func (d *dep) providedTo(part int) bool {
	return d.left < len(d.providers) && d.providers[d.left].part <= part
}

// requiredFrom reports whether some part that is not left out, from this one on, requires the dependency.
func (d *dep) requiredFrom(part int) bool {
	return d.right > 0 && d.requirers[d.right-1] >= part
}

// begin resets the trial for another choice.
func (t *trial) begin() {
	for _, part := range t.parts {
		for _, names := range [][]int{part.provides, part.requires} {
			for _, n := range names {
				d := &t.deps[n]
				*d = dep{providers: d.providers[:0], requirers: d.requirers[:0]}
			}
		}
	}
	t.parts, t.fault, t.out, t.used = t.parts[:0], t.fault[:0], t.out[:0], t.used[:0]
}

// add adds an alternative of the next member.
func (t *trial) add(o *option) {
	i := len(t.parts)
	t.parts = append(t.parts, o)
	t.fault = append(t.fault, false)
	t.out = append(t.out, false)
	t.used = append(t.used, len(o.provides))
	for j, n := range o.provides {
		d := &t.deps[n]
		d.providers = append(d.providers, provider{i, o.plan.Provides[j].IfRequired})
		d.useless++
	}
	for _, n := range o.requires {
		d := &t.deps[n]
		d.requirers = append(d.requirers, i)
		d.right++
	}
}

// balance leaves out optional members at fault until nothing changes. It reports whether no other member is at fault, and
// at least one is left. Required members at fault stay in, so that it finds all faults.
func (t *trial) balance() bool {
	for i, part := range t.parts {
		t.settle(part)
		if part.needed && len(part.provides) == 0 && len(part.requires) == 0 {
			t.blame(i)
		}
	}
	for len(t.queue) > 0 {
		last := len(t.queue) - 1
		part := t.parts[t.queue[last]]
		t.queue = t.queue[:last]
		t.settle(part)
	}
	left := false
	for i := range t.parts {
		if t.fault[i] && !t.out[i] {
			return false
		}
		left = left || !t.out[i]
	}
	return left
}

// blame marks a part as at fault.
func (t *trial) blame(part int) {
	if t.fault[part] {
		return
	}
	t.fault[part] = true
	if t.parts[part].optional {
		t.out[part] = true
		t.queue = append(t.queue, part)
	}
}

// settle updates the dependencies of a part.
func (t *trial) settle(part *option) {
	for _, n := range part.provides {
		t.settleDep(&t.deps[n])
	}
	for _, n := range part.requires {
		t.settleDep(&t.deps[n])
	}
}

func (t *trial) settleDep(d *dep) {
	for d.left < len(d.providers) && t.out[d.providers[d.left].part] {
		d.left++
	}
	for d.right > 0 && t.out[d.requirers[d.right-1]] {
		d.right--
	}
	for d.unmet < len(d.requirers) && !d.providedTo(d.requirers[d.unmet]) {
		t.blame(d.requirers[d.unmet])
		d.unmet++
	}
	for d.useless > 0 && !d.requiredFrom(d.providers[d.useless-1].part) {
		d.useless--
		p := d.providers[d.useless]
		t.used[p.part]--
		part := t.parts[p.part]
		if !p.ifRequired || t.used[p.part] == 0 && part.needed && len(part.requires) == 0 {
			t.blame(p.part)
		}
	}
}
