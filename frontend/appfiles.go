package frontend

import (
	"context"
	"path"
	"strings"

	"github.com/moby/patternmatcher"
)

// maxLooks is how many folders are looked into to find one file that matches a pattern.
const maxLooks = 1000

// search looks for any file of an app that matches a pattern.
type search struct {
	*appLinks
	looks int // how many are left; when none is, a file counts as found
}

// hasFile reports whether a file below dir matches a pattern that consists of names.
func (s *search) hasFile(ctx context.Context, dir string, names []string) (bool, error) {
	if strings.Contains(names[0], "**") {
		m, err := patternmatcher.New([]string{"x/" + path.Join(names...)})
		if err != nil {
			return false, err
		}
		return s.below(ctx, dir, "x", m)
	}
	if s.looks--; s.looks < 0 {
		return true, nil
	}
	found, err := s.matching(ctx, dir, names[0])
	if err != nil {
		return false, err
	}
	for _, e := range found {
		at, ok := path.Join(dir, path.Base(e.Path)), false
		switch {
		case !e.IsDir():
			ok = len(names) == 1
		case len(names) == 1:
			ok, err = s.below(ctx, at, "", nil)
		default:
			ok, err = s.hasFile(ctx, at, names[1:])
		}
		if ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// below reports whether any file in a folder matches m, at any depth, by its path behind name. With a nil m every file matches.
func (s *search) below(ctx context.Context, dir, name string, m *patternmatcher.PatternMatcher) (bool, error) {
	if s.looks--; s.looks < 0 {
		return true, nil
	}
	all, err := s.entries(ctx, dir)
	if err != nil {
		return false, err
	}
	for _, e := range all {
		base := path.Base(e.Path)
		within := m
		if m != nil {
			ok, err := m.MatchesOrParentMatches(path.Join(name, base))
			if err != nil {
				return false, err
			}
			if ok {
				within = nil // and so does all that is in it
			}
		}
		found := within == nil
		if e.IsDir() {
			found, err = s.below(ctx, path.Join(dir, base), path.Join(name, base), within)
		}
		if found || err != nil {
			return found, err
		}
	}
	return false, nil
}
