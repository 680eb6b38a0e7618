package graph

import (
	"cmp"
	"path"
	"slices"

	bk "github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/step"
)

// Symbolic links that lead from the app into layers (app-symlinks). What the app has at their places is hidden from everything,
// whatever becomes of the layers: files are matched before that is known. The image has the links of its layers, and a step those
// of layers whose content it sees.

// hiding returns the builder with the app as these modules leave it to each other.
func hiding(b *container.Builder, modules []*module.Module) *container.Builder {
	var all []packfile.Symlink
	for _, m := range modules {
		all = append(all, m.Packfile.AppSymlinks()...)
	}
	return b.Hiding(all)
}

// checkSymlinks fails when links of two layers need one place: when both layers are in the image, or a step sees both. It fails when a
// volume is where the image has a link.
func (g *Graph) checkSymlinks() error {
	var failed error
	take := func(places *packfile.Places[*Layer], l *Layer, why string) {
		for _, s := range l.Provide.AppSymlinks {
			if place, owner, ok := places.Take(s.Path, l); !ok && failed == nil {
				failed = l.Module.Fail(s.Range(), "app-symlinks: layer %s already has a link at %s (%s)", node.Quote(owner.Path()), node.Quote(place), why)
			}
		}
	}
	var exported packfile.Places[*Layer]
	for _, l := range g.Layers {
		if l.Export {
			take(&exported, l, packfile.BothInImage)
			if err := g.checkVolumes(l); err != nil && failed == nil {
				failed = err
			}
		}
		var seen packfile.Places[*Layer]
		for _, k := range l.links {
			if k.layer != nil {
				take(&seen, k.layer, packfile.BothLinked(l.Path()))
			}
		}
	}
	return failed
}

// checkVolumes fails when a volume of any module, or of the packfile being built, is where a layer of the image has a link.
func (g *Graph) checkVolumes(l *Layer) error {
	for _, m := range WithRoot(g.Modules, g.Root) {
		c := m.Packfile.Config.Image
		for _, s := range l.Provide.AppSymlinks {
			if i := c.VolumeAt(s.Path); i >= 0 {
				return m.Fail(c.Item("volumes", i), "volumes: %s", c.Hides(i, l.Path(), s.Path))
			}
		}
	}
	return nil
}

// Place is a place in the app where a layer has a symbolic link, and its place in the packfile.
type Place struct {
	Filename string
	At       node.Range
	Path     string // relative to the app
	Layer    string
}

// Places returns the places of all links, in group order and then in file order, whatever becomes of their layers.
func (g *Graph) Places() (all []Place) {
	for _, m := range g.Modules {
		for _, l := range m.Packfile.Layers {
			if l.Provide == nil {
				continue
			}
			for _, s := range l.Provide.AppSymlinks {
				all = append(all, Place{Filename: m.Filename, At: s.Range(), Path: s.Path, Layer: m.LayerPath(l.Name)})
			}
		}
	}
	return all
}

// Symlinks returns the links of some layers: absolute, and sorted by path. It returns nil when they have none.
func Symlinks(layers []*Layer) (links []llb.Symlink) {
	for _, l := range layers {
		for _, s := range l.Provide.AppSymlinks {
			links = append(links, llb.Symlink{Path: path.Join(step.AppDir, s.Path), Target: path.Join(l.Dir(), s.Target)})
		}
	}
	slices.SortFunc(links, func(a, b llb.Symlink) int { return cmp.Compare(a.Path, b.Path) })
	return links
}

// withSymlinks returns the app as a step sees it that sees the content of the layers that l links.
func (s Steps) withSymlinks(app bk.State, l *Layer) bk.State {
	var linked []*Layer
	for _, k := range l.links {
		if k.layer != nil && s.of(k.layer).status != dropped {
			linked = append(linked, k.layer)
		}
	}
	links := Symlinks(linked)
	if links == nil {
		return app
	}
	var like *bk.State
	if l.Provide.LockApp {
		like = &app // a layer before may have changed its folders
	}
	tree := llb.Symlinks(links, like, s.Owner, container.DefaultTime, s.appOptions(l, "app symlinks")...)
	return s.Layering.Merge(app, []llb.Layer{{State: tree, Time: container.DefaultTime}}, s.appOptions(l, "app with symlinks")...)
}

// withoutSymlinks returns the app as a layer with lock-app left it, without the links that its step saw, or whatever stands in
// their places now.
func (s Steps) withoutSymlinks(app bk.State, l *Layer) bk.State {
	if len(s.App.Hidden) == 0 {
		return app
	}
	var excluded []string
	for _, pattern := range s.App.Excluded() {
		excluded = append(excluded, path.Join(step.AppDir[1:], pattern))
	}
	return llb.CopyTree(app, llb.Tree{To: "/", Exclude: excluded, Time: container.DefaultTime}, s.appOptions(l, "app without symlinks")...)
}

// appOptions returns the options of an operation on the app between layers with lock-app.
func (s Steps) appOptions(l *Layer, what string) []bk.ConstraintsOpt {
	name := s.Name(l.ID, what)
	if !l.Provide.LockApp {
		return Options(name)
	}
	return Options(name, s.LockApp...)
}

// Dangling is a symbolic link that leads to nothing in its layer, and its place in the packfile.
type Dangling struct {
	Filename     string
	At           node.Range
	Path, Target string // in the app, and in the layer
	Layer        string
}

// inTree returns what a link leads to, relative to the root of its layer's tree.
func inTree(l *Layer, s packfile.Symlink) string { return path.Join(l.Dir()[1:], s.Target) }

// DanglingLinks returns the links that lead to nothing, of layers that were described: a layer that is reused has not been looked into.
func DanglingLinks(d *Decisions) (all []Dangling) {
	for _, l := range d.Layers {
		seen := slices.Concat(d.facts[fact.Question{Layer: l.ID, Kind: fact.Built}].Missing, d.facts[fact.Question{Layer: l.ID, Kind: fact.Timed}].Missing)
		for _, s := range l.Provide.AppSymlinks {
			if slices.Contains(seen, inTree(l, s)) {
				all = append(all, Dangling{Filename: l.Module.Filename, At: s.Range(), Path: s.Path, Target: s.Target, Layer: l.Path()})
			}
		}
	}
	return all
}
