package fact

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

	Chosen step.Selection
	Before *Answer // when it was asked before, about fewer files
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
	if slices.Contains(s.Chosen.Patterns[i], pattern) {
		return false
	}
	s.Chosen.Patterns[i] = append(s.Chosen.Patterns[i], pattern)
	return true
}

// AddTarget adds a file or folder that a symlink leads to, by its path in the app. It says whether that is new.
func (s *Selection) AddTarget(name string) bool { return insert(&s.Chosen.Targets, name) }

// AddWay adds a symlink that stands for a folder or leads on to another. It says whether that is new.
func (s *Selection) AddWay(name string) bool { return insert(&s.Chosen.Ways, name) }

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
func (s *Selection) Answered(a Answer) { s.Before = &a }

// Frozen returns the selection as it is now.
func (s *Selection) Frozen() Selection {
	now := *s
	now.Before = nil
	now.Chosen.Patterns = make([][]string, len(s.Chosen.Patterns))
	for i, p := range s.Chosen.Patterns {
		now.Chosen.Patterns[i] = slices.Clone(p)
	}
	now.Chosen.Targets, now.Chosen.Ways = slices.Clone(s.Chosen.Targets), slices.Clone(s.Chosen.Ways)
	return now
}

// Patterns are all patterns: those that the packfile has, and those of what symlinks lead to.
func (s Selection) Patterns() []string {
	return slices.Concat(slices.Concat(s.Chosen.Patterns...), s.Chosen.Targets, s.Chosen.Ways)
}
