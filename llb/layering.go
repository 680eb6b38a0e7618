package llb

import (
	"time"

	bk "github.com/moby/buildkit/client/llb"
)

// Layering is how layers are put on each other. The zero value does it by reference: nothing is copied or downloaded, and a
// layer keeps its digest whatever lies below it.
type Layering struct {
	// Flat makes it copy, for daemons that cannot merge. The files are the same. A layer has another digest, since what counts
	// in it is what it changes of the layers below.
	Flat bool
}

// Merge puts layers, whose files all have time t, on top of base. A file goes before one of the same name below it,
// whatever either is; folders of one name become one, with owner, mode and time of the last.
func (l Layering) Merge(base bk.State, layers []bk.State, t time.Time, opts ...bk.ConstraintsOpt) bk.State {
	if !l.Flat {
		return bk.Merge(append([]bk.State{base}, layers...), opts...)
	}
	// The copies would keep the time. But times do not count in the content by which BuildKit knows the layers, so without
	// it in the operation, layers that differ in nothing else would be one to its cache.
	info := &bk.CopyInfo{CopyDirContentsOnly: true, AlwaysReplaceExistingDestPaths: true, CreatedTime: &t}
	for _, layer := range layers {
		base = base.File(bk.Copy(layer, "/", "/", info), opts...)
	}
	return base
}
