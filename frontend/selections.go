package frontend

import (
	"context"
	"fmt"
	"strings"

	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/graph"
	"github.com/packfile/frontend/packfile"
)

// maxRounds is how often a question about files is asked because of symlinks: a folder that one leads to may hold more of them.
const maxRounds = 40

// selections are the files that questions of one platform's build are about. A question is asked with the patterns of the packfile
// and the symlinks on their way. When there are symlinks among the files, it is asked again, with what they lead to.
type selections struct {
	build  *build
	app    *app
	links  *appLinks
	of     map[fact.Question]*fact.Selection // that have been asked
	rounds map[fact.Question]int
}

func newSelections(b *build, app *app) *selections {
	return &selections{build: b, app: app, links: newAppLinks(b, app.tree), of: map[fact.Question]*fact.Selection{}, rounds: map[fact.Question]int{}}
}

// asked prepares a question that is asked. A nil selection is that of a question about something else.
func (s *selections) asked(ctx context.Context, q fact.Question, sel *fact.Selection) error {
	if sel == nil || s.of[q] != nil {
		return nil
	}
	s.of[q], s.rounds[q] = sel, 1
	return s.links.onTheWay(ctx, sel)
}

// answered says whether an answer is the last one, and not about more files if the question is asked again. Of the last one it says
// what is questionable.
func (s *selections) answered(ctx context.Context, q fact.Question, a fact.Answer) (bool, error) {
	sel := s.of[q]
	if sel == nil {
		return true, nil
	}
	more, lost, err := s.links.follow(ctx, sel, a.Result)
	if err != nil {
		return false, err
	}
	if !more {
		return true, s.check(ctx, sel, a.Result, lost)
	}
	if s.rounds[q]++; s.rounds[q] > maxRounds {
		return false, &packfile.Error{Filename: sel.Filename, Diagnostics: []packfile.Diagnostic{{
			Message: fmt.Sprintf("%s: symlinks lead on through more than %d folders", sel.Key, maxRounds), Range: sel.At[0],
		}}}
	}
	sel.Answered(a)
	return false, nil
}

// checkSlices says which patterns of slices match no file.
func (s *selections) checkSlices(ctx context.Context, patterns []graph.Pattern) error {
	for _, p := range patterns {
		files := search{s.links, maxLooks}
		found, err := files.hasFile(ctx, "", strings.Split(fact.Glob(p.Glob), "/"))
		if err != nil {
			return err
		}
		if found {
			continue
		}
		s.build.warnOnce(ctx, p.Filename, []packfile.Diagnostic{{
			Message: fmt.Sprintf("paths: no file of the app matches %q%s", p.Glob, s.hidden(p.Glob)), Range: p.At,
		}})
	}
	return nil
}
