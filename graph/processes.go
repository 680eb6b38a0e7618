package graph

import (
	"path"
	"slices"
	"strings"

	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/step"
)

// ProcessOwners returns the module whose process the image has, by type. A process replaces one of the same type of an earlier module
// (Buildpack API, "launch.toml"), but not one of the packfile being built.
func (g *Graph) ProcessOwners() map[string]*module.Module {
	last := map[string]*module.Module{}
	for _, m := range g.Modules {
		for _, p := range m.Packfile.Processes {
			if last[p.Type] != g.Root {
				last[p.Type] = m
			}
		}
	}
	return last
}

// WorkDir is a folder in the app that a process of the image starts in, and its place in the packfile.
type WorkDir struct {
	Filename string
	At       node.Range
	Path     string // relative to the app
}

// WorkDirs returns the folders in the app that processes of the image start in, in group order. It leaves out the app itself, and
// those that the image has whatever it has of the app: folders of volumes and links, and folders above.
func (g *Graph) WorkDirs() (dirs []WorkDir) {
	owners := g.ProcessOwners()
	for _, m := range g.Modules {
		for i := range m.Packfile.Processes {
			p := &m.Packfile.Processes[i]
			dir := p.WorkDir
			if path.IsAbs(dir) {
				dir = strings.TrimPrefix(path.Clean(dir), step.AppDir+"/")
			}
			dir = path.Clean(dir)
			if dir != "." && !path.IsAbs(dir) && owners[p.Type] == m && !g.hasAt(dir) {
				dirs = append(dirs, WorkDir{Filename: m.Filename, At: p.At("working-dir"), Path: dir})
			}
		}
	}
	return dirs
}

// hasAt reports whether the image has something at a path of the app for a volume or a link.
func (g *Graph) hasAt(dir string) bool {
	isAt := func(place string) bool {
		return place == dir || strings.HasPrefix(place, dir+"/") || strings.HasPrefix(dir, place+"/")
	}
	for _, m := range WithRoot(g.Modules, g.Root) {
		if m.Packfile.Config.Image.VolumeAt(dir) >= 0 {
			return true
		}
	}
	return slices.ContainsFunc(g.Layers, func(l *Layer) bool {
		return l.Export && slices.ContainsFunc(l.Provide.AppSymlinks, func(s packfile.Symlink) bool { return isAt(s.Path) })
	})
}
