package frontend

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/solver/pb"

	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/guard"
	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/source"
	"github.com/packfile/frontend/step"
)

// lookUp looks up the sources of an inquiry, all at the same time. It asks registries, servers and the client, and waits for no
// content. Errors point at the place that names the source.
func (b *build) lookUp(ctx context.Context, in fact.Inquiry) (fact.Facts, error) {
	found := map[string]fact.Found{}
	var mu sync.Mutex // for found
	eg, egCtx := guard.NewGroup(ctx)
	for id, s := range in.Wanted {
		eg.Go(func() error {
			is, err := b.findDep(egCtx, s)
			if err == nil {
				err = b.depImages.keep(egCtx, is, func(err error) error { return depError(id, s, err) })
			}
			if err != nil {
				return depError(id, s, err)
			}
			mu.Lock()
			defer mu.Unlock()
			found[id] = is
			return nil
		})
	}
	if err := eg.Wait(); err != nil {
		return nil, err
	}
	facts := fact.Facts{}
	for q := range in.Files {
		a := in.Answer(q, step.Result{})
		a.Found = found
		facts[q] = a
	}
	return facts, nil
}

// findDep looks up the source of a dep. It fails for a named context that nobody gave, for an image of another platform than the
// wanted one, and for a source without any content.
func (b *build) findDep(ctx context.Context, s source.Source) (fact.Found, error) {
	st, is, err := b.sources.Resolve(ctx, s)
	if p := s.Wanted().Platform; err == nil && p != nil {
		err = source.CheckPlatform(is.Config, *p)
	}
	if err == nil && st.Output() == nil {
		err = errors.New("it is empty")
	}
	return fact.Found{Resolved: is, Content: st}, err
}

// depError returns an error about the source of a dep, at its place.
func depError(id string, s source.Source, err error) error {
	wanted := s.Wanted()
	d := node.Diagnostic{Range: wanted.At.Range}
	named, isNamed := errors.AsType[*source.ContextError](err)
	switch {
	case errors.Is(err, source.ErrNotGiven):
		d.Message = fmt.Sprintf("dep %s: there is no named context %q", id, wanted.Ref)
		d.Hint = fmt.Sprintf("give one with --build-context %s=…: a folder, docker-image://IMAGE, oci-layout://FOLDER or the address of a Git repository", wanted.Ref)
	case isNamed:
		d.Message = fmt.Sprintf("dep %s: named context %s: %s: %s", id, named.Name, named.Given, withoutPrefix(named.Err.Error()))
	default:
		d.Message = fmt.Sprintf("dep %s: %s: %s", id, layerkey.Redact(wanted.Ref), withoutPrefix(err.Error()))
	}
	return &node.Error{Filename: wanted.At.Filename, Diagnostics: []node.Diagnostic{d}}
}

// depImages are the images that are deps, by the identifier of their operation: each with what makes an error about it. The zero
// value has none.
type depImages struct{ errors sync.Map }

// keep adds what was found of a dep when it is an image.
func (d *depImages) keep(ctx context.Context, is fact.Found, fail func(error) error) error {
	ops, err := llb.OperationsOf(ctx, is.Content)
	if err == nil && isImage(ops[0].Op) {
		d.errors.LoadOrStore(ops[0].GetSource().GetIdentifier(), fail)
	}
	return err
}

// pullError returns the error about a dep that cannot be pulled when one of these images is a dep; nil otherwise. Another image
// that the text names goes first.
func (d *depImages) pullError(images []*pb.Op, text string) error {
	named := func(op *pb.Op) bool {
		ref, err := reference.ParseNormalizedNamed(strings.TrimPrefix(op.GetSource().GetIdentifier(), source.ImageScheme))
		return err == nil && strings.Contains(text, reference.Path(ref)+"/")
	}
	if i := slices.IndexFunc(images, named); i >= 0 {
		images = images[i : i+1]
	}
	for _, op := range images {
		if fail, ok := d.errors.Load(op.GetSource().GetIdentifier()); ok {
			return fail.(func(error) error)(errors.New(text))
		}
	}
	return nil
}
