package graph

import (
	"slices"

	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/step"
)

// args returns which build arguments the run script of the layer, and templates of its section, see.
func (l *Layer) args() packfile.Args { return l.Module.Packfile.RunArgs(l.Layer) }

// templateArgs returns the values that templates of a layer's section know, by name.
func (g *Graph) templateArgs(l *Layer) map[string]string {
	return module.Values(g.PlatformEnv(l.Module, l.args()))
}

// unrendered returns the error that a template of a layer could not be rendered.
func (g *Graph) unrendered(l *Layer, err error) error {
	if withheld := l.Module.Withheld(g.Root.Filename, g.Args, err); withheld != nil {
		return withheld
	}
	return l.inLayer(err)
}

// keyArgs returns the variables of the platform environment that count for a layer's key: those that its run step sees. When its
// section lists arguments, and no script sees them, they count only in what templates make of them. Without a list they count
// anyway, as they did before there were lists, so that keys of that time stay as they are.
func (g *Graph) keyArgs(l *Layer) []step.Variable {
	if !l.args().All() && !l.maker.runsScripts() {
		return nil
	}
	return g.PlatformEnv(l.Module, l.args())
}

// usedArgs returns the build arguments that templates of a layer use, for its record. deps are its deps as they were rendered.
func usedArgs(l *Layer, deps []step.Dep) map[string][]string {
	used := map[string][]string{}
	add := func(part string, names []string) {
		if len(names) > 0 {
			used[part] = append(used[part], names...)
		}
	}
	for _, list := range l.envLists() {
		for _, v := range list.vars {
			add(layerkey.EnvPart(list.dir, v.Name), v.Args())
		}
	}
	for i, dep := range deps {
		add(layerkey.DepPart(dep.Name), l.Provide.Deps[i].Args())
	}
	if len(used) == 0 {
		return nil
	}
	return used
}

// ByArguments is layers that are built again for build arguments alone, which their sections do not ask for.
type ByArguments struct{ Layers, Args []string }

// ByArguments returns the layers that are built again only because build arguments changed that no list of their packfile names.
func (d *Decisions) ByArguments() (found ByArguments) {
	for _, l := range d.Layers {
		made := d.of(l).decision
		if made == nil || len(made.Changes) == 0 || !l.args().All() {
			continue
		}
		args := layerkey.ChangedArgs(made.Changes)
		if len(args) < len(made.Changes) {
			continue
		}
		found.Layers = append(found.Layers, d.Shown(l))
		found.Args = append(found.Args, args...)
	}
	slices.Sort(found.Args)
	found.Args = slices.Compact(found.Args)
	return found
}
