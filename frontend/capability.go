package frontend

import (
	"fmt"

	gw "github.com/moby/buildkit/frontend/gateway/client"
	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"

	"github.com/packfile/frontend/llb"
)

// minBuildKit is the oldest BuildKit release that tests run on: the one of hack/oldest. It has all capabilities below.
const minBuildKit = "0.20.2"

// capability is something that a build needs of the daemon.
type capability struct {
	id   apicaps.CapID
	what string
}

var llbCapabilities = []capability{
	{pb.CapFileBase, "file operations"},
	{pb.CapFileCopyIncludeExcludePatterns, "copying by pattern"},
	// Symbolic modes have a capability, but no daemon lists it. Daemons that make symlinks know symbolic modes; others would
	// remove all permissions.
	{pb.CapFileSymlinkCreate, "symlinks and symbolic modes"},
	{pb.CapExecMountContentCache, "mounts that are cached by key"},
	{pb.CapExecSecretEnv, "secrets in variables"},
	{pb.CapBuildOpLLBFileName, "nested builds"},
}

var gatewayCapabilities = []capability{
	{gwpb.CapReadFile, "reading files of a result"},
	{gwpb.CapReadDir, "reading folders of a result"},
	{gwpb.CapGatewayEvaluateSolve, "results that are evaluated at once"},
}

// checkCapabilities fails when the daemon is too old. The error names the oldest BuildKit release that would do.
func checkCapabilities(opts gw.BuildOpts) error {
	if err := lacking(opts.LLBCaps, llbCapabilities); err != nil {
		return err
	}
	return lacking(opts.Caps, gatewayCapabilities)
}

// layering returns how the daemon stacks layers. A Docker Engine without the containerd image store cannot merge
// (moby/moby#45153).
func layering(opts gw.BuildOpts) llb.Layering {
	caps := opts.LLBCaps
	return llb.Layering{Flat: caps.Supports(pb.CapMergeOp) != nil}
}

func lacking(caps apicaps.CapSet, needed []capability) error {
	for _, c := range needed {
		if caps.Supports(c.id) != nil {
			return fmt.Errorf("this BuildKit daemon lacks the capability %s (%s), which the packfile frontend needs: use BuildKit %s or later", c.id, c.what, minBuildKit)
		}
	}
	return nil
}
