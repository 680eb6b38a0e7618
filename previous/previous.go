// Package previous reads the image of an earlier build: what it says of its layers, believed as far as it agrees with itself, and
// how its layers can be reused. It is for the frontend, which finds that image, and for package graph. It does not decide which
// layers a build reuses.
package previous

import (
	"fmt"
	"slices"
	"time"

	bk "github.com/moby/buildkit/client/llb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/text"
)

// Image is an image whose layers can be reused.
type Image struct {
	Time time.Time // of all files in its layers of the packfile

	image   bk.State
	records map[string]layerkey.Record // by LAYER
	copied  map[string]bool            // by LAYER: the layer is taken by copying
	strays  []digest.Digest            // layers that it lacks, and from which its inline cache leads to others

	packages *layerkey.RunPackages // nil when it has no such layer that can be taken by reference

	materials bool // the deps of its layers can be asked for
}

// Source is what is known of an image whose layers may be reused.
type Source struct {
	State  bk.State
	Config *dockerspec.DockerOCIImage
	// InlineCache is the inline cache in its config, if BuildKit can be told to import it. It is empty otherwise, and layers are
	// copied.
	InlineCache []byte
}

// New reads what an image says of its layers. It believes the label only as far as it agrees with the image; it leaves out the
// rest, and returns warnings about that. The image is nil when it has no layers to reuse.
func New(im Source) (*Image, []string) {
	cfg := im.Config
	data := cfg.Config.Labels[layerkey.LabelName]
	if data == "" {
		return nil, []string{"it has no label " + layerkey.LabelName + ": the packfile frontend did not make it"}
	}
	label, err := layerkey.ParseLabel(data)
	if err != nil {
		return nil, []string{"its label " + layerkey.LabelName + " cannot be read: " + err.Error()}
	}
	p := &Image{
		image: im.State, Time: time.Unix(label.Time, 0).UTC(),
		records: map[string]layerkey.Record{}, copied: map[string]bool{},
	}
	var said complaints
	places, strays, err := im.Referenced(label.Layers)
	p.strays = strays
	if err != nil {
		said.add(err.Error() + ": that is not imported, and layers are copied out of the image")
	}
	p.materials = places != nil && llb.HasMaterials(im.InlineCache)
	has := map[string]bool{} // diff ids
	for _, id := range cfg.RootFS.DiffIDs {
		has[id.String()] = true
	}
	if r := label.RunPackages; r != nil {
		_, referenced := places[digest.Digest(r.DiffID)]
		switch key, err := r.Parts.MakeKey(); {
		case err != nil || r.Key != "" && key != r.Key:
			said.add("its label gives its packages a key that is not that of its parts")
		case referenced: // out of the image, packages cannot be copied: they are among the run image's files
			p.packages = r
		case r.DiffID != "" && !has[r.DiffID]:
			said.add("it was changed after it was built, and does not have the layer that its label gives as that of its packages")
		}
	}
	owner := map[string]string{} // layer by diff id
	if p.packages != nil {
		owner[p.packages.DiffID] = "run-packages"
	}
	for _, r := range label.Layers {
		name, shown := r.Parts.Layer, text.Short(r.Parts.Layer)
		if key, err := r.Parts.Key(); err != nil || r.Key != "" && key != r.Key {
			said.add("its label gives layers a key that is not that of its parts: ", shown)
			continue
		}
		if r.DiffID != "" {
			if !has[r.DiffID] {
				said.add("it was changed after it was built, and does not have the layer that its label gives as ", shown)
				continue
			}
			if other, twice := owner[r.DiffID]; twice {
				said.add("its label gives one layer as ", text.Short(other)+" and as "+shown)
				delete(p.records, other)
				if p.packages != nil && p.packages.DiffID == r.DiffID {
					p.packages = nil
				}
				continue
			}
			owner[r.DiffID] = name
			_, referenced := places[digest.Digest(r.DiffID)]
			p.copied[name] = !referenced
		}
		p.records[name] = r
	}
	return p, said.warnings()
}

