package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// identity is what an image is known by.
type identity struct {
	layers           []layerIdentity
	config, manifest digest.Digest
}

type layerIdentity struct {
	origin       string // what the history says of it
	blob, diffID digest.Digest
}

func newIdentity(t *testing.T, manifestDigest digest.Digest, manifest ocispecs.Manifest, config ocispecs.Image) identity {
	t.Helper()
	id := identity{config: manifest.Config.Digest, manifest: manifestDigest}
	origins := pushed{Image: config}.origins()
	if len(origins) != len(manifest.Layers) || len(origins) != len(config.RootFS.DiffIDs) || len(origins) == 0 {
		t.Fatalf("%d layers, %d diff ids, history of %q", len(manifest.Layers), len(config.RootFS.DiffIDs), origins)
	}
	for i, l := range manifest.Layers {
		id.layers = append(id.layers, layerIdentity{origins[i], l.Digest, config.RootFS.DiffIDs[i]})
	}
	return id
}

func pushedIdentity(t *testing.T, name string) identity {
	t.Helper()
	p := pull(t, name)
	return newIdentity(t, digest.NewDigestFromEncoded(digest.SHA256, p.digest), p.manifest, p.Image)
}

// archivedIdentity is that of an image in an archive. The manifest of one of type=docker has media types of its own: it has
// no digest to be compared.
func archivedIdentity(t *testing.T, name string) identity {
	t.Helper()
	const metadata = 1 << 20 // its layers are not looked into
	small := entriesOf(t, name, metadata)
	decode := func(name string, v any) {
		t.Helper()
		if err := json.Unmarshal(small[name], v); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	blob := func(d digest.Digest) string { return "blobs/sha256/" + d.Encoded() }
	var index ocispecs.Index
	var manifest ocispecs.Manifest
	var config ocispecs.Image
	decode("index.json", &index)
	decode(blob(index.Manifests[0].Digest), &manifest)
	decode(blob(manifest.Config.Digest), &config)
	id := newIdentity(t, index.Manifests[0].Digest, manifest, config)
	if manifest.MediaType != ocispecs.MediaTypeImageManifest {
		id.manifest = ""
	}
	return id
}

// differences names what of two images is different, layers by their origin. A manifest without a digest is like any other.
func (id identity) differences(other identity) []string {
	if len(id.layers) == 0 || len(other.layers) == 0 {
		return []string{"there is no image"}
	}
	var parts []string
	if len(id.layers) != len(other.layers) {
		parts = append(parts, fmt.Sprintf("%d layers and not %d", len(other.layers), len(id.layers)))
	} else {
		for i, l := range id.layers {
			switch o := other.layers[i]; {
			case l.diffID != o.diffID:
				parts = append(parts, o.origin)
			case l.blob != o.blob:
				parts = append(parts, "compression of "+o.origin)
			}
		}
	}
	if id.config != other.config {
		parts = append(parts, "config")
	}
	if id.manifest != other.manifest && id.manifest != "" && other.manifest != "" {
		parts = append(parts, "manifest")
	}
	return parts
}

func TestDifferencesAreNamed(t *testing.T) {
	d := func(text string) digest.Digest { return digest.FromString(text) }
	image := func() identity {
		return identity{[]layerIdentity{{"run image", d("a"), d("b")}, {"app", d("c"), d("d")}}, d("config"), d("manifest")}
	}
	for want, change := range map[string]func(*identity){
		"":                   func(*identity) {},
		"app":                func(id *identity) { id.layers[1].diffID, id.layers[1].blob = d("x"), d("y") },
		"compression of app": func(id *identity) { id.layers[1].blob = d("x") },
		"config, manifest":   func(id *identity) { id.config, id.manifest = d("x"), d("y") },
		"1 layers and not 2": func(id *identity) { id.layers = id.layers[:1] },
		"there is no image":  func(id *identity) { *id = identity{} },
		"manifest":           func(id *identity) { id.manifest = d("x") },
		"app, config":        func(id *identity) { id.layers[1].diffID, id.config, id.manifest = d("x"), d("x"), "" },
	} {
		other := image()
		change(&other)
		equal(t, "differences", strings.Join(image().differences(other), ", "), want)
	}
}
