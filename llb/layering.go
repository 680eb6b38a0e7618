package llb

import (
	"time"

	bk "github.com/moby/buildkit/client/llb"
)

// Layering is the way to put layers on each other. The zero value does it by reference: it copies and downloads nothing,
// and a layer keeps its digest whatever lies below it.
type Layering struct {
	// Flat copies layers, for daemons that cannot merge. The files are the same. A layer gets another digest, since it holds
	// its changes to the layers below.
	Flat bool
}

// Layer is a tree whose files all have one time.
type Layer struct {
	State bk.State
	Time  time.Time
}

// Merge returns base with layers on top. A file replaces one of the same name below it, of whatever kind; folders of the same name
// become one, with owner, mode and time of the last.
func (l Layering) Merge(base bk.State, layers []Layer, opts ...bk.ConstraintsOpt) bk.State {
	if !l.Flat {
		states := []bk.State{base}
		for _, layer := range layers {
			states = append(states, layer.State)
		}
		return bk.Merge(states, opts...)
	}
	// The copies would keep the time anyway. But BuildKit ignores times when it compares layers by content. So without the
	// time in the operation, its cache would take layers that differ only in times for one.
	for _, layer := range layers {
		info := &bk.CopyInfo{CopyDirContentsOnly: true, AlwaysReplaceExistingDestPaths: true, CreatedTime: &layer.Time}
		base = base.File(bk.Copy(layer.State, "/", "/", info), opts...)
	}
	return base
}
