package frontend

import (
	"context"
	"fmt"

	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/graph"
	"github.com/packfile/frontend/node"
)

// maxRounds is how often a question about files is asked because of symlinks: a folder behind a symlink may hold more of them.
const maxRounds = 40

// selections are the files that the questions of one platform's build are about. A question is asked with the packfile's patterns
// and the symlinks on their way. When there are symlinks among the files, it is asked again, with what they lead to.
type selections struct {
	build  *build
	app    *app
	places []graph.Place // of symbolic links, which the app's own files make room for
	links  *appLinks
	of     map[fact.Question]*fact.Selection // of questions that were asked
	rounds map[fact.Question]int
}

func newSelections(b *build, app *app, d *graph.Decisions) *selections {
	return &selections{
		build: b, app: app, places: d.Places(), links: newAppLinks(b, app.tree, "", d.App.Hidden),
		of: map[fact.Question]*fact.Selection{}, rounds: map[fact.Question]int{},
	}
}

// asked prepares a question before it is asked. sel is nil for a question that is not about files.
func (s *selections) asked(ctx context.Context, q fact.Question, sel *fact.Selection) error {
	if sel == nil || s.of[q] != nil {
		return nil
	}
	s.of[q], s.rounds[q] = sel, 1
	return s.links.onTheWay(ctx, sel)
}

// answered reports whether an answer is final, or the question must be asked again about more files. It warns about what is
// questionable in a final answer, and fails after maxRounds.
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
		return true, s.check(ctx, q, a.Result, lost)
	}
	if s.rounds[q]++; s.rounds[q] > maxRounds {
		return false, &node.Error{Filename: sel.Filename, Diagnostics: []node.Diagnostic{{
			Message: fmt.Sprintf("%s: symlinks lead on through more than %d folders", sel.Key, maxRounds), Range: sel.At[0],
		}}}
	}
	sel.Answered(a)
	return false, nil
}
