package convert

import (
	"fmt"
	"slices"
	"strings"

	bk "github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/packfile"
)

// Build is the conversion of the packfiles of one build for one platform: first Try finds out which modules take part, then
// Choose settles on them, and all the rest is about their layers. It is used by one goroutine.
type Build struct {
	in      Input
	byID    map[string]*layer          // of all modules that may take part
	caches  map[string]*packfile.Cache // the same, by subject
	modules []*module.Module           // that take part, in group order
	layers  []*layer                   // that they provide, in group order and then in file order; with a target only those that it needs
	target  *layer                     // nil for the image

	app       bk.State // the whole app at step.AppDir, as steps see it
	tmp       bk.State // /tmp of every step, whether or not the build image has one that an ordinary user may write to
	empty     map[string]bk.State
	recipes   map[*layer]*recipe
	final     *fates // when everything is decided
	outputs   map[*layer]*output
	apps      map[*layer]bk.State // the app as each lock-app layer left it
	byContent []string            // see SeenByContent
	asked     map[Question]answer
	chosen    map[Question]*Selection
	plans     map[Question]detected
	below     *Inquiry     // what is left to be found out about the layers of packfiles
	sbom      []imageLayer // of the last image that was asked for
}

// New begins a build. The packfiles must be valid (packfile.Parse).
func New(in Input) *Build {
	b := &Build{
		in:      in,
		byID:    map[string]*layer{},
		caches:  map[string]*packfile.Cache{},
		tmp:     bk.Scratch().File(bk.Mkdir("/tmp", 0o1777), bk.WithCustomName("[internal] new /tmp")),
		empty:   map[string]bk.State{},
		recipes: map[*layer]*recipe{},
		outputs: map[*layer]*output{},
		apps:    map[*layer]bk.State{},
		asked:   map[Question]answer{},
		chosen:  map[Question]*Selection{},
		plans:   map[Question]detected{},
	}
	if in.NoCache == nil {
		b.in.NoCache = func(string) bool { return false }
	}
	for _, m := range in.Modules {
		for i := range m.Packfile.Caches {
			c := &m.Packfile.Caches[i]
			b.caches[m.Subject(c.Name)] = c
		}
		for i := range m.Packfile.Layers {
			l := &m.Packfile.Layers[i]
			if l.Require == nil && l.Provide == nil {
				continue
			}
			id := m.Subject(l.Name)
			b.byID[id] = &layer{
				Layer: l, module: m, id: id, Export: l.Export, Expose: l.Expose, noCache: b.noCache(m, l.Name),
			}
		}
	}
	b.app = llb.CopyTree(in.App.Tree, b.appCopy(nil), bk.WithCustomName(b.name("", "app")))
	return b
}

// Choose settles on a group: it resolves links and, with a target, leaves out what that does not need.
func (b *Build) Choose(g *Group, f Facts) error {
	for _, m := range g.Modules {
		if m.Buildpack != nil {
			return m.Fail(m.Packfile.Config.At("id"), "%s is a buildpack with a bin/build of its own, which cannot be run yet", m.Name())
		}
	}
	for _, m := range g.Modules {
		if err := m.CheckAccess(b.in.Root.Filename, m.Packfile.Access()...); err != nil {
			return err
		}
	}
	b.modules = g.Modules
	g.assign(b, f)
	var exposed []*layer // by modules before the one that is looked at
	for _, m := range b.modules {
		var own []*layer
		for i := range m.Packfile.Layers {
			l := b.byID[m.Subject(m.Packfile.Layers[i].Name)]
			if l == nil || l.Provide == nil {
				continue
			}
			l.index = len(b.layers)
			b.layers = append(b.layers, l)
			b.link(l, exposed)
			if l.Expose {
				own = append(own, l)
			}
		}
		slices.SortFunc(own, func(x, y *layer) int { return strings.Compare(x.Name, y.Name) })
		exposed = append(exposed, own...)
	}
	if b.in.Target != "" {
		if err := b.restrict(b.in.Target); err != nil {
			return err
		}
	}
	if err := checkDeclared(b.layers); err != nil {
		return err
	}
	b.markNoCache()
	return nil
}

// link resolves the links of a layer. What earlier modules expose is linked as well, where scripts can see it.
func (b *Build) link(l *layer, exposed []*layer) {
	named := map[*layer]bool{}
	for i := range l.Provide.Links {
		k := link{Link: &l.Provide.Links[i]}
		subject := l.module.Subject(k.Name)
		k.cache = b.caches[subject]
		if to := b.byID[subject]; to != nil && to.Provide == nil {
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
func (b *Build) restrict(target string) error {
	l, err := b.findTarget(target)
	if err != nil {
		return err
	}
	b.target = l
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
			for _, other := range b.layers {
				if other.Provide.LockApp && other.index < l.index {
					need(other)
				}
			}
		}
	}
	need(l)
	b.layers = slices.DeleteFunc(b.layers, func(l *layer) bool { return !needed[l] })
	return nil
}

// findTarget is the layer that a target names: by its own name, or by MODULE/NAME when several modules have that.
func (b *Build) findTarget(name string) (*layer, error) {
	var found, all []string
	var last *layer
	for _, l := range b.layers {
		if l.path() == name {
			return l, nil
		}
		all = append(all, b.shown(l))
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
func (b *Build) shown(l *layer) string {
	if len(b.modules) > 1 {
		return l.path()
	}
	return l.Name
}

// noCache says whether the user wants a layer made again: by its own name, or by MODULE/NAME.
func (b *Build) noCache(m *module.Module, layer string) bool {
	return b.in.NoCache(layer) || b.in.NoCache(m.LayerPath(layer))
}
