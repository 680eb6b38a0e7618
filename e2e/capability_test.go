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

	"github.com/packfile/frontend/e2e/lesser"
	"github.com/packfile/frontend/frontend"
)

func TestDaemonThatLacksACapabilityIsToldWhichBuildKitHasIt(t *testing.T) {
	t.Parallel()
	c := clientOf(t, os.Getenv("BUILDKIT_HOST"))
	for _, id := range []apicaps.CapID{pb.CapBuildOpLLBFileName, pb.CapFileSymlinkCreate, pb.CapExecMountContentCache, gwpb.CapReadDir} {
		_, err := c.Build(t.Context(), client.SolveOpt{}, "", func(ctx context.Context, g gw.Client) (*gw.Result, error) {
			return frontend.Build(ctx, lesser.Gateway{Client: g, Lacks: []apicaps.CapID{id}})
		}, nil)
		if err == nil {
			t.Fatalf("built without %s", id)
		}
		contains(t, err.Error(), string(id), "BuildKit "+oldestVersion(t)+" or later")
	}
}
