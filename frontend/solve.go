package frontend

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	gw "github.com/moby/buildkit/frontend/gateway/client"

	"github.com/packfile/frontend/convert"
	"github.com/packfile/frontend/guard"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/measure"
	"github.com/packfile/frontend/step"
	"github.com/packfile/frontend/tree"
)

// solve builds a state and returns when that has succeeded.
func (b *build) solve(ctx context.Context, st bk.State) (gw.Reference, error) {
	def, err := llb.Marshal(ctx, st, bk.WithCaps(b.client.BuildOpts().LLBCaps))
	if err != nil {
		return nil, err
	}
	return b.solveDefinition(ctx, def)
}

func (b *build) solveDefinition(ctx context.Context, def *bk.Definition) (gw.Reference, error) {
	var imports []gw.CacheOptionsEntry
	if found := b.imports.Load(); found != nil {
		imports = *found
	} else { // the previous image is being looked up
		imports = b.cacheImports()
	}
	graph := def.ToPB()
	if err := checkDefinition(graph); err != nil {
		return nil, err
	}
	res, err := b.client.Solve(ctx, gw.SolveRequest{
		Definition:   graph,
		Evaluate:     true,
		CacheImports: imports,
	})
	if err != nil {
		return nil, b.solveErrors().explain(err, def)
	}
	return res.SingleRef()
}

// solveFiles does so for what wants files, and not a reference.
func (b *build) solveFiles(ctx context.Context, def *bk.Definition) (tree.Files, error) {
	ref, err := b.solveDefinition(ctx, def)
	return files{ref}, err
}

// cacheImports are those that the user named. They are given to every solve: a step is as likely to be in an imported cache
// as a layer.
func (b *build) cacheImports() []gw.CacheOptionsEntry {
	imports := make([]gw.CacheOptionsEntry, len(b.ui.CacheImports))
	for i, im := range b.ui.CacheImports {
		imports[i] = gw.CacheOptionsEntry{Type: im.Type, Attrs: im.Attrs}
	}
	return imports
}

// importInlineCaches has the inline caches of images imported from now on, beside what the user named. An empty name is none,
// and an index, which has the images of several platforms, is imported once.
func (b *build) importInlineCaches(images []string) {
	imports := b.cacheImports()
	slices.Sort(images)
	for _, ref := range slices.Compact(images) {
		if ref != "" {
			imports = append(imports, gw.CacheOptionsEntry{Type: "registry", Attrs: map[string]string{"ref": ref}})
		}
	}
	b.imports.Store(&imports)
}

// answers are what steps said to questions.
type answers struct {
	results convert.Facts
	err     error
}

// findFacts asks the questions of a build, as many at a time as can be asked, until there are none. It returns what becomes of the
// layers under all answers; after an error, under those that there are. The first error ends it.
func (b *build) findFacts(ctx context.Context, app *app, d *convert.Decisions) (*convert.Decisions, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	asked := map[convert.Question]bool{}
	selections := newSelections(b, app)
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
					a.results, err = b.answer(ctx, in)
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
			return d, selections.checkSlices(ctx, d.SlicePatterns())
		}
		a := <-answered
		pending--
		if a.err != nil {
			fail(a.err)
		}
		final := convert.Facts{}
		byLayer := func(x, y convert.Question) int { return strings.Compare(x.Layer, y.Layer) } // so that errors are the same every time
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

// askOpen returns what answers the questions that can be asked now and have not been.
func askOpen(ctx context.Context, d *convert.Decisions, asked map[convert.Question]bool, selections *selections) ([]convert.Inquiry, error) {
	questions := slices.DeleteFunc(d.Questions(), func(q convert.Question) bool { return asked[q] })
	for _, q := range questions {
		asked[q] = true
		if err := selections.asked(ctx, q, d.Selection(q)); err != nil {
			return nil, err
		}
	}
	return d.Ask(ctx, questions, selections.of)
}

// answer runs the steps of an inquiry and reads their results.
func (b *build) answer(ctx context.Context, in convert.Inquiry) (convert.Facts, error) {
	ref, err := b.solve(ctx, in.State)
	if err != nil {
		return nil, err
	}
	results := convert.Facts{}
	var mu sync.Mutex
	eg, egCtx := guard.NewGroup(ctx)
	for q, file := range in.Files {
		eg.Go(func() error {
			result, err := readResult(egCtx, files{ref}, file)
			mu.Lock()
			defer mu.Unlock()
			results[q] = in.Answer(q, result)
			return err
		})
	}
	return results, eg.Wait()
}

// answerAll answers inquiries that do not depend on each other.
func (b *build) answerAll(ctx context.Context, inquiries []convert.Inquiry) (convert.Facts, error) {
	facts := convert.Facts{}
	eg, egCtx := guard.NewGroup(ctx)
	var mu sync.Mutex // for facts
	for _, in := range inquiries {
		eg.Go(func() error {
			results, err := b.answer(egCtx, in)
			mu.Lock()
			defer mu.Unlock()
			maps.Copy(facts, results)
			return err
		})
	}
	return facts, eg.Wait()
}

// readResult reads the result of a step.
func readResult(ctx context.Context, from tree.Files, file string) (result step.Result, err error) {
	data, err := from.ReadFile(ctx, file)
	if err != nil {
		return result, err
	}
	if err := measure.DecodeJSON(data, measure.Record, &result); err != nil {
		return result, fmt.Errorf("result of a step: %w", err)
	}
	return result, nil
}

// solveImage builds the image, and finds out what its labels have to say of the layers, under which it returns the decisions. That
// takes the steps of layers that are not in the image too: they have to succeed as well.
func (b *build) solveImage(ctx context.Context, d *convert.Decisions) (*convert.Decisions, *platformResult, error) {
	assemble := d.Image
	if b.ui.Target != "" {
		assemble = d.Layer
	}
	img, err := assemble(ctx)
	if err != nil {
		return d, nil, err
	}
	epoch := b.epoch
	result := &platformResult{BuildResult: dockerui.BuildResult{Epoch: &epoch, BaseImage: img.Base}}
	for {
		b.warnLayers(ctx, img)
		var answers convert.Facts
		if result.Reference, answers, err = b.solveAndAsk(ctx, img); err != nil {
			return d, nil, err
		}
		if d, err = d.With(answers); err != nil || b.ui.Target != "" {
			break
		}
		next, err := img.Again(ctx, d)
		if err != nil {
			return d, nil, err
		}
		if img.Same(next) {
			break
		}
		img = next
	}
	if err != nil {
		return d, nil, err
	}
	if result.Image, err = d.Config(img); err != nil || b.ui.Target != "" {
		return d, result, err
	}
	result.inlineCache, err = d.InlineCache(img)
	return d, result, err
}

// solveAndAsk builds an image and at the same time finds out what is left to be known of it.
func (b *build) solveAndAsk(ctx context.Context, img *convert.Image) (ref gw.Reference, answers convert.Facts, err error) {
	eg, egCtx := guard.NewGroup(ctx)
	eg.Go(func() (err error) {
		answers, err = b.answerAll(egCtx, img.Left)
		return err
	})
	eg.Go(func() (err error) {
		ref, err = b.solve(egCtx, img.State)
		return err
	})
	return ref, answers, eg.Wait()
}
