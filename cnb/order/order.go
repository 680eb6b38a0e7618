// Package order has orders, the groups that an order expands to, and the catalog of modules. Package plan decides whether
// a group passes.
//
// Sources: buildpack specification, "Order Resolution"; where it is silent, the lifecycle's detector; for modules that
// are in a group twice, the first draft of the Contractual Build Plan (April 2019).
package order

import (
	"iter"
	"slices"
)

// Module is an element of a group: a component, or a composite, for which the groups of its order stand.
type Module struct {
	ID      string
	Version string // "" when it has none
	Order   Order  // empty: a component
}

// String returns the module as messages name it.
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

// Groups returns the groups of components that an order expands to, from the first to the last. It makes one at a time,
// since a short order can have more groups than fit into memory. The consumer may keep and change a group.
//
// The walk is that of the lifecycle's detector: a composite's groups are tried one after another, each followed by the
// rest of the group around it, so that the left-most order varies slowest; when the composite is optional, the group
// without it follows. When an id comes twice, the first entry stays, whatever the versions, and becomes required if any
// of them is. Otherwise an optional component stays optional: the build plan decides whether it takes part.
//
// Equal groups may come again; empty groups are left out. Call Check before: with a cycle the walk does not end.
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

// pending is a list of entries that are still to come into the group. The lists are linked, not copied, so a walk needs
// memory in proportion to the group's length.
type pending struct {
	entries Group
	then    *pending
}

// order walks the groups of an order, each followed by the rest. It returns false when the consumer stops.
func (w *walker) order(o Order, rest pending) bool {
	for _, group := range o {
		if !w.walk(pending{group, &rest}) {
			return false
		}
	}
	return true
}

// walk adds the pending entries, yields the groups, and restores the group. It returns false when the consumer stops.
func (w *walker) walk(next pending) bool {
	length := len(w.group)
	var required []int // entries that are optional again after this walk
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
