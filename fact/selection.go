package fact

import (
	"path"
	"slices"

	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/step"
)

// Selection is the files of the app that a question is about: those that match patterns, and what symlinks among them lead to.
// Whoever asks finds the symlinks, and tells them with Add, AddTarget and AddWay before the question is asked, or asked again.
type Selection struct {
	Filename string   // of the packfile with the patterns
	Key      string   // whose value they are: inputs or match
	Globs    []string // the patterns as they stand there
	At       []node.Range
	Narrow   bool // it is about files of the layer's inputs and no others

	Chosen step.Selection
	Before *Answer // the answer about fewer files, when it was asked before
}

// Glob returns a pattern of a packfile as BuildKit takes it, whose own patterns match no file by ".".
func Glob(pattern string) string {
	if pattern = path.Clean(pattern); pattern == "." {
		return "**"
	}
	return pattern
}

// Add adds another form of pattern i, whose folders include a symlink. It reports whether the form is new.
func (s *Selection) Add(i int, pattern string) bool {
	if slices.Contains(s.Chosen.Patterns[i], pattern) {
		return false
	}
	s.Chosen.Patterns[i] = append(s.Chosen.Patterns[i], pattern)
	return true
}

// AddTarget adds a file or folder that a symlink leads to, by its path in the app. It reports whether that is new.
func (s *Selection) AddTarget(name string) bool { return insert(&s.Chosen.Targets, name) }

// AddWay adds a symlink that stands for a folder or leads on to another symlink. It reports whether that is new.
func (s *Selection) AddWay(name string) bool { return insert(&s.Chosen.Ways, name) }

// insert puts the pattern of a path into a sorted list. It reports whether the pattern is new there.
func insert(patterns *[]string, name string) bool {
	pattern := Glob(llb.Literal(name))
	i, found := slices.BinarySearch(*patterns, pattern)
	if !found {
		*patterns = slices.Insert(*patterns, i, pattern)
	}
	return !found
}

// Answered notes a step's answer about the files so far. The question is then asked again, about more files.
func (s *Selection) Answered(a Answer) { s.Before = &a }

// Frozen returns a copy of the selection as it is now.
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

// Patterns returns all patterns: those of the packfile, and those of what symlinks lead to.
func (s Selection) Patterns() []string {
	return slices.Concat(slices.Concat(s.Chosen.Patterns...), s.Chosen.Targets, s.Chosen.Ways)
}
