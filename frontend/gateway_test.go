package frontend

import (
	"context"
	"errors"
	"sync"
	"testing"

	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	gw "github.com/moby/buildkit/frontend/gateway/client"
	digest "github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/packfile"
)

// fakeGateway is a gateway that has options and keeps what it is told. It builds nothing unless it has a solve function.
type fakeGateway struct {
	gw.Client
	opts  map[string]string
	solve func(gw.SolveRequest) (*gw.Result, error)

	mu       sync.Mutex
	warnings []string
}

func (g *fakeGateway) BuildOpts() gw.BuildOpts { return gw.BuildOpts{Opts: g.opts} }

func (g *fakeGateway) Solve(_ context.Context, req gw.SolveRequest) (*gw.Result, error) {
	if g.solve == nil {
		return nil, errors.New("nothing is built here")
	}
	return g.solve(req)
}

func (g *fakeGateway) Warn(_ context.Context, _ digest.Digest, message string, _ gw.WarnOpts) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.warnings = append(g.warnings, message)
	return nil
}

// buildOf returns a build of a packfile without modules, through a gateway.
func buildOf(t *testing.T, g *fakeGateway, text string) *build {
	t.Helper()
	pf, warnings, err := packfile.Parse("packfile.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	source := bk.NewSourceMap(nil, "packfile.toml", "TOML", []byte(text))
	b := &build{
		solver: &solver{client: g}, ui: &dockerui.Client{}, pf: pf,
		source: &dockerui.Source{SourceMap: source, Warn: func(ctx context.Context, message string, opts gw.WarnOpts) {
			_ = g.Warn(ctx, "", message, opts)
		}},
		root: &module.Module{Packfile: pf, Filename: "packfile.toml", Source: source, Own: true, Warnings: warnings},
	}
	b.keepText(source)
	b.warner = newWarner(b)
	if b.opts, err = parseOptions(g.opts); err != nil {
		t.Fatal(err)
	}
	b.explainFailure = b.solveErrors().explain
	b.modules.All = []*module.Module{b.root}
	return b
}
