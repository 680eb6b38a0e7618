package packfile

import "github.com/packfile/frontend/node"

// CheckPlan returns an error for each layer that is only required or only provided, in a packfile that is the only module
// of its build: a build plan must balance, and no other module could provide or require the layer. Parse does not call
// it, because a packfile that is one module of several may have such layers. The caller knows whether a packfile without
// Buildpacks and Order is built alone.
func CheckPlan(pf *Packfile) []node.Diagnostic {
	var r node.Report
	for i := range pf.Layers {
		l := &pf.Layers[i]
		switch {
		case l.Require != nil && l.Provide == nil:
			r.Fail(l.At("require"), "say in [layers.build] how it is made", "layer %s is required, but nothing provides it",
				node.Quote(l.Name))
		case l.Require == nil && l.Provide != nil && !l.Build:
			r.Fail(l.At("provide"), "write [layers.build] instead of [layers.provide], or add [layers.require]",
				"layer %s is provided, but nothing requires it", node.Quote(l.Name))
		}
	}
	return r.Errors()
}
