package e2e

import (
	"context"
	"os"
	"testing"

	"github.com/moby/buildkit/client"
	gw "github.com/moby/buildkit/frontend/gateway/client"
	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"
	apicapspb "github.com/moby/buildkit/util/apicaps/pb"

	"github.com/packfile/frontend/frontend"
)

// lesser is the gateway of a daemon that lacks a capability.
type lesser struct {
	gw.Client
	lacks apicaps.CapID
}

func (l lesser) BuildOpts() gw.BuildOpts {
	opts := l.Client.BuildOpts()
	opts.LLBCaps = pb.Caps.CapSet(without(pb.Caps.All(), l.lacks))
	opts.Caps = gwpb.Caps.CapSet(without(gwpb.Caps.All(), l.lacks))
	return opts
}

func without(caps []*apicapspb.APICap, id apicaps.CapID) []*apicapspb.APICap {
	var rest []*apicapspb.APICap
	for _, c := range caps {
		if apicaps.CapID(c.ID) != id {
			rest = append(rest, c)
		}
	}
	return rest
}

func TestDaemonThatLacksACapabilityIsToldWhichBuildKitHasIt(t *testing.T) {
	t.Parallel()
	c, err := client.New(t.Context(), os.Getenv("BUILDKIT_HOST"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, id := range []apicaps.CapID{pb.CapMergeOp, pb.CapExecMountContentCache, gwpb.CapReadDir} {
		_, err := c.Build(t.Context(), client.SolveOpt{}, "", func(ctx context.Context, g gw.Client) (*gw.Result, error) {
			return frontend.Build(ctx, lesser{g, id})
		}, nil)
		if err == nil {
			t.Fatalf("built without %s", id)
		}
		contains(t, err.Error(), string(id), "BuildKit 0.13 or later")
	}
}
