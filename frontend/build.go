// Package frontend talks with BuildKit: it reads what the user asked for, the packfile and its contexts, runs the steps whose
// answers are facts for packages group, graph and image, and returns the result. Every call to the gateway is in this package or
// source/live. What becomes of layers, and what an image holds, is not decided here.
package frontend

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/packfile/frontend/container"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	gw "github.com/moby/buildkit/frontend/gateway/client"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/cnb/project"
	"github.com/packfile/frontend/graph"
	"github.com/packfile/frontend/group"
	"github.com/packfile/frontend/guard"
	"github.com/packfile/frontend/image"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/source"
	"github.com/packfile/frontend/source/live"
)

// build is one call of the frontend.
type build struct {
	*solver
	ui        *dockerui.Client
	door      *live.Door
	sources   source.Resolver // door, with decorators around it
	opts      options
	source    *dockerui.Source
	pf        *packfile.Packfile // the packfile being built
	project   *project.Project   // the project descriptor that pf was read from, else nil
	root      *module.Module     // pf as a module
	modules   module.Found
	texts               // files that errors can show: packfiles, and those of modules
	depImages depImages // found so far
	warner
	apps     []*app    // one for each platform
	images   []*images // one for each platform
	identity string    // of the app; see appIdentity
	times    times
	now      time.Time
	tests    bool // the image is tested; see readTarget

	recognizing sync.WaitGroup // see recognize
}

// Build runs one call of the frontend, as a gateway build function (gw.BuildFunc).
func Build(ctx context.Context, c gw.Client) (res *gw.Result, err error) {
	err = guard.Call(ctx, func() error {
		res, err = run(ctx, shownClient{c})
		return err
	})
	return visible(res, err)
}

// run builds, or answers a subrequest.
func run(ctx context.Context, c gw.Client) (res *gw.Result, err error) {
	if err := checkCapabilities(c.BuildOpts()); err != nil {
		return nil, err
	}
	c = withDefaultFilename(boundedClient{c})
	b := &build{solver: &solver{client: c}, now: time.Now()}
	if b.opts, err = parseOptions(c.BuildOpts().Opts); err != nil {
		return nil, err
	}
	b.warner, b.explainFailure = newWarner(b), b.solveErrors().explain
	// With SOURCE_DATE_EPOCH, dockerui would have Git give files the time of their commit. Nobody uses that time. Some daemons
	// have no such time for a sub folder (moby/buildkit#7151), and some do not know the request.
	delete(c.BuildOpts().Opts, buildArg+"SOURCE_DATE_EPOCH")
	if b.ui, err = dockerui.NewClient(c); err != nil {
		return nil, err
	}
	b.named = cacheImports(b.ui)
	b.door = live.New(b.client, b.ui, b.solveFiles)
	b.sources = b.door
	if err := b.readPackfile(ctx); err != nil {
		return nil, err
	}
	tester{b}.readTarget()
	if res, asked, err := answerSubrequest(ctx, b); asked {
		return res, err
	}
	build := b.platform
	if b.rebasing() {
		build, err = rebaser{imageFinder{b}}.rebase(ctx)
	} else {
		b.warnAboutArgs(ctx)
		err = b.readContexts(ctx)
	}
	if err != nil {
		return nil, b.explain(err)
	}
	res, err = buildPlatforms(ctx, b.ui, build)
	b.recognizing.Wait()
	return res, err
}

// readContexts finds the app, the files that the packfile names in its own folder, and the images. It does so at the same time,
// since each waits for the client or a registry.
func (b *build) readContexts(ctx context.Context) (err error) {
	platforms := b.platforms()
	b.images = make([]*images, len(platforms))
	eg, egCtx := guard.NewGroup(ctx)
	eg.Go(func() error { return b.root.ReadRoot(egCtx, world{b}) })
	eg.Go(func() error { return b.startApp(egCtx, ctx) })
	for i, p := range platforms {
		eg.Go(func() (err error) {
			b.images[i], err = imageFinder{b}.resolveImages(egCtx, p)
			return err
		})
	}
	if err := eg.Wait(); err != nil {
		return err
	}
	if b.identity, err = b.appIdentity(); err != nil {
		return err
	}
	b.recognize(ctx)
	b.importInlineCaches(separatePrevious(b.images))
	for _, im := range b.images {
		b.warnInexact(ctx, im)
	}
	b.times, err = b.findTimes(ctx)
	return err
}

