package module

import (
	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"

	"github.com/packfile/frontend/node"
)

// Place is a place in the packfile of a module.
type Place struct {
	Module *Module
	node.Range
}

// Location returns an option that makes BuildKit's errors about an operation point at the place.
func (p Place) Location() bk.ConstraintsOpt {
	return p.Module.Source.Location([]*pb.Range{PBRange(p.Range)})
}

// PBRange returns a range in BuildKit's form.
func PBRange(r node.Range) *pb.Range {
	return &pb.Range{
		Start: &pb.Position{Line: int32(r.Start.Line), Character: int32(r.Start.Column)},
		End:   &pb.Position{Line: int32(max(r.End.Line, r.Start.Line)), Character: int32(r.End.Column)},
	}
}
