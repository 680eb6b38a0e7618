package convert

import (
	"path"
	"slices"

	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/step"
)

// Selection is which files of the app a question is about: those that patterns match, and what symlinks among them lead to.
// Which symlinks there are is found out by who asks: Add, AddTarget and AddWay tell, before the question is asked, or asked again.
type Selection struct {
	Filename string   // of the packfile with the patterns
	Key      string   // that they are the value of: inputs or match
	Globs    []string // the patterns as they stand there
	At       []packfile.Range
	Narrow   bool // it is about no other files than those of the layer's inputs

	chosen step.Selection
	before *Answer // when it was asked before, about fewer files
}

// Selection returns which files a question is about as the packfile has it, nil when it is about something else.
func (g *Graph) Selection(q Question) *Selection {
	if !g.isMatch(q) {
		return nil
	}
	l := g.byID[q.Layer]
	s := &Selection{Filename: l.module.Filename, Key: "inputs", Globs: l.Provide.Inputs}
	table := &l.Provide.Table
	if q.Kind == Tested {
		s.Key, s.Globs, s.Narrow, table = "match", l.Provide.Test.Match, l.Provide.Inputs != nil, &l.Provide.Test.Table
	}
	for i, g := range s.Globs {
		s.At = append(s.At, table.Item(s.Key, i))
		s.chosen.Patterns = append(s.chosen.Patterns, []string{Glob(g)})
	}
	return s
}

// Glob is a pattern of a packfile as BuildKit takes it, whose patterns match no file by ".".
func Glob(pattern string) string {
	if pattern = path.Clean(pattern); pattern == "." {
		return "**"
	}
	return pattern
}

// Add adds what the pattern with an index is as well, since a folder on its way is a symlink. It says whether that is new.
func (s *Selection) Add(i int, pattern string) bool {
	if slices.Contains(s.chosen.Patterns[i], pattern) {
		return false
	}
	s.chosen.Patterns[i] = append(s.chosen.Patterns[i], pattern)
	return true
}

// AddTarget adds a file or folder that a symlink leads to, by its path in the app. It says whether that is new.
func (s *Selection) AddTarget(name string) bool { return insert(&s.chosen.Targets, name) }

// AddWay adds a symlink that stands for a folder or leads on to another. It says whether that is new.
func (s *Selection) AddWay(name string) bool { return insert(&s.chosen.Ways, name) }

// insert puts the pattern of a path into a sorted list, unless it is there.
func insert(patterns *[]string, name string) bool {
	pattern := Glob(llb.Literal(name))
	i, found := slices.BinarySearch(*patterns, pattern)
	if !found {
		*patterns = slices.Insert(*patterns, i, pattern)
	}
	return !found
}

// Answered notes what a step said of the files so far: the question is asked again, about more.
func (s *Selection) Answered(a Answer) { s.before = &a }

// frozen returns the selection as it is now.
func (s *Selection) frozen() Selection {
	now := *s
	now.before = nil
	now.chosen.Patterns = make([][]string, len(s.chosen.Patterns))
	for i, p := range s.chosen.Patterns {
		now.chosen.Patterns[i] = slices.Clone(p)
	}
	now.chosen.Targets, now.chosen.Ways = slices.Clone(s.chosen.Targets), slices.Clone(s.chosen.Ways)
	return now
}

// patterns are all of them.
func (s Selection) patterns() []string {
	return slices.Concat(slices.Concat(s.chosen.Patterns...), s.chosen.Targets, s.chosen.Ways)
}

// Pattern is one pattern over files of the app, and where it stands.
type Pattern struct {
	Filename string
	At       packfile.Range
	Glob     string
}

// SlicePatterns returns the patterns of slices that are about files of the app as it is: when a layer changes the app, they may be about what
// that makes.
func (d *Decisions) SlicePatterns() (all []Pattern) {
	changes := func(l *layer) bool { return l.Provide.LockApp && d.facts.status(l) == settled }
	if d.target != nil || slices.ContainsFunc(d.layers, changes) {
		return nil
	}
	for _, m := range d.modules {
		for _, s := range m.Packfile.Slices {
			for i, g := range s.Paths {
				all = append(all, Pattern{m.Filename, s.Item("paths", i), g})
			}
		}
	}
	return all
}
