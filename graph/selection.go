package graph

import (
	"slices"

	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/node"
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
		s.Chosen.Patterns = append(s.Chosen.Patterns, []string{fact.Glob(g)})
	}
	return s
}

// Pattern is a pattern over files of the app, and its place.
type Pattern struct {
	Filename string
	At       node.Range
	Glob     string
}

// SlicePatterns returns the patterns of slices. It returns none when a layer changes the app, whose new files they may be about,
// or when only a target is built.
func (d *Decisions) SlicePatterns() (all []Pattern) {
	changes := func(l *Layer) bool { return l.Provide.LockApp && d.of(l).status == settled }
	if d.TargetLayer != nil || slices.ContainsFunc(d.Layers, changes) {
		return nil
	}
	for _, m := range d.Modules {
		for _, s := range m.Packfile.Slices {
			for i, g := range s.Paths {
				all = append(all, Pattern{m.Filename, s.Item("paths", i), g})
			}
		}
	}
	return all
}
