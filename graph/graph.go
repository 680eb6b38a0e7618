// Package graph turns a group of modules into layers that link each other, and decides under facts what becomes of each: which
// layers are built, with which keys and by which steps, and which are reused from the image of an earlier build. It is for the
// frontend and for package image. It does not say what image the layers make, and it makes no calls.
package graph

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/group"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/previous"
)

// Input is what a graph is made of, besides its modules and the inputs of steps.
type Input struct {
	Time   time.Time // of every file in the image
	Now    time.Time // for refresh
	Target string    // build only this layer, NAME or MODULE/NAME; "" for the image

	Layering     llb.Layering
	Previous     *previous.Image // image whose layers are reused; nil for none
	BuildNothing bool            // ask no question that needs a run step
}

// Graph is a group of modules as layers that link each other. It is a value; Decisions say what becomes of the layers.
type Graph struct {
	*container.Builder
	Input
	Modules     []*module.Module // taking part, in group order
	Layers      []*Layer         // layers that the modules provide, in group order and then in file order; with a target only those that it needs
	TargetLayer *Layer           // nil for the image
	LockApp     []*Layer         // layers of Layers that change the app
	chosen      *group.Group
	makers      makers
	byID        map[string]*Layer
	together    [][]*Layer // layers of Layers of each maker that makes several
}

// New returns the graph of a group under the answers of its require scripts. It resolves links and, with a target, leaves out
// what the target does not need. It fails for a buildpack with a bin/build, for a module that is not given what it needs, for packages
// in two versions, for symbolic links that need one place, for a target that does not exist, and when packfiles declare too much.
func New(b *container.Builder, in Input, chosen *group.Group, f fact.Facts) (*Graph, error) {
	for _, m := range chosen.Modules {
		if m.Buildpack != nil {
			return nil, m.Fail(m.Packfile.Config.At("id"), "%s is a buildpack with a bin/build of its own, which cannot be run yet", m.Name())
		}
	}
	for _, m := range chosen.Modules {
		if err := m.CheckAccess(b.Root.Filename, m.Packfile.Access()...); err != nil {
			return nil, err
		}
	}
	packages, err := b.Unite(container.BuildPackages, WithRoot(chosen.Modules, b.Root), in.Now)
	if err != nil {
		return nil, err
	}
	return newGraph(b.With(packages), in, chosen, packfileMakers, f)
}

// WithRoot returns the modules that take part, in group order, and as the last one the packfile being built.
func WithRoot(modules []*module.Module, root *module.Module) []*module.Module {
	others := slices.DeleteFunc(slices.Clone(modules), func(m *module.Module) bool { return m == root })
	return append(others, root)
}

// newGraph makes the graph of a group whose modules are given what they need.
func newGraph(b *container.Builder, in Input, chosen *group.Group, makers makers, f fact.Facts) (*Graph, error) {
	g := &Graph{Builder: hiding(b, chosen.Modules), Input: in, Modules: chosen.Modules, chosen: chosen, makers: makers, byID: map[string]*Layer{}}
	caches := map[string]*packfile.Cache{} // by subject
	for _, m := range g.Modules {
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
			made := &Layer{Layer: l, Module: m, ID: id, Export: l.Export, Expose: l.Expose, noCache: b.IsNoCache(m, l.Name)}
			made.maker = packfileLayer{made}
			g.byID[id] = made
		}
	}
	g.assign(chosen, f)
	var exposed []*Layer // by modules before the current one
	for _, m := range g.Modules {
		var own []*Layer
		for _, maker := range makers(g, m) {
			for _, l := range maker.layers(facts(f)) {
				g.byID[l.ID] = l
				g.Layers = append(g.Layers, l)
				g.link(l, caches, exposed)
				if l.Expose {
					own = append(own, l)
				}
			}
		}
		slices.SortFunc(own, func(x, y *Layer) int { return strings.Compare(x.Name, y.Name) })
		exposed = append(exposed, own...)
	}
	if err := g.checkSymlinks(); err != nil {
		return nil, err
	}
	if in.Target != "" {
		if err := g.restrict(in.Target); err != nil {
			return nil, err
		}
	}
	if err := checkDeclared(g.Layers); err != nil {
		return nil, err
	}
	g.arrange()
	g.markNoCache()
	return g, nil
}

