// Package order is about which modules are tried together: orders, the groups that they come down to, and the catalog in
// which modules are found. Whether a group passes is package plan.
//
// Sources: buildpack specification, "Order Resolution"; where it is silent, the lifecycle's detector; for modules that are
// in a group twice, the first draft of the Contractual Build Plan (April 2019).
package order

import (
	"iter"
	"slices"
)

// Module is what groups are made of: a component, or a composite, which is replaced by the groups of its order.
type Module struct {
	ID      string
	Version string // "" when it has none
	Order   Order  // empty: a component
}

// String is the module as messages name it.
func (m *Module) String() string {
	if m.Version == "" {
		return m.ID
	}
	return m.ID + "@" + m.Version
}

// Entry is a place in a group.
type Entry struct {
	Module   *Module // never nil
	Optional bool
}

// Group is a list of modules that are tried together.
type Group []Entry

// Order is a list of groups that are tried one after another.
type Order []Group

// Groups walks the groups of components that an order comes down to, from the first to the last. It makes one at a time:
// there may be more of them than anybody can count. A group that the consumer got is its own.
//
// The walk is that of the lifecycle's detector: a composite's groups are tried one after another, each followed by the
// rest of the group around it, so that the left-most order varies slowest; when the composite is optional, the group
// without it follows. An entry whose id is in the group already is passed over, whatever its version, and the first
// becomes required if any of them is. Other than that an optional component stays what it is: whether it takes part is
// for the build plan to say.
//
// Equal groups may come again, groups of nobody are left out. Check says whether an order can be walked at all: with a
// cycle the walk does not end.
func (o Order) Groups() iter.Seq[Group] {
	return func(yield func(Group) bool) {
		w := walker{at: map[string]int{}, yield: yield}
		w.order(o, pending{})
	}
}

// walker is a walk through an order, at one place of it.
type walker struct {
	group Group          // components up to here
	at    map[string]int // where in the group an id is
	yield func(Group) bool
}

// pending is what is still to come into the group: some entries, and then others. Linking them instead of copying keeps
// what a walk needs as small as the group is long.
type pending struct {
	entries Group
	then    *pending
}

// order tries the groups of an order, each followed by the rest. It returns false when the consumer has had enough.
func (w *walker) order(o Order, rest pending) bool {
	for _, group := range o {
		if !w.walk(pending{group, &rest}) {
			return false
		}
	}
	return true
}

// walk adds what is to come, and leaves the group as it found it.
func (w *walker) walk(next pending) bool {
	length := len(w.group)
	var required []int // entries that are optional again without what comes here
	defer func() {
		for _, i := range required {
			w.group[i].Optional = true
		}
		for _, entry := range w.group[length:] {
			delete(w.at, entry.Module.ID)
		}
		w.group = w.group[:length]
	}()
	for {
		for len(next.entries) == 0 {
			if next.then == nil {
				return len(w.group) == 0 || w.yield(slices.Clone(w.group))
			}
			next = *next.then
		}
		entry := next.entries[0]
		next.entries = next.entries[1:]
		i, there := w.at[entry.Module.ID]
		switch {
		case there && w.group[i].Optional && !entry.Optional:
			w.group[i].Optional = false
			required = append(required, i)
		case there:
		case len(entry.Module.Order) > 0:
			return w.order(entry.Module.Order, next) && (!entry.Optional || w.walk(next))
		default:
			w.at[entry.Module.ID] = len(w.group)
			w.group = append(w.group, entry)
		}
	}
}
