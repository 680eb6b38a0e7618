package fact

import (
	"slices"

	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/pattern"
	"github.com/packfile/frontend/step"
)

// Selection is the files of the app that a question is about: those that match patterns, and what symlinks among them lead to.
// Whoever asks finds the symlinks, and tells them with Add, AddTarget, AddWay and AddAway before the question is asked, or asked again.
type Selection struct {
	Filename string   // of the packfile with the patterns
	Key      string   // whose value they are: inputs or match
	Globs    []string // the patterns as they stand there
	At       []node.Range
	Narrow   bool // it is about files of the layer's inputs and no others

	Chosen step.Selection
	Away   []string // patterns of what symlinks lead to and exclusions take away
	Before *Answer  // the answer about fewer files, when it was asked before
}

// Add adds another form of pattern i, whose folders include a symlink. It reports whether the form is new.
func (s *Selection) Add(i int, form string) bool {
	if slices.Contains(s.Chosen.Patterns[i], form) {
		return false
	}
	s.Chosen.Patterns[i] = append(s.Chosen.Patterns[i], form)
	return true
}

// AddTarget adds a file or folder that a symlink leads to, by its path in the app. It reports whether that is new.
func (s *Selection) AddTarget(name string) bool { return insert(&s.Chosen.Targets, name) }

// AddWay adds a symlink that stands for a folder or leads on to another symlink. It reports whether that is new.
func (s *Selection) AddWay(name string) bool { return insert(&s.Chosen.Ways, name) }

// AddAway notes a file or folder that a symlink leads to and that an exclusion takes away.
func (s *Selection) AddAway(name string) { insert(&s.Away, name) }

// insert puts the pattern of a path into a sorted list. It reports whether the pattern is new there.
func insert(patterns *[]string, name string) bool {
	literal := pattern.Clean(llb.Literal(name))
	i, found := slices.BinarySearch(*patterns, literal)
	if !found {
		*patterns = slices.Insert(*patterns, i, literal)
	}
	return !found
}

// Answered notes a step's answer about the files so far. The question is then asked again, about more files.
func (s *Selection) Answered(a Answer) { s.Before = &a }

// Frozen returns a copy of the selection as it is now.
func (s *Selection) Frozen() Selection {
	now := *s
	now.Before, now.Away = nil, nil
	now.Chosen.Patterns = make([][]string, len(s.Chosen.Patterns))
	for i, p := range s.Chosen.Patterns {
		now.Chosen.Patterns[i] = slices.Clone(p)
	}
	now.Chosen.Targets, now.Chosen.Ways = slices.Clone(s.Chosen.Targets), slices.Clone(s.Chosen.Ways)
	return now
}

// List returns all patterns: those of the packfile, and those of what symlinks lead to.
func (s Selection) List() []string {
	return pattern.WithTargets(s.Chosen.Patterns, s.Chosen.Targets, s.Chosen.Ways)
}

// Patterns returns all patterns as BuildKit's copies take them.
func (s Selection) Patterns() []string { return pattern.ForCopy(s.List()) }

// Without returns what the exclusions leave of all files of the app, whichever files the other patterns select.
func (s Selection) Without() (*pattern.Matcher, error) {
	return pattern.New(append([]string{pattern.Everything}, slices.Concat(s.Chosen.Patterns...)...))
}