// arrange notes what follows from the layers of the graph, their links and their makers. It takes time by the number of links.
func (g *Graph) arrange() {
	makes := map[maker][]*Layer{}
	g.LockApp, g.together = nil, nil
	for i, l := range g.Layers {
		l.index, l.looksInto, l.lookedInto = i, nil, nil
	}
	for _, l := range g.Layers {
		makes[l.maker] = append(makes[l.maker], l)
		if l.Provide.LockApp {
			g.LockApp = append(g.LockApp, l)
		}
		if !l.maker.runsScripts() {
			continue
		}
		for _, k := range l.links {
			if k.layer != nil {
				l.looksInto = append(l.looksInto, k)
				k.layer.lookedInto = append(k.layer.lookedInto, use{l, k})
			}
		}
	}
	for _, l := range g.Layers {
		l.together = makes[l.maker]
		if len(l.together) > 1 && l == l.together[0] {
			g.together = append(g.together, l.together)
		}
	}
}

// assign tells each layer of a group who requires it, and each layer that is only required who makes it.
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
			var table metadata.Table
			var export, expose bool
			if by != nil {
				table, export, expose = group.OwnMetadata(by.Module, by.Layer, f), by.Layer.Export, by.Layer.Expose
			} else {
				table, export, expose = group.Wanted(r.Metadata)
			}
			from.required = append(from.required, requirement{by: by, metadata: table})
			from.Export = from.Export || export
			from.Expose = from.Expose || expose
		}
	}
	for _, l := range g.byID {
		l.metadata = group.OwnMetadata(l.Module, l.Layer, f).Merged(l.asked())
	}
}

// asked returns the table that other modules require of a layer. When several modules require it, the last one with metadata
// wins: tables are not merged.
func (l *Layer) asked() (table metadata.Table) {
	for _, r := range l.required {
		if r.by != l && len(r.metadata) > 0 {
			table = r.metadata
		}
	}
	return table
}

// layerOf returns the layer of a module that a name of the build plan stands for. It returns nil when the module has none of that
// name: a buildpack may use any name, even one that another module with its id has for a layer.
func (g *Graph) layerOf(m *module.Module, name string) *Layer {
	if l := g.byID[m.Subject(name)]; l != nil && l.Module == m {
		return l
	}
	return nil
}

// link resolves the links of a layer. It also links what earlier modules expose, where scripts can see it.
func (g *Graph) link(l *Layer, caches map[string]*packfile.Cache, exposed []*Layer) {
	named := map[*Layer]bool{}
	for i := range l.Provide.Links {
		k := link{Link: &l.Provide.Links[i]}
		subject := l.Module.Subject(k.Name)
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

// restrict removes all layers but the target and those that it needs. It fails for a target that does not exist.
func (g *Graph) restrict(target string) error {
	l, err := g.findTarget(target)
	if err != nil {
		return err
	}
	g.TargetLayer = l
	needed := map[*Layer]bool{}
	var need func(*Layer)
	need = func(l *Layer) {
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
			for _, other := range g.Layers[:slices.Index(g.Layers, l)] {
				if other.Provide.LockApp {
					need(other)
				}
			}
		}
	}
	need(l)
	g.Layers = slices.DeleteFunc(g.Layers, func(l *Layer) bool { return !needed[l] })
	return nil
}

// findTarget returns the layer that a target names: by its own name, or by MODULE/NAME. It fails when several modules have a
// layer of that name.
func (g *Graph) findTarget(name string) (*Layer, error) {
	var found, all []string
	var last *Layer
	for _, l := range g.Layers {
		if l.Path() == name {
			return l, nil
		}
		all = append(all, g.Shown(l))
		if l.Name == name {
			found = append(found, l.Path())
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

// Shown returns the name of a layer where it is clear which build is meant.
func (g *Graph) Shown(l *Layer) string {
	if len(g.Modules) > 1 {
		return l.Path()
	}
	return l.Name
}
