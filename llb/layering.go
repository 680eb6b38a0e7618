package llb

import (
	"strings"
	"time"

	bk "github.com/moby/buildkit/client/llb"
)

// Layering is how layers are put on each other, and taken from an image that has them. The zero value does both by
// reference: nothing is copied or downloaded, and a layer keeps its digest whatever lies below it.
type Layering struct {
	// Flat makes it copy, for daemons that can neither merge nor diff. The files are the same. A layer has another digest,
	// since what counts in it is what it changes of the layers below.
	Flat bool
}

// ImageLayer is one layer of an image.
type ImageLayer struct {
	Image func(limit int) bk.State // the image with only its first layers
	Index int                      // number of layers below it
	Count int                      // number of layers that the image has
	Dir   string                   // the folder that everything in the layer is in
	Owner Owner                    // of the folders above it
	Time  time.Time                // of everything in the layer
}

// LayerOf is a layer as it was before it became one of an image. Nothing of it is downloaded until something looks into
// it; then all layers below it are as well, since BuildKit unpacks an image from the bottom up. A copy is taken from the
// whole image, since the daemons that need one cannot leave out layers: it is all that the image has in the folder.
func (l Layering) LayerOf(im ImageLayer, opts ...bk.ConstraintsOpt) bk.State {
	switch {
	case l.Flat:
		// The folders above are those of another layer by now.
		above := EmptyDir(im.Dir, im.Owner, bk.WithCustomName("[internal] new layer"))
		return CopyTree(im.Image(im.Count), Tree{
			Base: &above, To: "/", Include: []string{strings.TrimPrefix(im.Dir, "/")}, Time: im.Time,
		}, opts...)
	case im.Index == 0:
		return im.Image(1)
	}
	return bk.Diff(im.Image(im.Index), im.Image(im.Index+1), opts...)
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
