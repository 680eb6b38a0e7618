package e2e

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// Images as their bytes have them.

// epoch is the time of every file in an image, 1980-01-02T00:00:01Z.
const epoch = 315619201

// image is an image that was exported as an OCI layout.
type image struct {
	ocispecs.Image
	layers []imageLayer
	built  built
}

// imageLayer is one layer, with what the history says of it.
type imageLayer struct {
	origin string
	digest digest.Digest
	files  map[string]file // by path without leading slash; folders too
}

type file struct {
	tar.Header
	content string
}

// entriesOf are the files of an archive that have fewer bytes than a limit.
func entriesOf(t *testing.T, name string, limit int64) map[string][]byte {
	t.Helper()
	archive, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	entries := map[string][]byte{}
	for tr := tar.NewReader(archive); ; {
		h, err := tr.Next()
		if err == io.EOF {
			return entries
		}
		if err == nil && h.Size < limit {
			entries[h.Name], err = io.ReadAll(tr)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// export builds an image and reads it back.
func (r request) export(t *testing.T) image {
	t.Helper()
	name := filepath.Join(t.TempDir(), "image.tar")
	r.output = "type=oci,dest=" + name
	b := r.build(t)
	blobs := entriesOf(t, name, math.MaxInt64)
	decode := func(name string, v any) {
		t.Helper()
		if err := json.Unmarshal(blobs[name], v); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	blob := func(d ocispecs.Descriptor) string { return "blobs/sha256/" + d.Digest.Encoded() }
	var index ocispecs.Index
	var manifest ocispecs.Manifest
	img := image{built: b}
	decode("index.json", &index)
	decode(blob(index.Manifests[0]), &manifest)
	decode(blob(manifest.Config), &img.Image)
	var origins []string
	for _, h := range img.History {
		if !h.EmptyLayer {
			origins = append(origins, h.CreatedBy)
		}
	}
	if len(origins) != len(manifest.Layers) || len(origins) != len(img.RootFS.DiffIDs) {
		t.Fatalf("%d layers, %d diff ids, history of %d", len(manifest.Layers), len(img.RootFS.DiffIDs), len(origins))
	}
	for i, l := range manifest.Layers {
		img.layers = append(img.layers, imageLayer{origins[i], l.Digest, untar(t, blobs[blob(l)])})
	}
	return img
}

// untar reads a layer.
func untar(t *testing.T, blob []byte) map[string]file {
	t.Helper()
	zr, err := gzip.NewReader(strings.NewReader(string(blob)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]file{}
	for tr := tar.NewReader(zr); ; {
		h, err := tr.Next()
		if err == io.EOF {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		files[strings.TrimSuffix(h.Name, "/")] = file{*h, string(content)}
	}
}

// ours are the layers that are not the run image's.
func (img image) ours() []imageLayer {
	first := slices.IndexFunc(img.History, func(h ocispecs.History) bool { return h.Comment == "packfile" })
	base := 0
	for _, h := range img.History[:max(first, 0)] {
		if !h.EmptyLayer {
			base++
		}
	}
	return img.layers[base:]
}

func origins(layers []imageLayer) []string {
	var all []string
	for _, l := range layers {
		all = append(all, l.origin)
	}
	return all
}

// names are the paths of a layer's files without its folders.
func (l imageLayer) names() []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(l.files)) {
		if l.files[name].Typeflag != tar.TypeDir {
			names = append(names, name)
		}
	}
	return names
}

// push builds an image and returns its name in the registry.
func (r request) push(t *testing.T) string {
	t.Helper()
	r.image = imageName(t)
	r.build(t)
	return r.image
}

// container runs an image and returns what it writes. Options are podman's.
func container(t *testing.T, image string, options []string, args ...string) string {
	t.Helper()
	return must(t, "../hack/run-image.sh", append(append(slices.Clone(options), image), args...)...)
}

// equal fails unless two values are.
func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
