// Package frontend is the conversation with BuildKit: what the user asked for, the packfile and its contexts, the steps
// whose answers are facts for package convert, and the result. Every call to the gateway is in this package.
package frontend

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	gw "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/util/bklog"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/convert"
	"github.com/packfile/frontend/packfile"
)

// build is one call of the frontend.
type build struct {
	client   gw.Client
	ui       *dockerui.Client
	opts     options
	source   *dockerui.Source
	pf       *packfile.Packfile
	module   *module
	warnings []packfile.Diagnostic
	app      *app
	project  string
	epoch    time.Time
	now      time.Time
}

// Build is a gateway build function (gw.BuildFunc).
func Build(ctx context.Context, c gw.Client) (res *gw.Result, err error) {
	defer func() {
		// A panic would only be seen in the daemon's log; the user has to see that it is our fault.
		if p := recover(); p != nil {
			bklog.G(ctx).Errorf("panic: %v\n%s", p, debug.Stack())
			err = fmt.Errorf("packfile-frontend: internal error: %v (please report it; the daemon's log has the stack)", p)
		}
	}()
	if err := checkCapabilities(c.BuildOpts()); err != nil {
		return nil, err
	}
	c = withDefaultFilename(c)
	b := &build{client: c, now: time.Now()}
	if b.opts, err = parseOptions(c.BuildOpts().Opts); err != nil {
		return nil, err
	}
	if b.ui, err = dockerui.NewClient(c); err != nil {
		return nil, err
	}
	if err := b.readPackfile(ctx); err != nil {
		return nil, err
	}
	if res, handled, err := b.subrequest(ctx); handled || err != nil {
		return res, err
	}
	if err := b.readContexts(ctx); err != nil {
		return nil, b.explain(err)
	}
	rb, err := b.ui.Build(ctx, b.platform)
	if err != nil {
		return nil, err
	}
	return rb.Finalize()
}

// readContexts finds the app and the files that the packfile names in its own folder.
func (b *build) readContexts(ctx context.Context) (err error) {
	if b.module, err = b.readModule(ctx); err != nil {
		return err
	}
	if b.app, err = b.findApp(ctx); err != nil {
		return err
	}
	b.project = b.identity()
	b.epoch, err = b.sourceDateEpoch(ctx)
	return err
}

// platform builds for one platform; p is nil when the user named none.
func (b *build) platform(ctx context.Context, p *ocispecs.Platform, _ int) (*dockerui.BuildResult, error) {
	in, err := b.input(ctx, p)
	if err != nil {
		return nil, b.explain(err)
	}
	conv, err := convert.New(*in)
	if err != nil {
		return nil, b.explain(err)
	}
	facts, err := b.findFacts(ctx, conv)
	if err != nil {
		return nil, b.explain(err)
	}
	assemble := conv.Image
	if in.Target != "" {
		assemble = conv.Layer
	}
	img, err := assemble(ctx, facts)
	if err != nil {
		return nil, b.explain(err)
	}
	ref, err := b.solveImage(ctx, conv, facts, img)
	if err != nil {
		return nil, b.explain(err)
	}
	epoch := b.epoch
	return &dockerui.BuildResult{Reference: ref, Image: img.Config, BaseImage: img.Base, Epoch: &epoch}, nil
}

// input is what a build for one platform is made of.
func (b *build) input(ctx context.Context, p *ocispecs.Platform) (*convert.Input, error) {
	platform := b.ui.BuildPlatforms[0]
	if p != nil {
		platform = *p
	}
	in := &convert.Input{
		Packfile: b.pf,
		Filename: b.source.Filename,
		Source:   b.source.SourceMap,
		Scripts:  b.module.scripts,
		Offline:  b.module.offline,
		Module:   b.module.state,
		Platform: platform,
		Multi:    len(b.ui.TargetPlatforms) > 1,
		App:      convert.App{Tree: b.app.tree, Stable: b.app.stable},
		Project:  b.project,
		CacheNS:  b.ui.CacheIDNamespace,
		Args:     b.opts.platformEnv,
		Time:     b.epoch,
		Now:      b.now,
		NetMode:  b.ui.NetworkMode,
		Limits:   b.limits(),
		NoCache:  b.ui.IsNoCache,
		Target:   b.ui.Target,
	}
	images, err := b.resolveImages(ctx, platform)
	if err != nil {
		return nil, err
	}
	in.Build, in.Run, in.Tools, in.Owner, in.User = images.build, images.run, images.tools, images.owner, images.user
	return in, nil
}

// limits are what the user asked of every process of the build.
func (b *build) limits() []llb.RunOption {
	var opts []llb.RunOption
	for _, h := range b.ui.ExtraHosts {
		opts = append(opts, llb.AddExtraHost(h.Host, h.IP))
	}
	for _, u := range b.ui.Ulimits {
		opts = append(opts, llb.AddUlimit(llb.UlimitName(u.Name), u.Soft, u.Hard))
	}
	if b.ui.CgroupParent != "" {
		opts = append(opts, llb.WithCgroupParent(b.ui.CgroupParent))
	}
	if b.opts.proxy != (llb.ProxyEnv{}) {
		opts = append(opts, llb.WithProxy(b.opts.proxy))
	}
	return slices.Clip(opts)
}