// platforms returns the platforms to build for, in the order in which dockerui asks for them.
func (b *build) platforms() []ocispecs.Platform {
	if len(b.ui.TargetPlatforms) > 0 {
		return b.ui.TargetPlatforms
	}
	return b.ui.BuildPlatforms[:1]
}

// platform builds for the platform with the given index.
func (b *build) platform(ctx context.Context, index int) (*platformResult, error) {
	in, err := b.inputs(ctx, index)
	if err != nil {
		return nil, b.explain(err)
	}
	result, err := b.buildImage(ctx, index, in)
	for {
		unusable, ok := errors.AsType[*previousError](err)
		if !ok {
			break
		}
		b.warnPrevious(ctx, unusable.Error())
		in.graph.Previous = in.graph.Previous.Copied() // nil when its layers were copied already
		result, err = b.buildImage(ctx, index, in)
	}
	return result, b.explain(err)
}

// buildImage builds one platform.
func (b *build) buildImage(ctx context.Context, index int, in inputs) (*platformResult, error) {
	d, err := b.detect(ctx, in)
	if err == nil {
		err = image.CheckArgs(d, in.image)
	}
	if err == nil {
		d, err = b.findFacts(ctx, b.apps[index], d)
	}
	if err == nil {
		b.warnRetimed(ctx, d)
		err = b.warnOfFacts(ctx, d)
	}
	var img *image.Image
	var result *platformResult
	if err == nil {
		d, img, result, err = b.solveImage(ctx, d, in.image)
	}
	if err == nil {
		err = b.checkChanged(ctx, d)
	}
	if err != nil {
		return nil, b.blamePrevious(ctx, d, in.image, err)
	}
	b.warnAboutContent(ctx, b.apps[index], d.SeenByContent())
	b.warnByArguments(ctx, d.ByArguments())
	b.warnDangling(ctx, graph.DanglingLinks(d))
	if err := (tester{b}).test(ctx, d, in.image, result); err != nil {
		return nil, err
	}
	result.attestations, err = b.attester().attest(ctx, d, img, in.detector.Platform, result.Reference)
	return result, err
}

// inputs are what a build for one platform starts from.
type inputs struct {
	detector *group.Detector
	graph    graph.Input
	image    image.Input
}

// inputs returns the inputs of the platform with the given index. It fails when the packfile being built wants packages that cannot
// come over the network: its own are seen by the steps that say which modules take part.
func (b *build) inputs(ctx context.Context, index int) (in inputs, err error) {
	images := b.images[index]
	steps := container.Input{
		Root:     b.root,
		Build:    images.build,
		Tools:    images.tools,
		Native:   images.native,
		Owner:    images.owner,
		Platform: b.platforms()[index],
		Multi:    len(b.ui.TargetPlatforms) > 1,
		App:      container.App{Tree: b.apps[index].tree, Stable: b.apps[index].stable, Hidden: b.ownPlaces()},
		Sources: func(s source.Source) (llb.State, error) {
			st, _, err := b.sources.Resolve(ctx, s)
			return st, err
		},
		Project: b.identity,
		CacheNS: b.ui.CacheIDNamespace,
		Args:    b.opts.args,
		Env:     b.opts.projectEnv(b.project),
		NetMode: b.ui.NetworkMode,
		Limits:  b.opts.limits(b.ui),
		NoCache: b.ui.IsNoCache,
	}
	if steps.Packages, err = steps.Unite(container.BuildPackages, []*module.Module{b.root}, b.now); err != nil {
		return in, err
	}
	return inputs{
		detector: &group.Detector{Builder: container.New(steps), Modules: b.modules.TakingPart(), Distro: images.distro},
		graph: graph.Input{
			Time:     b.times.other,
			Now:      b.now,
			Target:   b.ui.Target,
			Layering: layering(b.client.BuildOpts()),
			Previous: images.previous.image,
		},
		image: image.Input{
			Run:           images.run,
			Launcher:      images.launcher,
			User:          images.user,
			Labels:        b.ui.Labels,
			AppTime:       b.times.app,
			CacheImported: len(b.ui.CacheImports) > 0,
		},
	}, nil
}
