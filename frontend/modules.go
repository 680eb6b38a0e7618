package frontend

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	bk "github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/cnb/buildpack"
	"github.com/packfile/frontend/cnb/order"
	"github.com/packfile/frontend/guard"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/text"
	"github.com/packfile/frontend/tree"
)

// modules are the packfiles of a build, and the groups of them that are tried.
type modules struct {
	order order.Order
	units []*unit
	of    map[*order.Module]*unit
}

// unit is one module that was found: a packfile, or a buildpack.toml that is about an order of others.
type unit struct {
	*module.Module
	orders     []buildpack.Order
	buildpacks []packfile.Buildpack // that it names
	own        bool                 // it has layers, processes or the like: it can take part itself
	folder     tree.Folder          // that it stands in
	origin     string               // where it comes from, for people
	data       []byte               // the file that describes it
	warnings   []packfile.Diagnostic
	budget     *budget // what it takes counts for it; nil: for none
	tree       string  // of a buildpack: where its files come from; see treeID

	component *order.Module // that takes part itself
	node      *order.Module // what its id names: its order, or the component when it has none
	named     []*unit       // what buildpacks name, one each
	brought   [][]*unit     // the same with what else is in the package of each
}

// maxModules is how many modules a build may find. It ends packages that name each other under ever new versions.
const maxModules = 1000

// loader finds the modules of a build: those that the packfile names, and those that they name in turn.
type loader struct {
	*build
	root *unit

	budget  budget
	lists   sync.Map // of folders that were listed, by listID
	mu      sync.Mutex
	catalog order.Catalog
	found   map[string]*unit // by id and version
	units   []*unit
}

// loadModules finds all modules. A packfile that names none is the only one.
func (b *build) loadModules(ctx context.Context) error {
	root := &unit{
		Module: b.root, orders: b.pf.Order, buildpacks: b.pf.Buildpacks, origin: b.root.Filename, data: b.source.Data,
		own: b.pf.HasOwn() || len(b.pf.Buildpacks)+len(b.pf.Order) == 0,
	}
	l := &loader{build: b, root: root, found: map[string]*unit{}}
	if err := l.register(root); err != nil {
		return err
	}
	if len(root.buildpacks)+len(root.orders) > 0 {
		if err := l.loadRoot(ctx); err != nil {
			return err
		}
	}
	l.grant()
	l.warnUnusedGrants(ctx)
	// They were found at the same time: in which order must not show.
	slices.SortFunc(l.units[1:], func(a, b *unit) int { return strings.Compare(a.Name(), b.Name()) })
	versions := map[string]int{}
	for _, u := range l.units {
		versions[u.ID()]++
	}
	for _, u := range l.units {
		u.Versions = versions[u.ID()] > 1
	}
	for _, u := range l.units[1:] {
		if err := l.catalog.Add(u.node); err != nil {
			return err
		}
	}
	for _, u := range l.units {
		if err := l.link(u); err != nil {
			return err
		}
	}
	if err := l.check(root); err != nil {
		return err
	}
	b.modules = modules{order: root.node.Order, units: l.units, of: map[*order.Module]*unit{}}
	if len(root.node.Order) == 0 {
		b.modules.order = order.Order{{{Module: root.component}}}
	}
	for _, u := range l.units {
		if u.component != nil {
			b.modules.of[u.component] = u
		}
	}
	return nil
}

// loadRoot finds what the packfile that is built names. Its own files and those of modules below it are sent at once.
func (l *loader) loadRoot(ctx context.Context) error {
	paths := ownPaths(l.root.Packfile)
	for _, bp := range l.root.buildpacks {
		if kind, at := bp.Source(); kind == packfile.FileSource {
			paths = append(paths, at)
		}
	}
	eg, egCtx := guard.NewGroup(ctx)
	if l.opts.requestID == "" && !l.rebasing() {
		eg.Go(func() error { return l.startApp(egCtx, ctx) })
	}
	eg.Go(func() (err error) {
		if l.root.folder, err = l.rootFolder(egCtx, paths); err != nil {
			return err
		}
		return l.expand(egCtx, l.root)
	})
	return eg.Wait()
}

// expand finds the modules that a unit names, and those that they name.
func (l *loader) expand(ctx context.Context, u *unit) error {
	u.named, u.brought = make([]*unit, len(u.buildpacks)), make([][]*unit, len(u.buildpacks))
	eg, ctx := guard.NewGroup(ctx)
	for i, bp := range u.buildpacks {
		eg.Go(func() (err error) {
			u.named[i], u.brought[i], err = l.load(ctx, u, bp)
			return err
		})
	}
	return eg.Wait()
}

// load finds what one [[buildpacks]] entry names, and in a package all that comes with it.
func (l *loader) load(ctx context.Context, by *unit, bp packfile.Buildpack) (named *unit, brought []*unit, err error) {
	fail := func(key string, err error) error {
		var pe *packfile.Error
		if errors.As(err, &pe) || ctx.Err() != nil {
			return err // it has its own place
		}
		return by.errorAt(bp.At(key), "module %s: %v", shownSource(bp), err)
	}
	pkg, err := l.open(ctx, by, bp)
	if err != nil {
		return nil, nil, fail("uri", err)
	}
	if named, err = pkg.pick(bp); err != nil {
		return nil, nil, fail("id", err)
	}
	if bp.ID == "" && l.hasContext(named.ID()) { // which goes before the uri, now that the id is known
		bp.ID = named.ID()
		return l.load(ctx, by, bp)
	}
	eg, ctx := guard.NewGroup(ctx)
	for i, u := range pkg.units {
		known, err := l.registerAt(u, func(err error) error { return fail("uri", err) })
		if err != nil {
			return nil, nil, err
		}
		if known != u {
			if u == named {
				named = known
			}
			pkg.units[i] = known
			continue
		}
		eg.Go(func() error { return l.expand(ctx, u) })
	}
	return named, pkg.units, eg.Wait()
}

