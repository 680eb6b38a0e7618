package packfile

import "github.com/packfile/frontend/node"

// CheckPlan finds layers that are only required or only provided, in a packfile that is the only module of its build: a
// build plan must balance, and there is nobody else who could provide or require them. Parse does not call it, because a
// packfile that is one module of several may well have such layers: it is for a packfile without Buildpacks and Order,
// and whether it is built alone is for the caller to know.
func CheckPlan(pf *Packfile) []Diagnostic {
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
