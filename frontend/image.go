package frontend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/solver/pb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/group"
	"github.com/packfile/frontend/guard"
	"github.com/packfile/frontend/image"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/packfile"
)

// images are what a build for one platform stands on.
type images struct {
	build, run container.Base
	distro     group.Distro    // of build, when its labels do not say
	launcher   *image.Launcher // nil for ours
	previous   earlier
	tools      bk.State
	native     container.Native
	owner      llb.Owner // user of steps
	user       string    // user of the app image
}

// imageScheme begins an image's identifier, in named contexts and in source operations.
const imageScheme = "docker-image://"

// namedImages are the named contexts that stand for images, and the keys of [config] that they override.
var namedImages = []string{"build-image", "run-image", launcherName}

// configImage is the image that the packfile has under one of these names.
func configImage(cfg *packfile.Config, name string) string {
	return map[string]string{"build-image": cfg.BuildImage, "run-image": cfg.RunImage, launcherName: cfg.Launcher}[name]
}

// nameImages makes the images that packfiles name known as named contexts, unless the user named others: from there on all are
// found in the same way. What the packfile that is built does not say, modules say, if they agree.
func (b *build) nameImages(ctx context.Context) {
	opts := b.client.BuildOpts().Opts
	for _, name := range namedImages {
		ref := configImage(&b.pf.Config, name)
		if said := b.imagesOfModules(name); ref == "" && len(said) == 1 {
			ref = said[0]
		}
		if _, given := opts["context:"+name]; !given && ref != "" {
			opts["context:"+name] = imageScheme + ref
		}
	}
	for _, u := range b.modules.units {
		if u.Module != b.root && u.Packfile.Config.Has("user") && b.opts.requestID == "" {
			b.warnAbout(ctx, u.Filename, []packfile.Diagnostic{{
				Message: "config.user of a module is not used: the packfile that is built says it", Range: u.Packfile.Config.At("user"),
			}})
		}
	}
}

// imagesOfModules are the images that modules name, each once.
func (b *build) imagesOfModules(name string) (said []string) {
	for _, u := range b.modules.units {
		if ref := configImage(&u.Packfile.Config, name); ref != "" && u.Module != b.root {
			said = append(said, ref)
		}
	}
	slices.Sort(said)
	return slices.Compact(said)
}

func (b *build) resolveImages(ctx context.Context, p ocispecs.Platform) (*images, error) {
	var im images
	if err := b.checkImages(p); err != nil {
		return nil, err
	}
	eg, egCtx := guard.NewGroup(ctx)
	eg.Go(func() (err error) {
		im.run, err = b.namedImage(egCtx, "run-image", p)
		return err
	})
	eg.Go(func() (err error) {
		if im.build, err = b.namedImage(egCtx, "build-image", p); err == nil {
			im.distro, err = b.readDistro(egCtx, im.build)
		}
		return err
	})
	eg.Go(func() (err error) {
		im.launcher, err = b.findLauncher(egCtx, p)
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
	if im.tools, err = b.tools(ctx, p, im.launcher == nil || b.runsScripts()); err != nil {
		return nil, err
	}
	if im.native, err = b.nativeTools(ctx); err != nil {
		return nil, err
	}
	im.owner, im.user, err = b.users(ctx, im)
	return &im, err
}

// needsImage says whether this build stands on the image of that name.
func (b *build) needsImage(name string) bool {
	switch {
	case b.planning():
		return name == "build-image" && slices.ContainsFunc(b.modules.units, (*unit).asksByStep)
	case name == "build-image":
		return !b.rebasing() && (b.runsScripts() || hasName(b.pf.Config.User))
	case name == "run-image":
		return b.ui.Target == "" || b.rebasing()
	}
	return false
}

// runsScripts says whether a module has a script to run.
func (b *build) runsScripts() bool {
	return slices.ContainsFunc(b.modules.units, func(u *unit) bool { return u.Buildpack != nil || runsScripts(u.Packfile) })
}

// runsScripts says whether a packfile has a script to run.
func runsScripts(pf *packfile.Packfile) bool {
	setUp := map[string]bool{} // caches
	for _, s := range pf.Scripts() {
		switch s.Kind {
		case packfile.SetupScript: // it runs when a layer links the cache
			setUp[s.Cache.Name] = true
		case packfile.RequireScript, packfile.TestScript, packfile.RunScript:
			return true
		}
	}
	return slices.ContainsFunc(pf.Layers, func(l packfile.Layer) bool {
		return l.Provide != nil && slices.ContainsFunc(l.Provide.Links, func(k packfile.Link) bool { return setUp[k.Name] })
	})
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
			message := "no " + name
			if said := b.imagesOfModules(name); len(said) > 1 {
				message += ", and modules name several: " + strings.Join(said, ", ")
			}
			missing = append(missing, packfile.Diagnostic{
				Message: message,
				Hint:    fmt.Sprintf("name one as %[1]s in [%[2]s], or with --build-context %[1]s=docker-image://NAME", name, b.configTable()),
				Range:   b.pf.Config.Range(),
			})
		}
	}
	if missing == nil {
		return nil
	}
	return &packfile.Error{Filename: b.source.Filename, Diagnostics: missing}
}

