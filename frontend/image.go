package frontend

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/node"

	bk "github.com/moby/buildkit/client/llb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/cnb/project"
	"github.com/packfile/frontend/group"
	"github.com/packfile/frontend/guard"
	"github.com/packfile/frontend/image"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/source"
	"github.com/packfile/frontend/source/live"
)

// images are the images that a build for one platform stands on, and the users that follow from them.
type images struct {
	build, run container.Base
	distro     group.Distro    // of build, when its labels name none
	launcher   *image.Launcher // nil for ours
	previous   earlier
	tools      bk.State
	native     container.Native
	owner      llb.Owner // user of steps
	user       string    // user of the app image
}

// namedImages are the named contexts that stand for images, and the keys of [config] that they override.
var namedImages = []string{"build-image", "run-image", launcherName}

// configImage returns the image that the packfile has under one of these names.
func configImage(cfg *packfile.Config, name string) string {
	return map[string]string{"build-image": cfg.BuildImage, "run-image": cfg.RunImage, launcherName: cfg.Launcher}[name]
}

// nameImages makes the images that packfiles name known as named contexts, unless the user named others: from there on all images
// are found in the same way. When the packfile being built names none, the one that all modules agree on counts.
func (b *build) nameImages(ctx context.Context) {
	opts := b.client.BuildOpts().Opts
	for _, name := range namedImages {
		ref := configImage(&b.pf.Config, name)
		if said := imagesOf(b.modules, name); ref == "" && len(said) == 1 {
			ref = said[0]
		}
		if _, given := opts["context:"+name]; !given && ref != "" {
			opts["context:"+name] = source.ImageScheme + ref
		}
	}
	for _, u := range b.modules.All {
		for _, key := range []string{"user", "app"} {
			if u != b.root && u.Packfile.Config.Has(key) && b.opts.requestID == "" {
				b.warnAbout(ctx, u.Filename, []node.Diagnostic{{
					Message: "config." + key + " of a module is not used: the packfile that is built says it", Range: u.Packfile.Config.At(key),
				}})
			}
		}
	}
}

// imagesOf returns the images that modules name, each once, without those of the packfile being built.
func imagesOf(modules module.Found, name string) (said []string) {
	for i, m := range modules.All {
		if ref := configImage(&m.Packfile.Config, name); ref != "" && i > 0 {
			said = append(said, ref)
		}
	}
	slices.Sort(said)
	return slices.Compact(said)
}

// imageFinder finds the images that a build stands on, by the named contexts that stand for them.
type imageFinder struct{ *build }

// resolveImages looks up the images that a build for one platform stands on, all at the same time, and then the users. It fails
// for all images at once that the build needs and nobody named. It asks registries, and may solve small files of the build image.
func (b imageFinder) resolveImages(ctx context.Context, p ocispecs.Platform) (*images, error) {
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
			im.distro, err = b.findDistro(egCtx, b.modules, im.build)
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
	if im.tools, err = b.tools(ctx, p, im.launcher == nil || slices.ContainsFunc(b.modules.All, needsTools)); err != nil {
		return nil, err
	}
	if im.native, err = b.nativeTools(ctx); err != nil {
		return nil, err
	}
	im.owner, im.user, err = b.users(ctx, im)
	return &im, err
}

// needsImage reports whether this build stands on the image of that name.
func (b imageFinder) needsImage(name string) bool {
	switch {
	case b.planning():
		return name == "build-image" && slices.ContainsFunc(b.modules.All, asksByStep)
	case name == "build-image":
		return !b.rebasing() && (slices.ContainsFunc(b.modules.All, runsScripts) || hasName(b.pf.Config.User))
	case name == "run-image":
		return b.ui.Target == "" || b.rebasing()
	}
	return false
}

// needsTools reports whether a module has a script to run, or packages to install.
func needsTools(m *module.Module) bool {
	return runsScripts(m) || len(m.Packfile.Config.RunPackages) > 0
}

