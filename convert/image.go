package convert

import (
	"context"
	"slices"

	bk "github.com/moby/buildkit/client/llb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"

	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/step"
)

// Image is the content of an image, as it is put together under some decisions.
type Image struct {
	State bk.State
	Base  *dockerspec.DockerOCIImage // config of the run image, nil when it has none
	Left  []fact.Inquiry             // what has to be found out before Config can be asked

	layers []imageLayer
	below  *descriptions // what describes the layers of the packfile, see onTop; nil when nothing had to
}

// imageLayer is one OCI layer with the origin that its history names.
type imageLayer struct {
	state  bk.State
	origin string
	layer  *layer // the packfile's layer that it is, else nil
	part   string // else what it is called when it is described
}

// Image puts the app image together. All layers must be decided. With answers to what is left it may be another image, which leaves
// less, since the SBOM tells what layers hold: see Again.
func (d *Decisions) Image(ctx context.Context) (*Image, error) { return steps{d}.assemble(ctx, nil) }

// Again puts an image together once more, under more facts.
func (img *Image) Again(ctx context.Context, d *Decisions) (*Image, error) {
	return steps{d}.assemble(ctx, img)
}

// assemble puts the app image together; before is what it was under fewer facts, nil for the first.
func (s steps) assemble(ctx context.Context, before *Image) (*Image, error) {
	if err := s.checkSaid(); err != nil {
		return nil, err
	}
	layers, err := s.imageLayers(ctx, before)
	if err != nil {
		return nil, err
	}
	img := &Image{Base: s.in.Run.Config, layers: layers}
	app, rest := s.undescribedParts(layers)
	if before != nil { // the layers of the packfile are the same
		img.below = before.below
	} else if img.below, rest, err = s.describeMade(ctx, rest); err != nil {
		return nil, err
	} else if img.below != nil {
		img.Left = append(img.Left, img.below.Inquiry)
	}
	parts, err := s.describeParts(app, rest)
	if err != nil {
		return nil, err
	}
	if parts != nil {
		img.Left = append(img.Left, parts.Inquiry)
	}
	states := make([]bk.State, len(layers))
	for i, l := range layers {
		states[i] = l.state
		if l.part == metadataPart {
			states[i] = s.onTop(img.below, l.state)
		}
	}
	img.State = s.in.Layering.Merge(s.in.Run.State, states, s.in.Time, options(s.Name("", "image"), s.layers...)...)
	return img, nil
}

// imageLayers are the layers of the image on top of the run image.
func (s steps) imageLayers(ctx context.Context, before *Image) (layers []imageLayer, err error) {
	for _, l := range s.layers {
		if s.facts.status(l) == dropped || !l.Export {
			continue
		}
		o, err := s.output(ctx, l)
		if err != nil {
			return nil, err
		}
		layers = append(layers, imageLayer{state: o.inImage(), origin: "layer " + s.shown(l), layer: l})
	}
	for _, parts := range []func() ([]imageLayer, error){
		func() ([]imageLayer, error) { return s.sbomLayer(before) },
		func() ([]imageLayer, error) { return s.appLayers(ctx) },
		s.launchLayers,
	} {
		more, err := parts()
		if err != nil {
			return nil, err
		}
		layers = append(layers, more...)
	}
	return layers, nil
}

// Same says whether two images of one build have the same content: the names of parts that may differ tell what is in them.
func (img *Image) Same(other *Image) bool {
	return slices.EqualFunc(img.layers, other.layers, func(a, b imageLayer) bool { return a.layer == b.layer && a.part == b.part })
}

// Config returns the config of a finished image. With no target all layers must be described.
func (d *Decisions) Config(img *Image) (*dockerspec.DockerOCIImage, error) {
	if d.in.Target != "" {
		return d.bareConfig(), nil
	}
	return d.config(img.layers)
}

// Layer returns the content of one layer alone, at the root: what --target exports.
func (d *Decisions) Layer(ctx context.Context) (*Image, error) {
	l := d.target
	if d.facts.status(l) == dropped {
		return nil, l.module.Fail(l.Range(), "layer %q is not created this time: its require or test step exited with %d", l.Name, step.NotWanted)
	}
	o, err := steps{d}.output(ctx, l)
	if err != nil {
		return nil, err
	}
	content := llb.CopyTree(o.raw, llb.Tree{From: l.dir(), To: "/", Time: d.in.Time}, options(d.Name(l.id, "content"), l)...)
	return &Image{State: content}, nil
}
