package module

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	bk "github.com/moby/buildkit/client/llb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/cnb/buildpack"
	"github.com/packfile/frontend/cnb/order"
	"github.com/packfile/frontend/guard"
	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/source"
	"github.com/packfile/frontend/text"
	"github.com/packfile/frontend/tree"
)

// World is what the loader needs from the build around it.
type World interface {
	source.Resolver
	// HasContext reports whether the user gives a folder or image under the id of a module.
	HasContext(id string) bool
	// Root returns the folder of the packfile being built, with these paths: the client is asked for nothing else.
	Root(ctx context.Context, paths []string) (tree.Folder, error)
	// Fetch waits until a state is there, and returns its files. Its caller says in errors where the state is named.
	Fetch(ctx context.Context, st bk.State) (tree.Folder, error)
	// Unpack returns the content of an archive. The error says why the archive is refused. name is what messages call the
	// operation.
	Unpack(ctx context.Context, a Archive, name string) (tree.Folder, error)
	// Show adds a file that errors can show.
	Show(text *bk.SourceMap)
	// Warn tells the user what is questionable about a file.
	Warn(ctx context.Context, filename string, warnings []node.Diagnostic)
}

// Archive is a file of a tree, or a folder that holds an OCI layout.
type Archive struct {
	Tree   bk.State
	Path   string // absolute
	Folder bool
}

// opened is what the loader knows of a module while it looks for others.
type opened struct {
	orders     []buildpack.Order
	buildpacks []packfile.Buildpack // entries that name other modules
	folder     tree.Folder          // where its file stands
	origin     string               // where it comes from, for people
	budget     *budget              // pays for what it takes; nil for no limit
	tree       string               // of a buildpack: where its files come from; see treeID

	component *order.Module // the module as a member of groups; nil when it takes no part itself
	node      *order.Module // what its id stands for: its order, or the component when it has none
	named     []*Module     // the module that each of buildpacks names
	brought   [][]*Module   // all modules that each of buildpacks brings: the named one, and others of its package
}

// maxModules is how many modules a build may have. Packages that name each other under ever new versions end there.
const maxModules = 1000

// loader finds the modules of a build: those that the packfile names, and those that they name in turn.
type loader struct {
	world    World
	platform ocispecs.Platform // of images; a module is the same for all platforms
	root     *Module

	budget  budget
	lists   sync.Map // of folders that were listed, by their id
	mu      sync.Mutex
	catalog order.Catalog
	found   map[string]*Module // by id and version
	modules []*Module
}

// Load finds all modules of a build. root is the packfile being built, the only module when it names none. Images are resolved
// for the platform. Load waits for everything that it opens.
func Load(ctx context.Context, world World, root *Module, platform ocispecs.Platform) (found Found, err error) {
	pf := root.Packfile
	root.opened = opened{orders: pf.Order, buildpacks: pf.Buildpacks, origin: root.Filename}
	root.Own = pf.HasOwn() || len(pf.Buildpacks)+len(pf.Order) == 0
	l := &loader{world: world, platform: platform, root: root, found: map[string]*Module{}}
	if err := l.register(root); err != nil {
		return found, err
	}
	if len(root.buildpacks)+len(root.orders) > 0 {
		if err := l.loadRoot(ctx); err != nil {
			return found, err
		}
	}
	l.grant()
	l.warnUnusedGrants(ctx)
	// They were found at the same time: the order in which must not show.
	slices.SortFunc(l.modules[1:], func(a, b *Module) int { return strings.Compare(a.Name(), b.Name()) })
	versions := map[string]int{}
	for _, m := range l.modules {
		versions[m.ID()]++
	}
	for _, m := range l.modules {
		m.Versions = versions[m.ID()] > 1
	}
	for _, m := range l.modules[1:] {
		if err := l.catalog.Add(m.node); err != nil {
			return found, err
		}
	}
	for _, m := range l.modules {
		if err := l.link(m); err != nil {
			return found, err
		}
	}
	if err := l.check(root); err != nil {
		return found, err
	}
	return newFound(l), nil
}

// loadRoot finds the modules that the packfile being built names. One transfer sends its own files and the modules below it.
func (l *loader) loadRoot(ctx context.Context) (err error) {
	paths := ownPaths(l.root.Packfile)
	for _, bp := range l.root.buildpacks {
		if kind, at := bp.Source(); kind == packfile.FileSource {
			paths = append(paths, at)
		}
	}
	if l.root.folder, err = l.world.Root(ctx, paths); err != nil {
		return err
	}
	return l.expand(ctx, l.root)
}

