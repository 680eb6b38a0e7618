package frontend

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	gw "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/grpcerrors"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"google.golang.org/grpc/codes"

	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/guard"
	"github.com/packfile/frontend/image"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/packfile"
)

// rebaseTarget is the target that puts the image of the named context previous on another run image.
const rebaseTarget = "rebase"

// rebasing reports whether the target is the rebase. A layer of that name goes first.
func (b *build) rebasing() bool {
	return b.ui.Target == rebaseTarget &&
		!slices.ContainsFunc(b.pf.Layers, func(l packfile.Layer) bool { return l.Name == rebaseTarget && l.Provide != nil })
}

// noPackfile matches BuildKit's text when there is no file to read (util/openfile, Regular), or the client gives no folder for it
// (session/filesync, FSSync and DiffCopy). These errors have no code.
var noPackfile = regexp.MustCompile(`(: |desc = )(no such file or directory|no local sources enabled|no access allowed to dir "dockerfile")$`)

// lacksPackfile reports whether err, that of reading the packfile, says that there is none. BuildKit 0.20 may lose what the client
// says about its folders, and say that the read was cancelled (tonistiigi/fsutil, Receive), though nobody cancelled the build.
func lacksPackfile(ctx context.Context, err error) bool {
	return noPackfile.MatchString(err.Error()) || grpcerrors.Code(err) == codes.Canceled && ctx.Err() == nil
}

// withoutPackfile makes a rebase work without a packfile, from which it needs only the name of the run image. unread is the error
// of reading the packfile. withoutPackfile returns it unless there is no packfile and the target is the rebase.
func (b *build) withoutPackfile(ctx context.Context, unread error) error {
	opts := b.client.BuildOpts().Opts
	if b.ui.Target != rebaseTarget || !lacksPackfile(ctx, unread) {
		return unread
	}
	if opts["context:run-image"] == "" {
		return fmt.Errorf("%v; a rebase needs none if --build-context run-image=docker-image://NAME says what to put the image on", unread)
	}
	b.pf = &packfile.Packfile{}
	b.source = &dockerui.Source{
		SourceMap: llb.NewSourceMap(nil, opts["filename"], "TOML", nil),
		Warn:      func(context.Context, string, gw.WarnOpts) {},
	}
	b.root = &module.Module{Packfile: b.pf, Filename: b.source.Filename, Source: b.source.SourceMap}
	return nil
}

// rebaser puts app images on other run images.
type rebaser struct{ imageFinder }

// rebase finds the images, and returns a function that puts them together for one platform. It looks into no layer: the layers of
// the app image are found through its inline cache.
func (b rebaser) rebase(ctx context.Context) (func(ctx context.Context, index int) (*platformResult, error), error) {
	if layering(b.client.BuildOpts()).Flat {
		return nil, errors.New("this BuildKit cannot merge layers by reference, so it cannot rebase an image: build it again")
	}
	targets := b.platforms()
	rebased := make([]*image.Rebased, len(targets))
	runs := make([]container.Base, len(targets))
	apps := make([]string, len(targets))
	eg, egCtx := guard.NewGroup(ctx)
	for i, p := range targets {
		eg.Go(func() (err error) {
			if err := b.checkImages(p); err != nil {
				return err
			}
			if runs[i], err = b.namedImage(egCtx, "run-image", p); err != nil {
				return err
			}
			previous, app, err := b.previousImage(egCtx, p)
			if previous == nil && err == nil {
				err = errors.New("name the image to rebase with --build-context previous=docker-image://NAME")
			}
			if err == nil {
				rebased[i], err = image.Rebase(*previous, runs[i])
			}
			if err != nil {
				return fmt.Errorf("cannot rebase the previous image: %v", err) // not wrapped: the client would show the gateway's error alone
			}
			apps[i] = app
			return nil
		})
	}
	if err := eg.Wait(); err != nil {
		return nil, err
	}
	b.importInlineCaches(apps)
	b.warnTimeOfRebase(ctx, b.opts.appTime)
	return func(ctx context.Context, index int) (*platformResult, error) {
		if err := b.installAnew(ctx, rebased[index], targets[index]); err != nil {
			return nil, b.explain(err)
		}
		return b.rebasePlatform(ctx, rebased[index], runs[index])
	}, nil
}

// rebasePlatform solves a rebased image and returns it, with the user's labels and its attestations.
func (b rebaser) rebasePlatform(ctx context.Context, re *image.Rebased, run container.Base) (*platformResult, error) {
	result := &platformResult{
		BuildResult: dockerui.BuildResult{Image: re.Config, BaseImage: run.Config, Epoch: re.Config.Created},
		inlineCache: re.InlineCache,
	}
	for name, value := range b.ui.Labels {
		re.Config.Config.Labels[name] = value
	}
	var err error
	if result.Reference, err = b.solve(ctx, re.State); err != nil {
		return nil, fmt.Errorf("cannot rebase the previous image: %v", err)
	}
	result.attestations, err = b.attester().rebased(ctx, re.Config)
	return result, err
}

// installAnew installs the packages of an app image on its new run image; nothing when it has none.
func (b rebaser) installAnew(ctx context.Context, re *image.Rebased, p ocispecs.Platform) error {
	if re.Packages == nil {
		return nil
	}
	failed := func(err error) error { return fmt.Errorf("cannot rebase the previous image: %v", err) }
	if b.ui.NetworkMode == pb.NetMode_NONE {
		return failed(errors.New("its packages have to be installed anew, and the build is given no network (--network none)"))
	}
	if b.source.Data != nil {
		if err := b.root.ReadRoot(ctx, world{b.build}); err != nil {
			return err
		}
	}
	wanted, err := container.Recorded(*re.Packages, append([]*module.Module{b.root}, b.modules.All...), b.now)
	if err != nil {
		return failed(err)
	}
	tools, err := b.tools(ctx, p, true)
	if err != nil {
		return err
	}
	native, err := b.nativeTools(ctx)
	if err != nil {
		return err
	}
	builder := container.New(container.Input{
		Root: b.root, Platform: p, Multi: len(b.ui.TargetPlatforms) > 1, Build: container.Base{State: llb.Scratch()}, Tools: tools, Native: native,
		App: container.App{Tree: llb.Scratch()}, NetMode: b.ui.NetworkMode, Limits: b.opts.limits(b.ui), NoCache: b.ui.IsNoCache,
	})
	return re.InstallPackages(builder, wanted, func(in fact.Inquiry) (fact.Facts, error) { return b.answer(ctx, in) })
}
