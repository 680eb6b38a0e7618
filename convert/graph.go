package convert

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/group"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/packfile"
)

// Graph is a group of modules as layers that link each other. It is a value: what becomes of the layers is for Decisions to say.
type Graph struct {
	*Build
	modules []*module.Module // that take part, in group order
	layers  []*layer         // that they provide, in group order and then in file order; with a target only those that it needs
	target  *layer           // nil for the image
	byID    map[string]*layer
}

// Graph returns what a group comes down to under the answers of its require scripts: it resolves links and, with a target, leaves
// out what that does not need.
func (b *Build) Graph(chosen *group.Group, f fact.Facts) (*Graph, error) {
	for _, m := range chosen.Modules {
		if m.Buildpack != nil {
			return nil, m.Fail(m.Packfile.Config.At("id"), "%s is a buildpack with a bin/build of its own, which cannot be run yet", m.Name())
		}
	}
	for _, m := range chosen.Modules {
		if err := m.CheckAccess(b.in.Root.Filename, m.Packfile.Access()...); err != nil {
			return nil, err
		}
	}
	return b.graph(chosen, f)
}

func (b *Build) graph(chosen *group.Group, f fact.Facts) (*Graph, error) {
	g := &Graph{Build: b, modules: chosen.Modules, byID: map[string]*layer{}}
	caches := map[string]*packfile.Cache{} // by subject
	for _, m := range g.modules {
		for i := range m.Packfile.Caches {
			c := &m.Packfile.Caches[i]
			caches[m.Subject(c.Name)] = c
		}
		for i := range m.Packfile.Layers {
			l := &m.Packfile.Layers[i]
			if l.Require == nil && l.Provide == nil {
				continue
			}
			id := m.Subject(l.Name)
			g.byID[id] = &layer{Layer: l, module: m, id: id, Export: l.Export, Expose: l.Expose, noCache: b.IsNoCache(m, l.Name)}
		}
	}
	g.assign(chosen, f)
	var exposed []*layer // by modules before the one that is looked at
	for _, m := range g.modules {
		var own []*layer
		for i := range m.Packfile.Layers {
			l := g.byID[m.Subject(m.Packfile.Layers[i].Name)]
			if l == nil || l.Provide == nil {
				continue
			}
			l.index = len(g.layers)
			g.layers = append(g.layers, l)
			g.link(l, caches, exposed)
			if l.Expose {
				own = append(own, l)
			}
		}
		slices.SortFunc(own, func(x, y *layer) int { return strings.Compare(x.Name, y.Name) })
		exposed = append(exposed, own...)
	}
	if b.in.Target != "" {
		if err := g.restrict(b.in.Target); err != nil {
			return nil, err
		}
	}
	if err := checkDeclared(g.layers); err != nil {
		return nil, err
	}
	g.markNoCache()
	return g, nil
}

// assign tells the layers of a group who requires them, and those that are only required who makes them.
func (g *Graph) assign(chosen *group.Group, f fact.Facts) {
	for _, e := range chosen.Entries {
		for _, r := range e.Requires {
			by, from := g.layerOf(r.By, e.Name), g.layerOf(r.From, e.Name)
			if by != nil {
				by.madeBy = from
			}
			if from == nil {
				continue
			}
			var table map[string]any
			var export, expose bool
			if by != nil {
				table, export, expose = group.OwnMetadata(by.module, by.Layer, f), by.Layer.Export, by.Layer.Expose
			} else {
				table, export, expose = group.Wanted(r.Metadata)
			}
			from.required = append(from.required, requirement{by: by, metadata: table})
			from.Export = from.Export || export
			from.Expose = from.Expose || expose
		}
	}
	for _, l := range g.byID {
		l.metadata = group.OwnMetadata(l.module, l.Layer, f)
		maps.Copy(l.metadata, l.asked())
	}
}

// asked is what the last of other modules that say something about a layer wants of it. A table is taken as a whole.
func (l *layer) asked() (table map[string]any) {
	for _, r := range l.required {
		if r.by != l && len(r.metadata) > 0 {
			table = r.metadata
		}
	}
	return table
}

// layerOf is the layer of a module that a name of the build plan stands for; nil when the module is a buildpack, whose names
// may be any, such as what is a layer of another module with that module's id.
func (g *Graph) layerOf(m *module.Module, name string) *layer {
	if m.Buildpack != nil {
		return nil
	}
	return g.byID[m.Subject(name)]
}

// link resolves the links of a layer. What earlier modules expose is linked as well, where scripts can see it.
func (g *Graph) link(l *layer, caches map[string]*packfile.Cache, exposed []*layer) {
	named := map[*layer]bool{}
	for i := range l.Provide.Links {
		k := link{Link: &l.Provide.Links[i]}
		subject := l.module.Subject(k.Name)
		k.cache = caches[subject]
		if to := g.byID[subject]; to != nil && to.Provide == nil {
			k.layer = to.madeBy // by another module, nil when it was not required this time
		} else {
			k.layer = to
		}
		named[k.layer] = true
		l.links = append(l.links, k)
	}
	if !l.seesEnvironment() {
		return
	}
	for _, other := range exposed {
		if !named[other] {
			l.links = append(l.links, link{Link: &packfile.Link{}, layer: other, exposed: true})
		}
	}
}

// restrict leaves only the target and the layers below it.
func (g *Graph) restrict(target string) error {
	l, err := g.findTarget(target)
	if err != nil {
		return err
	}
	g.target = l
	needed := map[*layer]bool{}
	var need func(*layer)
	need = func(l *layer) {
		if needed[l] {
			return
		}
		needed[l] = true
		for _, k := range l.links {
			if k.layer != nil {
				need(k.layer)
			}
		}
		if l.Provide.LockApp {
			for _, other := range g.layers {
				if other.Provide.LockApp && other.index < l.index {
					need(other)
				}
			}
		}
	}
	need(l)
	g.layers = slices.DeleteFunc(g.layers, func(l *layer) bool { return !needed[l] })
	return nil
}

// findTarget is the layer that a target names: by its own name, or by MODULE/NAME when several modules have that.
func (g *Graph) findTarget(name string) (*layer, error) {
	var found, all []string
	var last *layer
	for _, l := range g.layers {
		if l.path() == name {
			return l, nil
		}
		all = append(all, g.shown(l))
		if l.Name == name {
			found = append(found, l.path())
			last = l
		}
	}
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("target %q is not a layer that this packfile provides; there are: %s", name, strings.Join(all, ", "))
	case 1:
		return last, nil
	}
	return nil, fmt.Errorf("target %q is a layer of several modules: name one of %s", name, strings.Join(found, ", "))
}

// shown is what a layer is called where it is clear which build is meant.
func (g *Graph) shown(l *layer) string {
	if len(g.modules) > 1 {
		return l.path()
	}
	return l.Name
}
