package packfile

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/step"
)

// readSymlinks reads app-symlinks: paths in the app, each with the path in the layer that the link there leads to.
func readSymlinks(d *node.Decoder, p *Provide, e *node.Entry) {
	if e.Value.Kind != node.TableKind && e.Value.Kind != node.NullKind {
		d.Wrong(e, e.Value, "a table", "a path in the app, and behind it the path in the layer that it leads to")
		return
	}
	if n := len(e.Value.Entries); n > node.MaxEntries {
		d.Fail(e.Value.Entries[node.MaxEntries].KeyAt, "", "%s has at most %d entries, this one has %d", e.Key, node.MaxEntries, n)
		return
	}
	for i := range e.Value.Entries {
		entry := &e.Value.Entries[i]
		if problem, hint := linkPath(entry.Key); problem != "" {
			d.Fail(entry.KeyAt, hint, "%s: %s %s", e.Key, node.Quote(entry.Key), problem)
			continue
		}
		if entry.Value.Kind == node.TableKind {
			d.Wrong(entry, entry.Value, "a string", "a path with dots needs quotes: "+node.Quote(dotted(entry)))
			continue
		}
		var target string
		node.String("", func(*Provide) *string { return &target }, linkTarget).Read(d, p, entry)
		p.AppSymlinks = append(p.AppSymlinks, Symlink{
			Table: node.NewTable(entry.KeyAt), Path: path.Clean(entry.Key), Target: path.Clean(target),
		})
	}
	slices.SortStableFunc(p.AppSymlinks, func(a, b Symlink) int { return strings.Compare(a.Path, b.Path) })
}

// linkPath checks the place of a symbolic link in the app.
func linkPath(s string) (problem, hint string) {
	problem, hint = node.InsidePath(s)
	switch {
	case problem == node.LeavesFolder:
		return "leaves the app", hint
	case problem == "" && path.Clean(s) == ".":
		return "is the app itself", "name a place in it"
	}
	return problem, hint
}

// linkTarget checks what a symbolic link leads to in the layer.
func linkTarget(s string) (problem, hint string) {
	problem, hint = node.InsidePath(s)
	switch {
	case problem == node.LeavesFolder:
		return "leaves the layer", hint
	case s == "":
		return problem, "for the layer's own folder write \".\""
	}
	return problem, hint
}

// AppSymlinks returns the symbolic links of all layers that the packfile can make, in file order.
func (pf *Packfile) AppSymlinks() (all []Symlink) {
	for i := range pf.Layers {
		if p := pf.Layers[i].Provide; p != nil {
			all = append(all, p.AppSymlinks...)
		}
	}
	return all
}

// Places are paths of the app that belong to somebody: the places of symbolic links. None may be another one, or be inside of
// another.
type Places[Owner any] struct {
	at    map[string]Owner
	below map[string]string // a place, by the folders that it is in
}

// Take gives a path to an owner. If it clashes with a place that was taken before, Take returns that place and its owner
// instead; ok is false.
func (p *Places[Owner]) Take(name string, by Owner) (clash string, with Owner, ok bool) {
	if p.at == nil {
		p.at, p.below = map[string]Owner{}, map[string]string{}
	}
	if inner, taken := p.below[name]; taken {
		return inner, p.at[inner], false
	}
	for at := name; at != "."; at = path.Dir(at) {
		if owner, taken := p.at[at]; taken {
			return at, owner, false
		}
	}
	p.at[name] = by
	for at := path.Dir(name); at != "."; at = path.Dir(at) {
		p.below[at] = name
	}
	return "", with, true
}

// checkSymlinks checks that no two symbolic links need one place: those of a layer, those that the image has, and those that the
// steps of a layer see. Others may: what only a compiler needs can stand where the image has what the app needs.
func checkSymlinks(d *node.Decoder, p *Packfile) {
	layers := map[string]*Layer{}
	told := map[*Symlink]bool{}
	take := func(places *Places[*Layer], l *Layer, why string) {
		for i := range l.Provide.AppSymlinks {
			s := &l.Provide.AppSymlinks[i]
			if place, owner, ok := places.Take(s.Path, l); !ok && !told[s] {
				told[s] = true
				d.Fail(s.Range(), why, "%s: layer %s already has a link at %s", d.Key("app-symlinks"), node.Quote(owner.Name), node.Quote(place))
			}
		}
	}
	var exported Places[*Layer]
	for i := range p.Layers {
		l := &p.Layers[i]
		if l.Provide == nil {
			continue
		}
		layers[l.Name] = l
		take(new(Places[*Layer]), l, "a link cannot be inside of another")
		if l.Export {
			take(&exported, l, BothInImage)
			checkVolumes(d, p.Config.Image, l)
		}
		var seen Places[*Layer]
		for j := range l.Provide.Links {
			if linked := layers[l.Provide.Links[j].Name]; linked != nil && linked != l {
				take(&seen, linked, BothLinked(l.Name))
			}
		}
	}
}

// BothInImage is why two layers cannot have links at one place.
const BothInImage = "both layers are in the image"

// BothLinked is why two layers cannot have links at one place: the steps of a layer see both.
func BothLinked(by string) string { return "layer " + node.Quote(by) + " links both" }

// checkVolumes checks that no volume is where the image has symbolic links of a layer.
func checkVolumes(d *node.Decoder, c *ImageConfig, l *Layer) {
	for _, s := range l.Provide.AppSymlinks {
		if i := c.VolumeAt(s.Path); i >= 0 {
			d.Fail(c.Item("volumes", i), "", "volumes: %s", c.Hides(i, l.Name, s.Path))
		}
	}
}

// VolumeAt returns the index of a volume that is at a place in the app, above it or inside of it; -1 when there is none. A volume
// hides what the image has there, and a symbolic link can have no folder inside.
func (c *ImageConfig) VolumeAt(place string) int {
	if c == nil {
		return -1
	}
	at := path.Join(step.AppDir, place)
	return slices.IndexFunc(c.Volumes, func(dir string) bool {
		return dir == at || strings.HasPrefix(at, dir+"/") || strings.HasPrefix(dir, at+"/")
	})
}

// Hides says that a volume is where a layer has a symbolic link.
func (c *ImageConfig) Hides(volume int, layer, place string) string {
	return fmt.Sprintf("%s is where layer %s has a link, at %s", node.Quote(c.Volumes[volume]), node.Quote(layer), node.Quote(place))
}
