package frontend

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	gw "github.com/moby/buildkit/frontend/gateway/client"

	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/guard"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/measure"
	"github.com/packfile/frontend/step"
	"github.com/packfile/frontend/tree"
)

// solver has BuildKit execute definitions, with the imported caches.
type solver struct {
	client         gw.Client
	named          []gw.CacheOptionsEntry // caches that the user named
	imports        atomic.Pointer[[]gw.CacheOptionsEntry]
	explainFailure func(error, *bk.Definition) error // returns the error in the packfile's terms
}

// solve builds a state and returns when that has succeeded.
func (s *solver) solve(ctx context.Context, st bk.State) (gw.Reference, error) {
	def, err := llb.Marshal(ctx, st, bk.WithCaps(s.client.BuildOpts().LLBCaps))
	if err != nil {
		return nil, err
	}
	return s.solveDefinition(ctx, def)
}

// solveDefinition solves a definition and returns when that has succeeded. It fails for a definition that is too large; errors of
// the solve are in the packfile's terms.
func (s *solver) solveDefinition(ctx context.Context, def *bk.Definition) (gw.Reference, error) {
	var imports []gw.CacheOptionsEntry
	if found := s.imports.Load(); found != nil {
		imports = *found
	} else { // the previous image is being looked up
		imports = s.named
	}
	graph := def.ToPB()
	if err := checkDefinition(graph); err != nil {
		return nil, err
	}
	res, err := s.client.Solve(ctx, gw.SolveRequest{
		Definition:   graph,
		Evaluate:     true,
		CacheImports: imports,
	})
	if err != nil {
		return nil, s.explainFailure(err, def)
	}
	return res.SingleRef()
}

// solveFiles solves a definition and returns the files of the result.
func (s *solver) solveFiles(ctx context.Context, def *bk.Definition) (tree.Files, error) {
	ref, err := s.solveDefinition(ctx, def)
	return files{ref}, err
}

// cacheImports returns the caches that the user named. Every solve gets them: an imported cache may hold steps as well as layers.
func cacheImports(ui *dockerui.Client) []gw.CacheOptionsEntry {
	imports := make([]gw.CacheOptionsEntry, len(ui.CacheImports))
	for i, im := range ui.CacheImports {
		imports[i] = gw.CacheOptionsEntry{Type: im.Type, Attrs: im.Attrs}
	}
	return imports
}

// importInlineCaches makes later solves import the inline caches of images, in addition to the caches that the user named. It
// ignores empty names. It imports an index, which has the images of several platforms, once.
func (s *solver) importInlineCaches(images []string) {
	imports := slices.Clone(s.named)
	slices.Sort(images)
	for _, ref := range slices.Compact(images) {
		if ref != "" {
			imports = append(imports, gw.CacheOptionsEntry{Type: "registry", Attrs: map[string]string{"ref": ref}})
		}
	}
	s.imports.Store(&imports)
}

// answer runs the steps of an inquiry and reads their results.
func (s *solver) answer(ctx context.Context, in fact.Inquiry) (fact.Facts, error) {
	ref, err := s.solve(ctx, in.State)
	if err != nil {
		return nil, err
	}
	results := fact.Facts{}
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
func (s *solver) answerAll(ctx context.Context, inquiries []fact.Inquiry) (fact.Facts, error) {
	facts := fact.Facts{}
	eg, egCtx := guard.NewGroup(ctx)
	var mu sync.Mutex // for facts
	for _, in := range inquiries {
		eg.Go(func() error {
			results, err := s.answer(egCtx, in)
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