// expand finds the modules that a module names, and those that they name.
func (l *loader) expand(ctx context.Context, m *Module) error {
	m.named, m.brought = make([]*Module, len(m.buildpacks)), make([][]*Module, len(m.buildpacks))
	eg, ctx := guard.NewGroup(ctx)
	for i, bp := range m.buildpacks {
		eg.Go(func() (err error) {
			m.named[i], m.brought[i], err = l.load(ctx, m, bp)
			return err
		})
	}
	return eg.Wait()
}

// load finds the module that one [[buildpacks]] entry names, and everything else in its package.
func (l *loader) load(ctx context.Context, by *Module, bp packfile.Buildpack) (named *Module, brought []*Module, err error) {
	fail := func(key string, err error) error {
		var pe *node.Error
		if errors.As(err, &pe) || ctx.Err() != nil {
			return err // it has its own place
		}
		return by.Fail(bp.At(key), "module %s: %v", shownSource(bp), err)
	}
	pkg, err := l.open(ctx, by, bp)
	if err != nil {
		return nil, nil, fail("uri", err)
	}
	if named, err = pkg.pick(bp); err != nil {
		return nil, nil, fail("id", err)
	}
	if bp.ID == "" && l.world.HasContext(named.ID()) { // a context of its id, now known, goes before the uri
		bp.ID = named.ID()
		return l.load(ctx, by, bp)
	}
	eg, ctx := guard.NewGroup(ctx)
	for i, m := range pkg.modules {
		known, err := l.registerAt(m, func(err error) error { return fail("uri", err) })
		if err != nil {
			return nil, nil, err
		}
		if known != m {
			if m == named {
				named = known
			}
			pkg.modules[i] = known
			continue
		}
		eg.Go(func() error { return l.expand(ctx, m) })
	}
	return named, pkg.modules, eg.Wait()
}

// shownSource returns the name of a [[buildpacks]] entry in messages.
func shownSource(bp packfile.Buildpack) string {
	if bp.URI == "" {
		return bp.ID
	}
	return bp.URI
}

// register adds a module to the build's modules.
func (l *loader) register(m *Module) error {
	_, err := l.registerAt(m, func(err error) error { return err })
	return err
}

// registerAt adds a module, or returns the one that the build has under its id and version. It fails when these two differ.
func (l *loader) registerAt(m *Module, fail func(error) error) (*Module, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := m.Name()
	if known := l.found[key]; known != nil {
		if !known.same(m) {
			return nil, fail(fmt.Errorf("there is another module %s, from %s, and they differ", key, known.origin))
		}
		return known, nil
	}
	if m.Own && l.root.Own && m != l.root && m.ID() == l.root.ID() {
		// When two modules share an id, a group has one of them, and there is one folder for their layers.
		return nil, fail(fmt.Errorf("module %s has the id of the packfile that is built: give one of them another (config.id)", key))
	}
	if len(l.found) == maxModules {
		return nil, fail(fmt.Errorf("a build has at most %d modules", maxModules))
	}
	l.found[key] = m
	l.modules = append(l.modules, m)
	if m.Own {
		m.component = &order.Module{ID: m.ID(), Version: m.Packfile.Config.Version}
	}
	if m.node = m.component; len(m.orders)+len(m.buildpacks) > 0 || m.component == nil {
		m.node = &order.Module{ID: m.ID(), Version: m.Packfile.Config.Version}
	}
	return m, nil
}

// same reports whether two modules are the same as far as a build can tell. It compares the files that describe them, their
// scripts, the files of config.apt, and the names of deps that they bring along, whose content is checked against these files. Any file of a buildpack may
// count.
func (m *Module) same(other *Module) bool {
	if m.tree != other.tree {
		return false
	}
	scripts := func(a, b map[string][]byte) bool {
		for name, script := range a {
			if string(b[name]) != string(script) {
				return false
			}
		}
		return len(a) == len(b)
	}
	return bytes.Equal(text.Unix(m.Source.Data), text.Unix(other.Source.Data)) && scripts(m.Scripts, other.Scripts) &&
		scripts(m.AptFiles, other.AptFiles) && equalKeys(m.Offline, other.Offline)
}

func equalKeys(a, b map[string]bool) bool {
	for name := range a {
		if !b[name] {
			return false
		}
	}
	return len(a) == len(b)
}
