package e2e

import (
	"slices"
	"strings"
	"testing"

	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/packfile/frontend/internal/testbed"
	"github.com/packfile/frontend/layerkey"
)

// pushed is an image as the registry has it.
type pushed struct {
	name   string
	digest string // without its algorithm
	ocispecs.Image
	manifest ocispecs.Manifest
	label    layerkey.Label
}

// origins are what the history says of each layer.
func (p pushed) origins() (layers []string) {
	for _, h := range p.History {
		if !h.EmptyLayer {
			layers = append(layers, h.CreatedBy)
		}
	}
	return layers
}

// blob is the blob of a layer, by what the history says of it.
func (p pushed) blob(t *testing.T, origin string) ocispecs.Descriptor {
	t.Helper()
	layers := p.origins()
	i := slices.Index(layers, origin)
	if i < 0 || len(layers) != len(p.manifest.Layers) {
		t.Fatalf("%s: no layer %q in %q", p.name, origin, layers)
	}
	return p.manifest.Layers[i]
}

// blobData reads a blob of the image's repository.
func (p pushed) blobData(t *testing.T, blob digest.Digest) []byte {
	t.Helper()
	data, err := testbed.ReadBlob(t.Context(), p.name, blob)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// tree is what a layer has, by the paths of the image.
func (p pushed) tree(t *testing.T, origin string) map[string]file {
	t.Helper()
	return untar(t, p.blobData(t, p.blob(t, origin).Digest))
}

// files are those of a layer, by their path in it.
func (p pushed) files(t *testing.T, origin string) map[string]file {
	t.Helper()
	dir := strings.Replace(origin, "layer ", "layers/packfile/", 1) + "/"
	found := map[string]file{}
	for name, f := range p.tree(t, origin) {
		if inLayer, ok := strings.CutPrefix(name, dir); ok {
			found[inLayer] = f
		}
	}
	return found
}

// pushTo builds an image, pushes it under a name and reads it back.
func (r request) pushTo(t *testing.T, name string) (built, pushed) {
	t.Helper()
	r.image = name
	b := r.build(t)
	return b, pull(t, name)
}

func pull(t *testing.T, name string) pushed {
	t.Helper()
	i := readImage(t, name)
	p := pushed{name: name, digest: i.Digest.Encoded(), Image: i.Config, manifest: i.Manifest}
	if text := p.Config.Labels[layerkey.LabelName]; text != "" {
		decode(t, []byte(text), &p.label)
	}
	return p
}

// inspect is the config of an image in the registry.
func inspect(t *testing.T, name string) ocispecs.Image {
	t.Helper()
	return readImage(t, name).Config
}

func readImage(t *testing.T, name string) testbed.Image {
	t.Helper()
	i, err := testbed.ReadImage(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// raw is the manifest or the index that a name stands for.
func raw(t *testing.T, name string) []byte {
	t.Helper()
	data, err := testbed.ReadManifest(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// indexOf is the index that a name stands for.
func indexOf(t *testing.T, name string) (index ocispecs.Index) {
	t.Helper()
	decode(t, raw(t, name), &index)
	return index
}
