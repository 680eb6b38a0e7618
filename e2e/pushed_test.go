package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/packfile/frontend/layerkey"
)

// pushed is an image as the registry has it.
type pushed struct {
	name   string
	digest string
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

// get reads something from the registry.
func (p pushed) get(t *testing.T, url string) []byte {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %v", url, res.Status, err)
	}
	return data
}

// files are those of a layer, by their path in it.
func (p pushed) files(t *testing.T, origin string) map[string]file {
	t.Helper()
	blob := p.get(t, p.repository()+"/blobs/"+p.blob(t, origin).Digest.String())
	dir := strings.Replace(origin, "layer ", "layers/packfile/", 1) + "/"
	found := map[string]file{}
	for name, f := range untar(t, blob) {
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
	p := pushed{name: name, Image: inspect(t, name)}
	raw := must(t, "skopeo", "inspect", "--raw", "--tls-verify=false", "docker://"+name)
	p.digest = fmt.Sprint(layerkey.Digest([]byte(raw)))
	if err := json.Unmarshal([]byte(raw), &p.manifest); err != nil {
		t.Fatal(err)
	}
	if text := p.Config.Labels[layerkey.LabelName]; text != "" {
		if err := json.Unmarshal([]byte(text), &p.label); err != nil {
			t.Fatal(err)
		}
	}
	return p
}