// configTable is what [config] is called in the file that is built.
func (b *build) configTable() string {
	if b.project != nil {
		return "io.packfile.config"
	}
	return "config"
}

// namedImage finds an image that the build may need; checkImages has found that there is one if it does.
func (b *build) namedImage(ctx context.Context, name string, p ocispecs.Platform) (container.Base, error) {
	if !b.needsImage(name) {
		return container.Base{State: bk.Scratch(), Exact: true}, nil // the same nothing every time
	}
	return b.loadImage(ctx, name, p)
}

// loadImage finds an image by the named context that stands for it.
func (b *build) loadImage(ctx context.Context, name string, p ocispecs.Platform) (container.Base, error) {
	none := container.Base{State: bk.Scratch()}
	var dgst digest.Digest
	nc, err := b.ui.NamedContext(name, dockerui.ContextOpt{
		Platform:      &p,
		ResolveMode:   b.ui.ImageResolveMode.String(),
		CaptureDigest: &dgst,
	})
	if err != nil {
		return none, b.imageError(name, p, err)
	}
	st, cfg, err := nc.Load(ctx)
	if err == nil {
		err = checkPlatform(cfg, p)
	}
	if err != nil {
		return none, b.imageError(name, p, noSuchPlatform(err, p))
	}
	img := container.Base{State: *st, Config: cfg, Digest: dgst}
	if img.Repository, err = registryImage(ctx, *st); err != nil {
		return none, err
	}
	if img.Repository != "" {
		img.Name = b.givenName(name, p)
	}
	switch {
	case dgst != "":
		img.Exact = true
		img.State, err = pinned(ctx, *st, dgst, p)
	case st.Output() != nil:
		img.Digest, err = definitionDigest(ctx, *st)
	}
	return img, err
}

// noSuchPlatform returns an error of an image that was looked up, in our own words when an index has none for the platform
// (Manifest in containerd/core/images/image.go).
func noSuchPlatform(err error, p ocispecs.Platform) error {
	if strings.Contains(err.Error(), "no match for platform in manifest") {
		return fmt.Errorf("there is no image for %s among those of that name", platforms.Format(platforms.Normalize(p)))
	}
	return err
}

// givenName is what the user, or the packfile, calls the image that a named context stands for.
func (b *build) givenName(name string, p ocispecs.Platform) string {
	opts := b.client.BuildOpts().Opts
	given, ok := opts["context:"+name+"::"+platforms.FormatAll(platforms.Normalize(p))]
	if !ok {
		given = opts["context:"+name]
	}
	return strings.TrimPrefix(given, imageScheme)
}

// pinned is an image by its digest, whatever its tag means by now: its layers are those that its config, which has been
// read, is about. And the registry need not be asked again.
func pinned(ctx context.Context, st bk.State, dgst digest.Digest, p ocispecs.Platform) (bk.State, error) {
	def, err := llb.Marshal(ctx, st)
	if err != nil {
		return st, err
	}
	ops, err := llb.ParseOperations(def.Def)
	if err != nil {
		return st, err
	}
	for _, op := range ops {
		ref, ok := strings.CutPrefix(op.GetSource().GetIdentifier(), imageScheme)
		if !ok || strings.Contains(ref, "@") {
			continue
		}
		name := def.Metadata[op.Digest].Description[customName]
		return st.WithOutput(bk.Image(ref+"@"+dgst.String(), bk.Platform(p), bk.WithCustomName(name)).Output()), nil
	}
	return st, nil
}

// checkPlatform refuses an image that is for another platform than the one that is built for. An index has been searched
// for it; an image that is none is had by whoever asks.
func checkPlatform(cfg *dockerspec.DockerOCIImage, p ocispecs.Platform) error {
	if cfg == nil {
		return nil // scratch, or a folder
	}
	if cfg.OS == "" || cfg.Architecture == "" {
		return errors.New("it is no image that could be used: its config has no os and architecture")
	}
	is, want := platforms.Normalize(cfg.Platform), platforms.Normalize(p)
	if is.OS != want.OS || is.Architecture != want.Architecture || cfg.Variant != "" && !platforms.Only(want).Match(is) {
		return fmt.Errorf("the image is for %s, and not for %s", platforms.Format(is), platforms.Format(want))
	}
	return nil
}