// shownSource is what a [[buildpacks]] entry is called in messages.
func shownSource(bp packfile.Buildpack) string {
	if bp.URI == "" {
		return bp.ID
	}
	return bp.URI
}

// register makes a unit one of the build's.
func (l *loader) register(u *unit) error {
	_, err := l.registerAt(u, func(err error) error { return err })
	return err
}

// registerAt does so unless there is one with its id and version already. If that is another one, it fails.
func (l *loader) registerAt(u *unit, fail func(error) error) (*unit, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := u.Name()
	if known := l.found[key]; known != nil {
		if !known.same(u) {
			return nil, fail(fmt.Errorf("there is another module %s, from %s, and they differ", key, known.origin))
		}
		return known, nil
	}
	if u.own && l.root.own && u != l.root && u.ID() == l.root.ID() {
		// Of two that share an id a group has one, and of their layers' folders there is one.
		return nil, fail(fmt.Errorf("module %s has the id of the packfile that is built: give one of them another (config.id)", key))
	}
	if len(l.found) == maxModules {
		return nil, fail(fmt.Errorf("a build has at most %d modules", maxModules))
	}
	l.found[key] = u
	l.units = append(l.units, u)
	if u.own {
		u.component = &order.Module{ID: u.ID(), Version: u.Packfile.Config.Version}
	}
	if u.node = u.component; len(u.orders)+len(u.buildpacks) > 0 || u.component == nil {
		u.node = &order.Module{ID: u.ID(), Version: u.Packfile.Config.Version}
	}
	return u, nil
}

// same says whether two modules are the same as far as a build can tell: what describes them, their scripts, and which deps
// they bring along, whose content is checked against what describes them. Of a buildpack any file may count.
func (u *unit) same(other *unit) bool {
	if u.tree != other.tree {
		return false
	}
	scripts := func(a, b map[string][]byte) bool {
		for name, text := range a {
			if string(b[name]) != string(text) {
				return false
			}
		}
		return len(a) == len(b)
	}
	return bytes.Equal(text.Unix(u.data), text.Unix(other.data)) && scripts(u.Scripts, other.Scripts) && equalKeys(u.Offline, other.Offline)
}

func equalKeys(a, b map[string]bool) bool {
	for name := range a {
		if !b[name] {
			return false
		}
	}
	return len(a) == len(b)
}

// link turns the orders of a unit into what they name. Without an order, all modules that it names are one group, in file
// order. The unit itself comes last in each, unless the order says where.
func (l *loader) link(u *unit) error {
	groups := make(order.Order, 0, len(u.orders))
	var failed []packfile.Diagnostic
	for _, o := range u.orders {
		var group order.Group
		for i := range o.Group {
			e := &o.Group[i]
			m, err := l.find(u, e)
			if err != nil {
				key := "id"
				if e.Version != "" && strings.Contains(err.Error(), e.Version) {
					key = "version"
				}
				failed = append(failed, packfile.Diagnostic{Message: err.Error(), Range: e.At(key)})
				continue
			}
			group = append(group, order.Entry{Module: m, Optional: e.Optional})
		}
		groups = append(groups, group)
	}
	if len(failed) > 0 {
		return &packfile.Error{Filename: u.Filename, Diagnostics: failed}
	}
	if len(u.orders) == 0 && len(u.named) > 0 {
		var group order.Group
		for _, named := range u.named {
			group = append(group, order.Entry{Module: named.node})
		}
		groups = append(groups, group)
	}
	if u.node == u.component {
		return nil
	}
	for i, group := range groups {
		itself := func(e order.Entry) bool { return e.Module == u.component }
		if u.component != nil && !slices.ContainsFunc(group, itself) {
			groups[i] = append(group, order.Entry{Module: u.component})
		}
	}
	u.node.Order = groups
	return nil
}

// find is the module that an entry of a unit's order names.
func (l *loader) find(u *unit, e *buildpack.Entry) (*order.Module, error) {
	if u.component != nil && e.ID == u.ID() && (e.Version == "" || e.Version == u.Packfile.Config.Version) {
		return u.component, nil
	}
	return l.catalog.Find(e.ID, e.Version)
}

// check fails when the order of a unit cannot be walked.
func (l *loader) check(u *unit) error {
	err := u.node.Order.Check()
	if err == nil {
		return nil
	}
	if cycle := u.node.Order.Cycle(); cycle != nil {
		for _, other := range l.units {
			if other.node == cycle[0] {
				u = other
			}
		}
	}
	if len(u.orders) > 0 {
		return u.errorAt(u.orders[0].Range(), "%v", err)
	}
	return u.errorAt(u.buildpacks[0].Range(), "%v", err)
}

// errorAt is an error at a place in the unit's file.
func (u *unit) errorAt(r packfile.Range, format string, args ...any) error {
	return &packfile.Error{
		Filename: u.Filename, Diagnostics: []packfile.Diagnostic{{Message: fmt.Sprintf(format, args...), Range: r}},
	}
}

// all are the modules that may take part.
func (m modules) all() (all []*module.Module) {
	for _, u := range m.units {
		if u.own {
			all = append(all, u.Module)
		}
	}
	return all
}

// textOf is a file as errors show it.
func textOf(filename string, data []byte) *bk.SourceMap {
	language := "TOML"
	if strings.HasSuffix(filename, ".yaml") || strings.HasSuffix(filename, ".yml") {
		language = "YAML"
	}
	return bk.NewSourceMap(nil, filename, language, data)
}
