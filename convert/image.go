package convert

import (
	"context"
	"slices"

	bk "github.com/moby/buildkit/client/llb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"

	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/step"
)

// Image is the content of an image. Its config is what Config says.
type Image struct {
	State bk.State
	Base  *dockerspec.DockerOCIImage // config of the run image, nil when it has none
	Left  []Inquiry                  // what has to be found out before Config can be asked

	layers []imageLayer
}

// imageLayer is one OCI layer with the origin that its history names.
type imageLayer struct {
	state  bk.State
	origin string
	layer  *layer // the packfile's layer that it is, else nil
	part   string // else what it is called when it is described
}

// Image puts the app image together. All layers must be decided. With answers to what is left it may be another image,
// which leaves less: the SBOM tells what layers hold.
func (b *Build) Image(ctx context.Context, f Facts) (*Image, error) {
	if err := checkSaid(b, f); err != nil {
		return nil, err
	}
	var layers []imageLayer
	for _, l := range b.layers {
		if f.status(l) == dropped || !l.Export {
			continue
		}
		o, err := b.output(ctx, l, f)
		if err != nil {
			return nil, err
		}
		layers = append(layers, imageLayer{state: o.inImage(), origin: "layer " + b.shown(l), layer: l})
	}
	for _, parts := range []func(context.Context, Facts) ([]imageLayer, error){b.sbomLayer, b.appLayers, b.launchLayers} {
		more, err := parts(ctx, f)
		if err != nil {
			return nil, err
		}
		layers = append(layers, more...)
	}
	left, err := b.descriptions(ctx, layers, f)
	if err != nil {
		return nil, err
	}
	states := make([]bk.State, len(layers))
	for i, l := range layers {
		states[i] = l.state
		if l.part == metadataPart {
			states[i] = b.onTop(b.below, l.state)
		}
	}
	return &Image{
		State:  b.in.Layering.Merge(b.in.Run.State, states, b.in.Time, options(b.name("", "image"), b.layers...)...),
		Base:   b.in.Run.Config,
		Left:   left,
		layers: layers,
	}, nil
}

// Same says whether two images of one build have the same content: the names of parts that may differ tell what is in them.
func (img *Image) Same(other *Image) bool {
	return slices.EqualFunc(img.layers, other.layers, func(a, b imageLayer) bool { return a.layer == b.layer && a.part == b.part })
}

// Config is the config of a finished image. With no target all layers must be described.
func (b *Build) Config(img *Image, f Facts) (*dockerspec.DockerOCIImage, error) {
	if b.in.Target != "" {
		return b.bareConfig(), nil
	}
	return b.config(img.layers, f)
}

// Layer is the content of one layer alone, at the root: what --target exports.
func (b *Build) Layer(ctx context.Context, f Facts) (*Image, error) {
	l := b.target
	if f.status(l) == dropped {
		return nil, l.module.Fail(l.Range(), "layer %q is not created this time: its require or test step exited with %d", l.Name, step.NotWanted)
	}
	o, err := b.output(ctx, l, f)
	if err != nil {
		return nil, err
	}
	content := llb.CopyTree(o.raw, llb.Tree{From: l.dir(), To: "/", Time: b.in.Time}, options(b.name(l.id, "content"), l)...)
	return &Image{State: content}, nil
}
