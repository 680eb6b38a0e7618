package frontend

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/packfile/frontend/convert"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/packfile"
)

// images are what a build for one platform stands on.
type images struct {
	build, run convert.Base
	previous   previous
	tools      bk.State
	owner      llb.Owner // user of steps
	user       string    // user of the app image
}

// imageScheme begins an image's identifier, in named contexts and in source operations.
const imageScheme = "docker-image://"

// namedImages are the named contexts that stand for images, and the keys of [config] that they override.
var namedImages = []string{"build-image", "run-image"}

// nameImages makes the images that the packfile names known as named contexts, unless the user named others: from there
// on both are found in the same way.
func nameImages(opts map[string]string, cfg *packfile.Config) {
	for _, name := range namedImages {
		ref := cfg.BuildImage
		if name == "run-image" {
			ref = cfg.RunImage
		}
		if _, given := opts["context:"+name]; !given && ref != "" {
			opts["context:"+name] = imageScheme + ref
		}
	}
}

func (b *build) resolveImages(ctx context.Context, p ocispecs.Platform) (*images, error) {
	var im images
	if err := b.checkImages(p); err != nil {
		return nil, err
	}
	eg, egCtx := errgroup.WithContext(ctx)
	eg.Go(func() (err error) {
		im.run, err = b.namedImage(egCtx, "run-image", p)
		return err
	})
	eg.Go(func() (err error) {
		im.build, err = b.namedImage(egCtx, "build-image", p)
		return err
	})
	eg.Go(func() (err error) {
		im.previous, err = b.findPrevious(egCtx, p)
		return err
	})
	err := eg.Wait()
	if err != nil {
		return nil, err
	}
	if im.tools, err = b.tools(p); err != nil {
		return nil, err
	}
	im.owner, im.user, err = b.users(ctx, im)
	return &im, err
}

// needsImage says whether this build stands on the image of that name.
func (b *build) needsImage(name string) bool {
	if name == "run-image" {
		return b.ui.Target == ""
	}
	return slices.ContainsFunc(b.pf.Layers, func(l packfile.Layer) bool { return l.Provide != nil })
}

// checkImages fails for all images at once that the build needs and nobody named.
func (b *build) checkImages(p ocispecs.Platform) error {
	var missing []packfile.Diagnostic
	for _, name := range namedImages {
		nc, err := b.ui.NamedContext(name, dockerui.ContextOpt{Platform: &p})
		if err != nil {
			return err
		}
		if nc == nil && b.needsImage(name) {
			missing = append(missing, packfile.Diagnostic{
				Message: "no " + name,
				Hint:    fmt.Sprintf("name one as %[1]s in [config], or with --build-context %[1]s=docker-image://NAME", name),
				Range:   b.pf.Config.Range(),
			})
		}
	}
	if missing == nil {
		return nil
	}
	return &packfile.Error{Filename: b.source.Filename, Diagnostics: missing}
}

// namedImage finds an image by the named context that stands for it; checkImages has found that there is one.
func (b *build) namedImage(ctx context.Context, name string, p ocispecs.Platform) (convert.Base, error) {
	none := convert.Base{State: bk.Scratch()}
	if !b.needsImage(name) {
		return none, nil
	}
	var dgst digest.Digest
	nc, err := b.ui.NamedContext(name, dockerui.ContextOpt{
		Platform:      &p,
		ResolveMode:   b.ui.ImageResolveMode.String(),
		CaptureDigest: &dgst,
	})
	if err != nil {
		return none, b.imageError(name, err)
	}
	st, cfg, err := nc.Load(ctx)
	if err != nil {
		return none, b.imageError(name, err)
	}
	img := convert.Base{State: *st, Config: cfg, Digest: dgst}
	switch {
	case dgst != "":
		img.Exact = true
		img.State, err = pinned(ctx, *st, dgst, p)
	case st.Output() != nil:
		img.Digest, err = definitionDigest(ctx, *st)
	}
	return img, err
}

