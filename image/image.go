// Package image puts the layers of a graph together to an image: its parts that are not the packfile's, its config with labels
// that describe the layers, and its SBOM. It also puts an image on another run image. It is for the frontend. It does not say how
// layers are made.
package image

import (
	"context"
	"slices"
	"strings"
	"time"

	bk "github.com/moby/buildkit/client/llb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/graph"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/step"
)

// Input is what an image is made of, besides the layers of a graph.
type Input struct {
	Run      container.Base
	Launcher *Launcher         // in place of ours; nil for ours
	User     string            // user of the app image
	Labels   map[string]string // on top of the run image's
	AppTime  time.Time         // of the app's files; zero for the time of all others

	CacheImported bool // the user named caches to import: what they have of one layer must be of use without the others
}

// Image is the content of an image under some decisions.
type Image struct {
	State bk.State
	Base  *dockerspec.DockerOCIImage // config of the run image, nil when it has none
	Left  []fact.Inquiry             // what has to be found out before Config can be called

	made   assembly
	layers []imageLayer
	below  *descriptions // what describes the layers of the packfile, see onTop; nil when nothing does
}

// assembly puts images together under some decisions.
type assembly struct {
	graph.Steps
	Input
	packages *packages // nil for none
}

// imageLayer is one OCI layer with the origin that its history names.
type imageLayer struct {
	state  bk.State
	origin string
	layer  *graph.Layer // the packfile's layer, else nil
	part   string       // else its name when it is described
}

// ofApp reports whether the layer has files of the app, or symbolic links in it.
func (l imageLayer) ofApp() bool {
	return l.part == appPart || l.part == symlinksPart || strings.HasPrefix(l.part, slicePart)
}

// Assemble puts the app image together. All layers must be decided. The answers to what is left may change the image, since the
// SBOM tells what layers hold: see Again.
func Assemble(ctx context.Context, d *graph.Decisions, in Input) (*Image, error) {
	if in.AppTime.IsZero() {
		in.AppTime = d.Time
	}
	s := assembly{Steps: graph.Steps{Decisions: d}, Input: in}
	var err error
	if s.packages, err = findPackages(s); err == nil && s.packages != nil {
		err = s.packages.make(s)
	}
	if err != nil {
		return nil, err
	}
	return s.assemble(ctx, nil)
}

// CheckArgs fails when the image needs a build argument that is not given, for its labels or for variables of the app. It takes no
// facts: all can be known before anything is built.
func CheckArgs(d *graph.Decisions, in Input) error {
	s := assembly{Steps: graph.Steps{Decisions: d}, Input: in}
	if s.TargetLayer != nil {
		return nil
	}
	if _, err := s.givenLabels(); err != nil {
		return err
	}
	_, err := s.launchEnv()
	return err
}

// Again puts an image together once more, under more facts. The new image leaves less to be found out.
func (img *Image) Again(ctx context.Context, d *graph.Decisions) (*Image, error) {
	return assembly{graph.Steps{Decisions: d}, img.made.Input, img.made.packages}.assemble(ctx, img)
}

// assemble puts the app image together. before is the image under fewer facts, nil at first.
func (s assembly) assemble(ctx context.Context, before *Image) (*Image, error) {
	if err := s.checkSaid(); err != nil {
		return nil, err
	}
	layers, err := s.imageLayers(ctx, before)
	if err != nil {
		return nil, err
	}
	img := &Image{Base: s.Run.Config, made: s, layers: layers}
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
	merged := make([]llb.Layer, len(layers))
	for i, l := range layers {
		merged[i] = llb.Layer{State: l.state, Time: s.Time}
		switch {
		case l.part == metadataPart:
			merged[i].State = s.onTop(img.below, l.state)
		case l.ofApp():
			merged[i].Time = s.AppTime
		}
	}
	img.State = s.Layering.Merge(s.Run.State, merged, graph.Options(s.Name("", "image"), s.Layers...)...)
	return img, nil
}

// imageLayers returns the layers of the image on top of the run image.
func (s assembly) imageLayers(ctx context.Context, before *Image) (layers []imageLayer, err error) {
	if s.packages != nil {
		layers = append(layers, imageLayer{state: s.packages.layer, origin: "run packages", part: packagesPart})
	}
	for _, l := range s.Layers {
		if s.Dropped(l) || !l.Export {
			continue
		}
		o, err := s.Output(ctx, l)
		if err != nil {
			return nil, err
		}
		layers = append(layers, imageLayer{state: o.InImage(), origin: "layer " + s.Shown(l), layer: l})
	}
	for _, parts := range []func() ([]imageLayer, error){
		func() ([]imageLayer, error) { return s.sbomLayer(before) },
		s.folderLayer,
		func() ([]imageLayer, error) { return s.appLayers(ctx) },
		func() ([]imageLayer, error) { return s.symlinksLayer(ctx) },
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

// Same reports whether two images of one build have the same content. It compares names of parts: those of parts that may differ
// contain a digest of the content.
func (img *Image) Same(other *Image) bool {
	return slices.EqualFunc(img.layers, other.layers, func(a, b imageLayer) bool { return a.layer == b.layer && a.part == b.part })
}

// Config returns the config of a finished image. All layers must be described, except for the image of a target.
func (img *Image) Config() (*dockerspec.DockerOCIImage, error) {
	if img.made.TargetLayer != nil {
		return img.made.bareConfig(), nil
	}
	return img.made.config(img.layers)
}

// Layer returns the content of one layer alone, at the root: what --target exports.
func Layer(ctx context.Context, d *graph.Decisions) (*Image, error) {
	l := d.TargetLayer
	if d.Dropped(l) {
		return nil, l.Module.Fail(l.Range(), "layer %q is not created this time: its require or test step exited with %d", l.Name, step.NotWanted)
	}
	o, err := graph.Steps{Decisions: d}.Output(ctx, l)
	if err != nil {
		return nil, err
	}
	content := llb.CopyTree(o.Raw, llb.Tree{From: l.Dir(), To: "/", Time: d.Time}, graph.Options(d.Name(l.ID, "content"), l)...)
	return &Image{State: content, made: assembly{Steps: graph.Steps{Decisions: d}}}, nil
}

// InlineCache returns the inline cache of a finished image, by which later builds reuse its layers by reference. It returns nil
// when the daemon cannot merge.
func (img *Image) InlineCache() ([]byte, error) {
	d := img.made
	if d.Layering.Flat {
		return nil, nil
	}
	var base []digest.Digest
	if d.Run.Config != nil {
		base = d.Run.Config.RootFS.DiffIDs
	}
	var ids []digest.Digest
	for _, l := range img.layers {
		id, err := d.diffID(l)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	records, err := llb.References(ids, len(base))
	if err != nil {
		return nil, err
	}
	return addMaterials(d.Decisions, records)
}
