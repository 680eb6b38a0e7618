package frontend

import (
	"context"
	"errors"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/graph"
	"github.com/packfile/frontend/image"
	"github.com/packfile/frontend/previous"
	"github.com/packfile/frontend/source"
)

// previousName is the named context of the image whose layers are reused.
const previousName = "previous"

// earlier is the image whose layers are reused.
type earlier struct {
	image *previous.Image
	// cache names the image whose inline cache must be imported, so that BuildKit finds the layers; "" for none.
	cache string
}

// findPrevious finds the image whose layers are reused. That image only saves work: when there is none, or it is of no use, the
// user gets a warning and the result is empty.
func (b imageFinder) findPrevious(ctx context.Context, p ocispecs.Platform) (earlier, error) {
	im, ref, err := b.previousImage(ctx, p)
	if ctx.Err() != nil {
		return earlier{}, context.Cause(ctx)
	}
	if err != nil {
		b.warnPrevious(ctx, err.Error())
		return earlier{}, nil
	}
	if im == nil {
		return earlier{}, nil
	}
	var found earlier
	var warnings []string
	found.image, warnings = previous.New(*im)
	for _, w := range warnings {
		b.warnPrevious(ctx, w)
	}
	if found.image != nil && found.image.References() {
		found.cache = ref
	}
	return found, nil
}

// separatePrevious makes the previous images of all platforms fit for one build, and returns the images whose inline caches to
// import.
func separatePrevious(found []*images) []string {
	all := make([]*previous.Image, len(found))
	for i, im := range found {
		all[i] = im.previous.image
	}
	var imports []string
	for i, image := range previous.Separate(all) {
		of := &found[i].previous
		if of.image = image; image != nil && image.References() {
			imports = append(imports, of.cache)
		}
	}
	return imports
}

// previousImage returns the image of the named context, nil when there is none. ref names the image whose inline cache must be
// imported, "" when it has none.
func (b imageFinder) previousImage(ctx context.Context, p ocispecs.Platform) (image *previous.Source, ref string, err error) {
	st, is, err := b.sources.Resolve(ctx, source.Context{Name: previousName, Platform: p, Pinned: true})
	if errors.Is(err, source.ErrNotGiven) {
		return nil, "", nil
	}
	if in, ok := errors.AsType[*source.ContextError](err); ok {
		err = in.Err // the caller says that it is about the previous image
	}
	if err != nil {
		return nil, "", err
	}
	if is.Config == nil || st.Output() == nil {
		return nil, "", errors.New("it is no image: name one with docker-image:// or oci-layout://")
	}
	image = &previous.Source{State: st, Config: is.Config}
	if is.Repository == "" || !is.Exact || layering(b.client.BuildOpts()).Flat {
		return image, "", nil
	}
	found, err := cacheFinder{b.sources, b.solve, b.warnPrevious}.find(ctx, is.Repository, is.Digest, p)
	image.InlineCache = found.records
	return image, found.ref, err
}

// previousError says that layers of the previous image cannot be pulled, although its config promises them.
type previousError struct{ error }

// blamePrevious returns a previousError when a build failed because of the previous image alone, else the error as it is. It
// finds out by solving what the build reuses and nothing else.
func (b *build) blamePrevious(ctx context.Context, d *graph.Decisions, in image.Input, failed error) error {
	if failed == nil || d == nil || ctx.Err() != nil {
		return failed
	}
	reused := image.Reused(d, in)
	if reused == nil {
		return failed
	}
	if _, err := b.solve(ctx, *reused); err != nil {
		return &previousError{err}
	}
	return failed
}
