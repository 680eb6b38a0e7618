package frontend

import (
	"context"
	"path"

	"github.com/packfile/frontend/pattern"
)

// maxLooks is how many folders are looked into to find one file.
const maxLooks = 1000

// search looks for any file of an app that each of several lists of patterns selects.
type search struct {
	*appLinks
	lists []*pattern.Matcher
	looks int // how many are left; when none is, a file counts as found
}

// hasFile reports whether the app has a file that each of the lists selects. It follows no symlinks, and asks the daemon for
// each folder that may hold such a file until it has found one, but for no more than maxLooks.
func (a *appLinks) hasFile(ctx context.Context, lists ...[]string) (bool, error) {
	s := search{appLinks: a, looks: maxLooks}
	for _, list := range lists {
		m, err := pattern.New(list)
		if err != nil {
			return false, err
		}
		s.lists = append(s.lists, m)
	}
	return s.below(ctx, "")
}

// below reports whether there is such a file in a folder, at any depth.
func (s *search) below(ctx context.Context, dir string) (bool, error) {
	if s.looks--; s.looks < 0 {
		return true, nil
	}
	all, err := s.entries(ctx, dir)
	if err != nil {
		return false, err
	}
	for _, e := range all {
		if e.IsDir() {
			continue
		}
		if ok, err := s.all((*pattern.Matcher).Selects, path.Join(dir, path.Base(e.Path))); ok || err != nil {
			return ok, err
		}
	}
	for _, e := range all {
		at := path.Join(dir, path.Base(e.Path))
		if !e.IsDir() {
			continue
		}
		ok, err := s.all((*pattern.Matcher).Reaches, at)
		if ok {
			ok, err = s.below(ctx, at)
		}
		if ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// all reports whether all lists agree that something holds of a path.
func (s *search) all(holds func(*pattern.Matcher, string) (bool, error), at string) (bool, error) {
	for _, list := range s.lists {
		if ok, err := holds(list, at); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}