// runsScripts reports whether a module has a script to run.
func runsScripts(m *module.Module) bool {
	if m.Buildpack != nil {
		return true
	}
	pf := m.Packfile
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

// checkImages returns one error for all images that the build needs and nobody named.
func (b imageFinder) checkImages(p ocispecs.Platform) error {
	var missing []node.Diagnostic
	for _, name := range namedImages {
		if !source.IsGiven(b.client.BuildOpts().Opts, name, p) && b.needsImage(name) {
			message := "no " + name
			if said := imagesOf(b.modules, name); len(said) > 1 {
				message += ", and modules name several: " + strings.Join(said, ", ")
			}
			missing = append(missing, node.Diagnostic{
				Message: message,
				Hint:    fmt.Sprintf("name one as %[1]s in [%[2]s], or with --build-context %[1]s=docker-image://NAME", name, configTable(b.project)),
				Range:   b.pf.Config.Range(),
			})
		}
	}
	if missing == nil {
		return nil
	}
	return &node.Error{Filename: b.source.Filename, Diagnostics: missing}
}

// configTable returns the name of [config] in the file being built: another one in a project descriptor.
func configTable(p *project.Project) string {
	if p != nil {
		return "io.packfile.config"
	}
	return "config"
}

// namedImage finds an image, or returns an empty base when the build does not need it. checkImages has made sure that a needed
// one has a name.
func (b imageFinder) namedImage(ctx context.Context, name string, p ocispecs.Platform) (container.Base, error) {
	if !b.needsImage(name) {
		return container.Base{State: bk.Scratch(), Exact: true}, nil // the same nothing every time
	}
	return b.loadImage(ctx, name, p)
}

// loadImage finds an image by the named context that stands for it.
func (b imageFinder) loadImage(ctx context.Context, name string, p ocispecs.Platform) (container.Base, error) {
	none := container.Base{State: bk.Scratch()}
	st, is, err := b.sources.Resolve(ctx, source.Context{Name: name, Platform: p, Pinned: true})
	if err == nil {
		err = source.CheckPlatform(is.Config, p)
	}
	if err != nil {
		return none, b.imageError(name, p, err)
	}
	img := container.Base{
		State: st, Config: is.Config, Digest: is.Digest, Exact: is.Exact, Defined: is.Defined, Floating: is.Floating, Repository: is.Repository,
	}
	if img.Repository != "" {
		img.Name = is.Given
	}
	return img, nil
}

// givenName returns the name that the user, or the packfile, has for the image behind a named context; "" when there is none.
func (b *build) givenName(name string, p ocispecs.Platform) string {
	return source.Given(b.client.BuildOpts().Opts, name, p)
}

// imageError returns an error about a named image. It points at the image's place in the packfile when the packfile names the
// image.
func (b *build) imageError(name string, p ocispecs.Platform, err error) error {
	if in, ok := errors.AsType[*source.ContextError](err); ok {
		err = in.Err
	}
	given := b.givenName(name, p)
	if b.pf.Config.Has(name) && given == configImage(&b.pf.Config, name) {
		return b.errorAt(b.pf.Config.At(name), "%s: %s: %v", name, given, err)
	}
	return &source.ContextError{Name: name, Given: given, Err: err}
}

// tools returns the frontend's own image for a platform, with the programs that steps and app images need. With checked it fails
// when the image does not exist for the platform.
func (b imageFinder) tools(ctx context.Context, p ocispecs.Platform, checked bool) (bk.State, error) {
	st, _, err := b.sources.Resolve(ctx, source.Tools{Platform: p, Checked: checked})
	if errors.Is(err, live.ErrNoImage) {
		err = fmt.Errorf("%w (it has to be run from its image, by BuildKit %s or later)", err, minBuildKit)
	}
	return st, err
}

// nativeTools returns what steps without scripts run on: the builder's own platform.
func (b *build) nativeTools(ctx context.Context) (native container.Native, err error) {
	native.Platform = b.ui.BuildPlatforms[0]
	native.Tools, err = imageFinder{b}.tools(ctx, native.Platform, true)
	return native, err
}
