// Package lesser stands in for BuildKit daemons that can do less than the one that tests have.
package lesser

import (
	"context"
	"slices"

	gw "github.com/moby/buildkit/frontend/gateway/client"
	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"
	apicapspb "github.com/moby/buildkit/util/apicaps/pb"
)

// Gateway is the gateway of a daemon that lacks some capabilities.
type Gateway struct {
	gw.Client
	Lacks []apicaps.CapID
}

// BuildOpts are those of the gateway, without the capabilities.
func (g Gateway) BuildOpts() gw.BuildOpts {
	opts := g.Client.BuildOpts()
	opts.LLBCaps = pb.Caps.CapSet(g.left(pb.Caps.All()))
	opts.Caps = gwpb.Caps.CapSet(g.left(gwpb.Caps.All()))
	return opts
}

func (g Gateway) left(caps []*apicapspb.APICap) []*apicapspb.APICap {
	return slices.DeleteFunc(caps, func(c *apicapspb.APICap) bool { return slices.Contains(g.Lacks, apicaps.CapID(c.ID)) })
}

// Solve fails as such a daemon does when a definition needs what it lacks.
func (g Gateway) Solve(ctx context.Context, req gw.SolveRequest) (*gw.Result, error) {
	caps := g.BuildOpts().LLBCaps
	for _, md := range req.Definition.GetMetadata() {
		for id := range md.Caps {
			if err := caps.Supports(apicaps.CapID(id)); err != nil {
				return nil, err
			}
		}
	}
	return g.Client.Solve(ctx, req)
}
