package frontend

import (
	"context"
	"encoding/json"
	"fmt"

	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	gw "github.com/moby/buildkit/frontend/gateway/client"
	"golang.org/x/sync/errgroup"

	"github.com/packfile/frontend/convert"
	"github.com/packfile/frontend/layerkey"
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
	var imports []gw.CacheOptionsEntry
	if found := b.imports.Load(); found != nil {
		imports = *found
	} else { // the previous image is being looked up
		imports = b.cacheImports()
	}
	res, err := b.client.Solve(ctx, gw.SolveRequest{
		Definition:   def.ToPB(),
		Evaluate:     true,
		CacheImports: imports,
	})
	if err != nil {
		return nil, b.explainSolve(err, def)
	}
	return res.SingleRef()
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

// stepAnswer is what a step said to a question.
type stepAnswer struct {
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
	answers := make(chan stepAnswer)
	pending := 0
	var failed error
	for {
		if failed == nil {
			questions, err := conv.Questions(facts)
			if err != nil {
				failed = err
				cancel()
			}
			for _, q := range questions {
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
					result, err := b.answer(ctx, st)
					answers <- stepAnswer{q, result, err}
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

// answer runs a step and reads its result.
func (b *build) answer(ctx context.Context, st bk.State) (step.Result, error) {
	ref, err := b.solve(ctx, st)
	if err != nil {
		return step.Result{}, err
	}
	return readResult(ctx, ref, convert.ResultPath)
}

// readResult reads the result of a step.
func readResult(ctx context.Context, ref gw.Reference, file string) (result step.Result, err error) {
	data, err := ref.ReadFile(ctx, gw.ReadRequest{Filename: file})
	if err != nil {
		return result, err
	}
	if err := json.Unmarshal(data, &result); err != nil {
		return result, fmt.Errorf("result of a step: %w", err)
	}
	return result, nil
}

// solveImage builds the image, and finds out what its label has to say of the layers. That takes the steps of layers that
// are not in the image too: they have to succeed as well.
func (b *build) solveImage(ctx context.Context, conv *convert.Build, facts convert.Facts) (*dockerui.BuildResult, error) {
	assemble := conv.Image
	if b.ui.Target != "" {
		assemble = conv.Layer
	}
	img, err := assemble(ctx, facts)
	if err != nil {
		return nil, err
	}
	epoch := b.epoch
	result := &dockerui.BuildResult{BaseImage: img.Base, Epoch: &epoch}
	eg, egCtx := errgroup.WithContext(ctx)
	if img.Left != nil {
		eg.Go(func() error { return b.readDescription(egCtx, img.Left, facts) })
	}
	eg.Go(func() (err error) {
		result.Reference, err = b.solve(egCtx, img.State)
		return err
	})
	if err := eg.Wait(); err != nil {
		return nil, err
	}
	if result.Image, err = conv.Config(img, facts); err != nil || b.ui.Target != "" {
		return result, err
	}
	records, err := conv.InlineCache(facts)
	if records != nil {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.inlineCaches[result.Image.Config.Labels[layerkey.LabelName]] = records
	}
	return result, err
}

// readDescription adds what is left to be found out about layers to the facts.
func (b *build) readDescription(ctx context.Context, d *convert.Description, facts convert.Facts) error {
	ref, err := b.solve(ctx, d.State)
	if err != nil {
		return err
	}
	for q, file := range d.Files {
		if facts[q], err = readResult(ctx, ref, file); err != nil {
			return err
		}
	}
	return nil
}