// complaints are what is wrong with an image, each once, with the layers that it concerns. There may be thousands of layers.
type complaints []complaint

type complaint struct {
	text   string
	layers []string
}

// add adds a complaint, or layers to it.
func (c *complaints) add(text string, layers ...string) {
	for i := range *c {
		if known := &(*c)[i]; known.text == text {
			known.layers = append(known.layers, layers...)
			return
		}
	}
	*c = append(*c, complaint{text, layers})
}

// warnings returns one line for each complaint.
func (c complaints) warnings() (lines []string) {
	for _, w := range c {
		lines = append(lines, w.text+text.Few(w.layers))
	}
	return lines
}

// Referenced returns the places of the image's layers in its inline cache, nil when it has none. The cache may also lead from
// layers that only the label claims: these are strays. It fails for a cache that is not like ours: that must not be imported, and
// layers are copied.
func (im Source) Referenced(said []layerkey.Record) (places map[digest.Digest]int, strays []digest.Digest, err error) {
	if len(im.InlineCache) == 0 {
		return nil, nil, nil
	}
	var also []digest.Digest
	for _, r := range said {
		also = append(also, digest.Digest(r.DiffID))
	}
	places, strays, err = llb.Referenced(im.InlineCache, im.Config.RootFS.DiffIDs, also)
	if err != nil {
		return nil, nil, fmt.Errorf("its config has a build cache that the packfile frontend did not make (%w)", err)
	}
	return places, strays, nil
}

// Separate returns the previous images of several platforms, in their order, fit for use in one build. There, the inline cache of
// each image counts for all. When the cache of one image leads from layers of another, the layers of the one are copied; it is
// nil when they were copied already.
func Separate(all []*Image) []*Image {
	separate := slices.Clone(all)
	for i, p := range all {
		for j, other := range all {
			if i != j && p != nil && other != nil && p.references(other) {
				separate[i] = p.Copied()
			}
		}
	}
	return separate
}

// references reports whether the inline cache of an image leads from layers of another image, which it lacks itself.
func (p *Image) references(other *Image) bool {
	return slices.ContainsFunc(p.strays, func(id digest.Digest) bool {
		for _, r := range other.records {
			if r.DiffID == id.String() {
				return true
			}
		}
		return other.packages != nil && other.packages.DiffID == id.String()
	})
}

// References reports whether a layer can be reused by reference. Then the image's inline cache must be imported.
func (p *Image) References() bool {
	if p.packages != nil {
		return true
	}
	for name, r := range p.records {
		if r.DiffID != "" && !p.copied[name] {
			return true
		}
	}
	return false
}

// Copied returns the same image with all layers copied, and without that of its packages. It returns nil when all of them are copied already.
func (p *Image) Copied() *Image {
	if !p.References() {
		return nil
	}
	all := *p
	all.packages = nil
	all.copied = map[string]bool{}
	for name := range p.records {
		all.copied[name] = true
	}
	return &all
}

// Layer returns one layer of the image.
func (p *Image) Layer(r layerkey.Record, owner llb.Owner, opts ...bk.ConstraintsOpt) bk.State {
	if p.copied[r.Parts.Layer] {
		return llb.CopyLayer(p.image, r.Parts.Layer, owner, p.Time, opts...)
	}
	return llb.Reference(digest.Digest(r.DiffID), opts...)
}

// Record returns what the image says of the layer at LAYER, as far as that is believed.
func (p *Image) Record(dir string) (r layerkey.Record, known bool) {
	r, known = p.records[dir]
	return r, known
}

// RunPackages returns what the image says of the layer with its packages; nil when there is none that can be taken by reference.
func (p *Image) RunPackages() *layerkey.RunPackages { return p.packages }

// IsCopied reports whether the layer at LAYER can only be copied out of the image.
func (p *Image) IsCopied(dir string) bool { return p.copied[dir] }

// HasMaterials reports whether the deps of the image's layers can be asked for.
func (p *Image) HasMaterials() bool { return p.materials }
