package module

import (
	"iter"
	"slices"
	"strings"

	"github.com/packfile/frontend/cnb/buildpack"
	"github.com/packfile/frontend/cnb/order"
	"github.com/packfile/frontend/node"
)

// Found are the modules of a build, and the groups of them that are tried.
type Found struct {
	All   []*Module // the packfile being built, and then the others by id and version
	order order.Order
	of    map[*order.Module]*Module
}

// Member is a module in a group.
type Member struct {
	*Module
	Optional bool
}

func newFound(l *loader) Found {
	f := Found{All: l.modules, order: l.root.node.Order, of: map[*order.Module]*Module{}}
	if len(f.order) == 0 {
		f.order = order.Order{{{Module: l.root.component}}}
	}
	for _, m := range l.modules {
		if m.component != nil {
			f.of[m.component] = m
		}
	}
	return f
}

// TakingPart returns the modules that may take part themselves, and not only name others.
func (f Found) TakingPart() []*Module {
	return slices.DeleteFunc(slices.Clone(f.All), func(m *Module) bool { return !m.Own })
}

// Groups returns the groups in the order in which they are tried. There may be more than anybody has time for.
func (f Found) Groups() iter.Seq[[]Member] {
	return func(yield func([]Member) bool) {
		for group := range f.order.Groups() {
			members := make([]Member, len(group))
			for i, e := range group {
				members[i] = Member{f.of[e.Module], e.Optional}
			}
			if !yield(members) {
				return
			}
		}
	}
}

// link turns the orders of a module into the modules that they name. Without an order, all modules that it names are one group,
// in file order. The module itself comes last in each group, unless the order says where.
func (l *loader) link(m *Module) error {
	groups := make(order.Order, 0, len(m.orders))
	var failed []node.Diagnostic
	for _, o := range m.orders {
		var group order.Group
		for i := range o.Group {
			e := &o.Group[i]
			named, err := l.find(m, e)
			if err != nil {
				key := "id"
				if e.Version != "" && strings.Contains(err.Error(), e.Version) {
					key = "version"
				}
				failed = append(failed, node.Diagnostic{Message: err.Error(), Range: e.At(key)})
				continue
			}
			group = append(group, order.Entry{Module: named, Optional: e.Optional})
		}
		groups = append(groups, group)
	}
	if len(failed) > 0 {
		return &node.Error{Filename: m.Filename, Diagnostics: failed}
	}
	if len(m.orders) == 0 && len(m.named) > 0 {
		var group order.Group
		for _, named := range m.named {
			group = append(group, order.Entry{Module: named.node})
		}
		groups = append(groups, group)
	}
	if m.node == m.component {
		return nil
	}
	for i, group := range groups {
		itself := func(e order.Entry) bool { return e.Module == m.component }
		if m.component != nil && !slices.ContainsFunc(group, itself) {
			groups[i] = append(group, order.Entry{Module: m.component})
		}
	}
	m.node.Order = groups
	return nil
}

// find returns the module that an entry of a module's order names.
func (l *loader) find(m *Module, e *buildpack.Entry) (*order.Module, error) {
	if m.component != nil && e.ID == m.ID() && (e.Version == "" || e.Version == m.Packfile.Config.Version) {
		return m.component, nil
	}
	return l.catalog.Find(e.ID, e.Version)
}

// check fails when the order of a module cannot be walked.
func (l *loader) check(m *Module) error {
	err := m.node.Order.Check()
	if err == nil {
		return nil
	}
	if cycle := m.node.Order.Cycle(); cycle != nil {
		for _, other := range l.modules {
			if other.node == cycle[0] {
				m = other
			}
		}
	}
	if len(m.orders) > 0 {
		return m.Fail(m.orders[0].Range(), "%v", err)
	}
	return m.Fail(m.buildpacks[0].Range(), "%v", err)
}
