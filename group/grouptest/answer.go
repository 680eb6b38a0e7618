package grouptest

import (
	"context"
	"testing"

	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/step"
)

// decisions have questions until all are answered; graph.Decisions are such.
type decisions[D any] interface {
	Questions() []fact.Question
	Ask(context.Context, []fact.Question, map[fact.Question]*fact.Selection) ([]fact.Inquiry, error)
	With(fact.Facts) (D, error)
}

// Answer answers questions until there are none left. It returns the last decisions, and f, the facts that d was made under, with
// the answers.
func Answer[D decisions[D]](t testing.TB, d D, f fact.Facts, answer func(D, fact.Question) step.Result) (D, fact.Facts) {
	t.Helper()
	for {
		qs := d.Questions()
		if len(qs) == 0 {
			return d, f
		}
		more := fact.Facts{}
		for _, q := range qs {
			inquiries, err := d.Ask(t.Context(), []fact.Question{q}, nil)
			if err != nil {
				t.Fatal(err)
			}
			more[q] = inquiries[0].Answer(q, answer(d, q))
		}
		f = f.With(more)
		var err error
		if d, err = d.With(more); err != nil {
			t.Fatal(err)
		}
	}
}
