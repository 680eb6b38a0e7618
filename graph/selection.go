package graph

import (
	"slices"

	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/pattern"
)

// Selection returns the files that a question is about, as the packfile selects them. It returns nil for a question that is not
// about files.
func (g *Graph) Selection(q fact.Question) *fact.Selection {
	if !g.isMatch(q) {
		return nil
	}
	l := g.byID[q.Layer]
	s := &fact.Selection{Filename: l.Module.Filename, Key: "inputs", Globs: l.Provide.Inputs}
	table := &l.Provide.Table
	if q.Kind == fact.Tested {
		s.Key, s.Globs, s.Narrow, table = "match", l.Provide.Test.Match, l.Provide.Inputs != nil, &l.Provide.Test.Table
	}
	for i, g := range s.Globs {
		s.At = append(s.At, table.Item(s.Key, i))
		s.Chosen.Patterns = append(s.Chosen.Patterns, []string{pattern.Clean(g)})
	}
	return s
}

// Chooser is a list of patterns that chooses files of the app for the image: config.app, or the paths of a slice.
type Chooser struct {
	Filename, Key string // of the packfile, and whose value the list is
	Globs         []string
	At            []node.Range
	All           node.Range // place of the list
}

// ImageChoosers returns the lists by which the image has files of the app. whole says what of the app is in the image; it is nil
// when all of it is. It returns none when only a target is built.
func (d *Decisions) ImageChoosers() (whole *Chooser, parts []Chooser) {
	if d.TargetLayer != nil {
		return nil, nil
	}
	if c := &d.Root.Packfile.Config; c.App != nil {
		of := chooser(d.Root.Filename, "app", c.App, &c.Table)
		whole = &of
	}
	for _, m := range d.Modules {
		for i := range m.Packfile.Slices {
			s := &m.Packfile.Slices[i]
			parts = append(parts, chooser(m.Filename, "paths", s.Paths, &s.Table))
		}
	}
	return whole, parts
}

func chooser(filename, key string, globs []string, table *node.Table) Chooser {
	c := Chooser{Filename: filename, Key: key, Globs: globs, All: table.At(key)}
	for i := range globs {
		c.At = append(c.At, table.Item(key, i))
	}
	return c
}

// ChangesApp reports whether a lock-app layer changes the app, so that patterns may be about files that it makes.
func (d *Decisions) ChangesApp() bool {
	return slices.ContainsFunc(d.Layers, func(l *Layer) bool { return l.Provide.LockApp && d.of(l).status == settled })
}
