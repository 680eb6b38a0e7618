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

// Merge returns base with layers on top, whose files all have time t. A file replaces one of the same name below it, of
// whatever kind; folders of the same name become one, with owner, mode and time of the last.
func (l Layering) Merge(base bk.State, layers []bk.State, t time.Time, opts ...bk.ConstraintsOpt) bk.State {
	if !l.Flat {
		return bk.Merge(append([]bk.State{base}, layers...), opts...)
	}
	// The copies would keep the time anyway. But BuildKit ignores times when it compares layers by content. So without the
	// time in the operation, its cache would take layers that differ only in times for one.
	info := &bk.CopyInfo{CopyDirContentsOnly: true, AlwaysReplaceExistingDestPaths: true, CreatedTime: &t}
	for _, layer := range layers {
		base = base.File(bk.Copy(layer, "/", "/", info), opts...)
	}
	return base
}
