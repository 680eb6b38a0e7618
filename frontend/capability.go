package frontend

import (
	"fmt"

	gw "github.com/moby/buildkit/frontend/gateway/client"
	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"
)

// capability is something that a build needs of the daemon, and the first BuildKit release that has it.
type capability struct {
	id    apicaps.CapID
	what  string
	since string
}

var llbCapabilities = []capability{
	{pb.CapFileBase, "file operations", "0.5"},
	{pb.CapMergeOp, "merging layers without copying (MergeOp)", "0.10"},
	{pb.CapExecMountContentCache, "mounts cached by key (content cache)", "0.12"},
	{pb.CapFileCopyIncludeExcludePatterns, "copying by pattern", "0.9"},
	{pb.CapExecSecretEnv, "secrets in variables", "0.7"},
	{pb.CapBuildOpLLBFileName, "nested builds", "0.5"},
}

var gatewayCapabilities = []capability{
	{gwpb.CapReadFile, "reading files of a result", "0.5"},
	{gwpb.CapReadDir, "reading folders of a result", "0.5"},
	{gwpb.CapGatewayEvaluateSolve, "builds that report their errors (evaluate)", "0.9"},
}

// checkCapabilities fails when the daemon is too old, with the BuildKit release that is not.
func checkCapabilities(opts gw.BuildOpts) error {
	if err := lacking(opts.LLBCaps, llbCapabilities); err != nil {
		return err
	}
	return lacking(opts.Caps, gatewayCapabilities)
}

func lacking(caps apicaps.CapSet, needed []capability) error {
	for _, c := range needed {
		if caps.Supports(c.id) != nil {
			return fmt.Errorf("this BuildKit daemon lacks %s (capability %s), which the packfile frontend needs: use BuildKit %s or later", c.what, c.id, c.since)
		}
	}
	return nil
}
