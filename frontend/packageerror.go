package frontend

import (
	"cmp"
	"fmt"
	"slices"

	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"

	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/step"
)

// installsPackages reports whether an operation is a step that installs packages.
func installsPackages(op *pb.Op) bool {
	return slices.ContainsFunc(op.GetExec().GetMounts(), func(m *pb.Mount) bool { return m.Dest == step.AptDir })
}

// packageError returns the error of a step that installs packages and ended with an exit code. It points at the package that is at
// fault, else at the first one. Why not BuildKit's own error: that shows the places of all packages. What apt says is in the log.
// It returns nil when the place is not known.
func (e solveErrors) packageError(vertex, name string, code int, op *pb.Op, def *bk.Definition) error {
	if def.Source == nil || def.Source.Locations[vertex] == nil {
		return nil
	}
	places := def.Source.Locations[vertex].Locations
	i := step.NameOf(code)
	message := name + " failed"
	if wanted := descriptionOf(def, vertex)[fmt.Sprintf("%s.%d", container.HintKey, code)]; wanted != "" && i >= 0 && i < len(places) {
		message = fmt.Sprintf("package %s cannot be installed: %s failed", node.Quote(wanted), name)
	} else {
		i = 0
	}
	if i >= len(places) || len(places[i].Ranges) == 0 {
		return nil
	}
	at := places[i].Ranges[0]
	return e.texts.explain(&node.Error{Filename: def.Source.Infos[places[i].SourceIndex].Filename, Diagnostics: []node.Diagnostic{{
		Message: message, Hint: cmp.Or(e.foreign(op), "the step's log says why"),
		Range: node.Range{Start: position(at.Start), End: position(at.End)},
	}}})
}

func position(p *pb.Position) node.Position {
	return node.Position{Line: int(p.GetLine()), Column: int(p.GetCharacter())}
}
