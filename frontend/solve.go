package frontend

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerui"
	gw "github.com/moby/buildkit/frontend/gateway/client"

	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/graph"
	"github.com/packfile/frontend/guard"
	"github.com/packfile/frontend/image"
)

// answers are what steps said to questions.
type answers struct {
	results fact.Facts
	err     error
}

// findFacts asks the questions of a build until there are none, as many at the same time as possible. It returns the decisions
// under all answers; after an error, under the answers so far. The first error ends it.
func (b *build) findFacts(ctx context.Context, app *app, d *graph.Decisions) (*graph.Decisions, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	asked := map[fact.Question]bool{}
	selections := newSelections(b, app, d)
	answered := make(chan answers)
	pending := 0
	var failed error
	fail := func(err error) {
		if failed == nil {
			failed = err
			cancel()
		}
	}
	for {
		if failed == nil {
			inquiries, err := askOpen(ctx, d, asked, selections)
			if err != nil {
				fail(err)
			}
			for _, in := range inquiries {
				pending++
				var a answers
				guard.Start(ctx, func() (err error) {
					if in.Wanted != nil {
						a.results, err = b.lookUp(ctx, in)
					} else {
						a.results, err = b.answer(ctx, in)
					}
					return err
				}, func(err error) {
					a.err = err
					answered <- a
				})
			}
		}
		switch {
		case pending > 0:
		case failed != nil:
			return d, failed
		default:
			if err := selections.checkPlaces(ctx); err != nil {
				return d, err
			}
			return d, selections.checkImage(ctx, d)
		}
		a := <-answered
		pending--
		if a.err != nil {
			fail(a.err)
		}
		final := fact.Facts{}
		byLayer := func(x, y fact.Question) int { return strings.Compare(x.Layer, y.Layer) } // errors are the same every time
		for _, q := range slices.SortedFunc(maps.Keys(a.results), byLayer) {
			done, err := selections.answered(ctx, q, a.results[q])
			switch {
			case err != nil:
				fail(err)
			case done:
				final[q] = a.results[q]
			default:
				delete(asked, q)
			}
		}
		next, err := d.With(final)
		if err != nil {
			fail(err)
			continue
		}
		d = next
	}
}

// askOpen returns inquiries for the questions that can be asked now and were not asked yet, and marks these as asked.
func askOpen(ctx context.Context, d *graph.Decisions, asked map[fact.Question]bool, selections *selections) ([]fact.Inquiry, error) {
	questions := slices.DeleteFunc(d.Questions(), func(q fact.Question) bool { return asked[q] })
	for _, q := range questions {
		asked[q] = true
		if err := selections.asked(ctx, q, d.Selection(q)); err != nil {
			return nil, err
		}
	}
	return d.Ask(ctx, questions, selections.of)
}

// solveImage builds the image, which it returns with its result, and finds out what its labels must say about the layers. It returns the decisions under all that.
// It also runs the steps of layers that are not in the image: they must succeed as well.
func (b *build) solveImage(ctx context.Context, d *graph.Decisions, in image.Input) (*graph.Decisions, *image.Image, *platformResult, error) {
	img, err := assemble(ctx, d, in)
	if err != nil {
		return d, nil, nil, err
	}
	b.warnLeftOut(ctx, img)
	epoch := b.times.other
	result := &platformResult{BuildResult: dockerui.BuildResult{Epoch: &epoch, BaseImage: img.Base}}
	for {
		b.warnLayers(ctx, img)
		var answers fact.Facts
		if result.Reference, answers, err = b.solveAndAsk(ctx, img); err != nil {
			return d, nil, nil, err
		}
		if d, err = d.With(answers); err != nil || b.ui.Target != "" {
			break
		}
		next, err := img.Again(ctx, d)
		if err != nil {
			return d, nil, nil, err
		}
		same := img.Same(next)
		if img = next; same {
			break
		}
	}
	if err != nil {
		return d, nil, nil, err
	}
	if result.Image, err = img.Config(); err != nil || b.ui.Target != "" {
		return d, img, result, err
	}
	result.inlineCache, err = img.InlineCache()
	return d, img, result, err
}

// assemble puts the image together, or the layer that a target exports.
func assemble(ctx context.Context, d *graph.Decisions, in image.Input) (*image.Image, error) {
	if d.TargetLayer != nil {
		return image.Layer(ctx, d)
	}
	return image.Assemble(ctx, d, in)
}

// solveAndAsk builds an image, and at the same time answers what is left to be found out about it.
func (s *solver) solveAndAsk(ctx context.Context, img *image.Image) (ref gw.Reference, answers fact.Facts, err error) {
	eg, egCtx := guard.NewGroup(ctx)
	eg.Go(func() (err error) {
		answers, err = s.answerAll(egCtx, img.Left)
		return err
	})
	eg.Go(func() (err error) {
		ref, err = s.solve(egCtx, img.State)
		return err
	})
	return ref, answers, eg.Wait()
}