// pinned is an image by its digest, whatever its tag means by now: its layers are those that its config, which has been
// read, is about. And the registry need not be asked again.
func pinned(ctx context.Context, st bk.State, dgst digest.Digest, p ocispecs.Platform) (bk.State, error) {
	def, err := st.Marshal(ctx)
	if err != nil {
		return st, err
	}
	for _, dt := range def.Def {
		var op pb.Op
		if err := op.Unmarshal(dt); err != nil {
			return st, err
		}
		ref, ok := strings.CutPrefix(op.GetSource().GetIdentifier(), imageScheme)
		if !ok || strings.Contains(ref, "@") {
			continue
		}
		name := def.Metadata[digest.FromBytes(dt)].Description["llb.customname"]
		return st.WithOutput(bk.Image(ref+"@"+dgst.String(), bk.Platform(p), bk.WithCustomName(name)).Output()), nil
	}
	return st, nil
}

func (b *build) imageError(name string, err error) error {
	if b.pf.Config.Has(name) {
		return b.errorAt(b.pf.Config.At(name), "%s: %v", name, err)
	}
	return fmt.Errorf("named context %s: %w", name, err)
}

// definitionDigest tells apart images that have no digest because they are results of a build (inputs of bake). Sources
// of the client are told apart by name: their session is another one in every build.
func definitionDigest(ctx context.Context, st bk.State) (digest.Digest, error) {
	def, err := st.Marshal(ctx)
	if err != nil {
		return "", err
	}
	digester := digest.Canonical.Digester()
	index := map[string]string{}
	for i, dt := range def.Def {
		var op pb.Op
		if err := op.Unmarshal(dt); err != nil {
			return "", err
		}
		index[digest.FromBytes(dt).String()] = fmt.Sprintf("op:%d", i)
		for _, in := range op.Inputs {
			in.Digest = index[in.Digest]
		}
		if src := op.GetSource(); src != nil {
			delete(src.Attrs, pb.AttrLocalSessionID)
			delete(src.Attrs, pb.AttrLocalUniqueID)
		}
		canonical, err := llb.MarshalDeterministic(&op)
		if err != nil {
			return "", err
		}
		digester.Hash().Write(canonical)
	}
	return digester.Digest(), nil
}

// ownDefinition is where BuildKit puts the definition of the frontend's own image.
const ownDefinition = "/run/config/buildkit/metadata/frontend.bin"

// tools is the frontend's own image for a platform: it has what steps and app images need of ours.
func (b *build) tools(p ocispecs.Platform) (bk.State, error) {
	data, err := os.ReadFile(ownDefinition)
	if err != nil {
		return bk.State{}, fmt.Errorf("the frontend's own image is not known: %w (it has to be run from its image, by BuildKit %s or later)", err, minBuildKit)
	}
	var def pb.Definition
	if err := def.Unmarshal(data); err != nil {
		return bk.State{}, fmt.Errorf("the frontend's own image: %w", err)
	}
	for _, dt := range def.Def {
		var op pb.Op
		if err := op.Unmarshal(dt); err != nil {
			return bk.State{}, fmt.Errorf("the frontend's own image: %w", err)
		}
		if src := op.GetSource(); src != nil {
			// For the daemon's own platform, the very operation that it runs the frontend from needs no second look into
			// the registry.
			if ref, ok := strings.CutPrefix(src.Identifier, imageScheme); ok && !samePlatform(op.Platform, p) {
				return bk.Image(ref, bk.Platform(p), dockerui.WithInternalName("packfile tools")), nil
			}
		}
	}
	op, err := bk.NewDefinitionOp(&def)
	if err != nil {
		return bk.State{}, fmt.Errorf("the frontend's own image: %w", err)
	}
	return bk.NewState(op.Output()), nil
}

// samePlatform says whether an operation is for a platform.
func samePlatform(op *pb.Platform, p ocispecs.Platform) bool {
	return op != nil && platforms.FormatAll(platforms.Normalize(op.Spec())) == platforms.FormatAll(platforms.Normalize(p))
}
