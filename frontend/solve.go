package frontend

import (
	"context"
	"encoding/json"
	"fmt"

	bk "github.com/moby/buildkit/client/llb"
	gw "github.com/moby/buildkit/frontend/gateway/client"
	"golang.org/x/sync/errgroup"

	"github.com/packfile/frontend/convert"
	"github.com/packfile/frontend/step"
)

// solve builds a state and returns when that has succeeded.
func (b *build) solve(ctx context.Context, st bk.State) (gw.Reference, error) {
	def, err := b.marshal(ctx, st)
	if err != nil {
		return nil, err
	}
	return b.solveDefinition(ctx, def)
}

// marshal turns a state into a definition. States that share an exec operation must not be marshalled at the same time:
// client/llb sorts the operation's mounts without a lock, and what is counted meanwhile is the wrong output (seen with
// BuildKit v0.33.1 as "invalid response from exec need 3 index but 3 results received").
func (b *build) marshal(ctx context.Context, st bk.State) (*bk.Definition, error) {
	b.marshalling.Lock()
	defer b.marshalling.Unlock()
	return st.Marshal(ctx, bk.WithCaps(b.client.BuildOpts().LLBCaps))
}

func (b *build) solveDefinition(ctx context.Context, def *bk.Definition) (gw.Reference, error) {
	res, err := b.client.Solve(ctx, gw.SolveRequest{
		Definition:   def.ToPB(),
		Evaluate:     true,
		CacheImports: b.cacheImports(),
	})
	if err != nil {
		return nil, b.explainSolve(err, def)
	}
	return res.SingleRef()
}

// cacheImports are given to every solve: a step is as likely to be in an imported cache as a layer.
func (b *build) cacheImports() []gw.CacheOptionsEntry {
	imports := make([]gw.CacheOptionsEntry, len(b.ui.CacheImports))
	for i, im := range b.ui.CacheImports {
		imports[i] = gw.CacheOptionsEntry{Type: im.Type, Attrs: im.Attrs}
	}
	return imports
}

// answer is what a step said to a question.
type answer struct {
	question convert.Question
	result   step.Result
	err      error
}

// findFacts asks a build's questions, as many at a time as can be asked, until there are none. The first error ends it.
func (b *build) findFacts(ctx context.Context, conv *convert.Build) (convert.Facts, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	facts := convert.Facts{}
	asked := map[convert.Question]bool{}
	answers := make(chan answer)
	pending := 0
	var failed error
	for {
		if failed == nil {
			for _, q := range conv.Questions(facts) {
				if asked[q] {
					continue
				}
				asked[q] = true
				st, err := conv.Ask(ctx, q, facts)
				if err != nil {
					failed = err
					cancel()
					break
				}
				pending++
				go func() {
					result, err := b.readResult(ctx, st)
					answers <- answer{q, result, err}
				}()
			}
		}
		if pending == 0 {
			return facts, failed
		}
		a := <-answers
		pending--
		if a.err != nil && failed == nil {
			failed = a.err
			cancel()
		}
		facts[a.question] = a.result
	}
}

// readResult runs a step and reads its result.
func (b *build) readResult(ctx context.Context, st bk.State) (result step.Result, err error) {
	ref, err := b.solve(ctx, st)
	if err != nil {
		return result, err
	}
	data, err := ref.ReadFile(ctx, gw.ReadRequest{Filename: convert.ResultPath})
	if err != nil {
		return result, err
	}
	if err := json.Unmarshal(data, &result); err != nil {
		return result, fmt.Errorf("result of a step: %w", err)
	}
	return result, nil
}

// solveImage builds the image, and beside it the layers that are not in it: their steps have to succeed as well.
func (b *build) solveImage(ctx context.Context, conv *convert.Build, facts convert.Facts, img *convert.Image) (ref gw.Reference, err error) {
	others, err := conv.Unexported(ctx, facts)
	if err != nil {
		return nil, err
	}
	eg, ctx := errgroup.WithContext(ctx)
	if others != nil {
		eg.Go(func() error {
			_, err := b.solve(ctx, *others)
			return err
		})
	}
	eg.Go(func() error {
		var err error
		ref, err = b.solve(ctx, img.State)
		return err
	})
	return ref, eg.Wait()
}
