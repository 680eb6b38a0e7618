package frontend

import (
	"context"
	"errors"
	"strings"

	"github.com/distribution/reference"
	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/graph"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/previous"
)

// previousName is the named context that stands for the image that layers are taken over from.
const previousName = "previous"

// earlier is the image that layers are taken over from.
type earlier struct {
	image *previous.Image
	// cache is where the image is whose inline cache has to be imported, for BuildKit to find its layers; "" for nowhere.
	cache string
}

// findPrevious finds the image that layers are taken over from. It only saves work: when there is none, or it is of no
// use, the user is warned and the result has none.
func (b *build) findPrevious(ctx context.Context, p ocispecs.Platform) (earlier, error) {
	image, ref, err := b.previousImage(ctx, p)
	if ctx.Err() != nil {
		return earlier{}, context.Cause(ctx)
	}
	if err != nil {
		b.warnPrevious(ctx, err.Error())
		return earlier{}, nil
	}
	if image == nil {
		return earlier{}, nil
	}
	var found earlier
	var warnings []string
	found.image, warnings = previous.New(*image)
	for _, w := range warnings {
		b.warnPrevious(ctx, w)
	}
	if found.image != nil && found.image.References() {
		found.cache = ref
	}
	return found, nil
}

// separatePrevious makes the previous images of all platforms fit for one build, and returns what is to be imported for them.
func (b *build) separatePrevious() []string {
	all := make([]*previous.Image, len(b.images))
	for i, im := range b.images {
		all[i] = im.previous.image
	}
	var imports []string
	for i, image := range previous.Separate(all) {
		of := &b.images[i].previous
		if of.image = image; image != nil && image.References() {
			imports = append(imports, of.cache)
		}
	}
	return imports
}

// previousImage is the image that the named context stands for, nil when there is none; ref names what has to be imported for
// its inline cache, "" when it has none.
func (b *build) previousImage(ctx context.Context, p ocispecs.Platform) (image *previous.Source, ref string, err error) {
	var dgst digest.Digest
	nc, err := b.ui.NamedContext(previousName, dockerui.ContextOpt{
		Platform:      &p,
		ResolveMode:   b.ui.ImageResolveMode.String(),
		CaptureDigest: &dgst,
	})
	if nc == nil || err != nil {
		return nil, "", err
	}
	st, cfg, err := nc.Load(ctx)
	if err != nil {
		return nil, "", noSuchPlatform(err, p)
	}
	if cfg == nil || st.Output() == nil {
		return nil, "", errors.New("it is no image: name one with docker-image:// or oci-layout://")
	}
	image = &previous.Source{State: *st, Config: cfg}
	if ref, err = registryImage(ctx, *st); err != nil || ref == "" || dgst == "" {
		return image, "", err
	}
	image.State, err = pinned(ctx, *st, dgst, p)
	if err != nil || layering(b.client.BuildOpts()).Flat {
		return image, "", err
	}
	found, err := b.findCache(ctx, ref, dgst, p)
	image.InlineCache = found.records
	return image, found.ref, err
}

// registryImage is the name, without tag, of an image in a registry; "" when it is elsewhere.
func registryImage(ctx context.Context, st bk.State) (string, error) {
	def, err := llb.Marshal(ctx, st)
	if err != nil {
		return "", err
	}
	ops, err := llb.ParseOperations(def.Def)
	if err != nil || len(ops) != 2 { // a source, and what says that it is the result
		return "", err
	}
	ref, ok := strings.CutPrefix(ops[0].GetSource().GetIdentifier(), imageScheme)
	if !ok {
		return "", nil
	}
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return "", err
	}
	return named.Name(), nil
}

// previousError says that layers of the previous image cannot be had, although its config promises them.
type previousError struct{ error }

// blamePrevious finds out whether a build failed for the sake of the previous image alone.
func (b *build) blamePrevious(ctx context.Context, d *graph.Decisions, failed error) error {
	if failed == nil || d == nil || ctx.Err() != nil {
		return failed
	}
	reused := d.Reused()
	if reused == nil {
		return failed
	}
	if _, err := b.solve(ctx, *reused); err != nil {
		return &previousError{err}
	}
	return failed
}