// imageError is an error about a named image, at its place in the packfile if that names it.
func (b *build) imageError(name string, p ocispecs.Platform, err error) error {
	given := b.givenName(name, p)
	if b.pf.Config.Has(name) && given == configImage(&b.pf.Config, name) {
		return b.errorAt(b.pf.Config.At(name), "%s: %s: %v", name, given, err)
	}
	// Not wrapped: the client is shown the innermost message of what BuildKit said.
	return fmt.Errorf("named context %s: %s: %v", name, given, err)
}

// definitionDigest tells apart images that have no digest because they are results of a build (inputs of bake). Sources
// of the client are told apart by name: their session is another one in every build.
func definitionDigest(ctx context.Context, st bk.State) (digest.Digest, error) {
	def, err := llb.Marshal(ctx, st)
	if err != nil {
		return "", err
	}
	ops, err := llb.ParseOperations(def.Def)
	if err != nil {
		return "", err
	}
	digester := digest.Canonical.Digester()
	index := map[string]string{}
	for i, op := range ops {
		index[op.Digest.String()] = fmt.Sprintf("op:%d", i)
		for _, in := range op.Inputs {
			in.Digest = index[in.Digest]
		}
		if src := op.GetSource(); src != nil {
			delete(src.Attrs, pb.AttrLocalSessionID)
			delete(src.Attrs, pb.AttrLocalUniqueID)
		}
		canonical, err := llb.MarshalDeterministic(op.Op)
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
func (b *build) tools(ctx context.Context, p ocispecs.Platform, needed bool) (bk.State, error) {
	data, err := os.ReadFile(ownDefinition)
	if err != nil {
		return bk.State{}, fmt.Errorf("the frontend's own image is not known: %w (it has to be run from its image, by BuildKit %s or later)", err, minBuildKit)
	}
	var def pb.Definition
	if err := def.Unmarshal(data); err != nil {
		return bk.State{}, fmt.Errorf("the frontend's own image: %w", err)
	}
	ops, err := llb.ParseOperations(def.Def)
	if err != nil {
		return bk.State{}, fmt.Errorf("the frontend's own image: %w", err)
	}
	for _, op := range ops {
		if src := op.GetSource(); src != nil {
			// For the daemon's own platform, the very operation that it runs the frontend from needs no second look into
			// the registry.
			if ref, ok := strings.CutPrefix(src.Identifier, imageScheme); ok && !samePlatform(op.Platform, p) {
				st := bk.Image(ref, bk.Platform(p), dockerui.WithInternalName("packfile tools"))
				if !needed {
					return st, nil
				}
				return st, b.checkTools(ctx, ref, p)
			}
		}
	}
	op, err := bk.NewDefinitionOp(&def)
	if err != nil {
		return bk.State{}, fmt.Errorf("the frontend's own image: %w", err)
	}
	return bk.NewState(op.Output()), nil
}

// nativeTools is what steps run on that run no script.
func (b *build) nativeTools(ctx context.Context) (native container.Native, err error) {
	native.Platform = b.ui.BuildPlatforms[0]
	native.Tools, err = b.tools(ctx, native.Platform, true)
	return native, err
}

// checkTools fails when the frontend's own image is not there for a platform.
func (b *build) checkTools(ctx context.Context, ref string, p ocispecs.Platform) error {
	_, _, data, err := b.client.ResolveImageConfig(ctx, ref, sourceresolver.Opt{
		LogName:  "[internal] packfile tools for " + platforms.Format(p),
		ImageOpt: &sourceresolver.ResolveImageOpt{Platform: &p},
	})
	var cfg dockerspec.DockerOCIImage
	if err == nil {
		err = json.Unmarshal(data, &cfg)
	}
	if err == nil {
		err = checkPlatform(&cfg, p)
	}
	if err != nil {
		return fmt.Errorf("the frontend's own image %s cannot build for %s: %v", ref, platforms.Format(p), noSuchPlatform(err, p))
	}
	return nil
}

// samePlatform says whether an operation is for a platform.
func samePlatform(op *pb.Platform, p ocispecs.Platform) bool {
	return op != nil && platforms.FormatAll(platforms.Normalize(op.Spec())) == platforms.FormatAll(platforms.Normalize(p))
}
