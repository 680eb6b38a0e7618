package e2e

import (
	"crypto/rand"
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

// Layers that are taken over from the previous image. Each test builds an image on one daemon and pushes it; another
// daemon, which has never seen any of it, builds the next.

// three has a tool, modules that link it, and a layer of its own. What runs leave differs each time, so that a layer that
// was built again cannot be taken for one that was not.
const three = sh + `
[[processes]]
type = "web"
command = ["cat", "/layers/packfile/modules/tool"]
default = true
direct = true
[[layers]]
name = "tool"
export = true
version = "STAMP-1"
[layers.metadata]
kind = "tool"
[layers.build.run]
inline = """
cat /proc/sys/kernel/random/uuid > $LAYER/id
echo by-run > $MD/found
"""
[[layers]]
name = "modules"
export = true
[layers.build.test]
match = ["*.lock"]
[layers.build.run]
inline = """
cp $TOOL/id $LAYER/tool
echo $TOOL_VERSION $(cat $TOOL_MD/found) > $LAYER/seen
cat /proc/sys/kernel/random/uuid > $LAYER/id
"""
[[layers.build.links]]
name = "tool"
path-as = "TOOL"
version-as = "TOOL_VERSION"
metadata-as = "TOOL_MD"
[[layers]]
name = "other"
export = true
version = "STAMP-1"
[layers.build.run]
inline = "cat /proc/sys/kernel/random/uuid > $LAYER/id"
`

// app is a project with packfile text.
func app(t *testing.T, text string) string {
	t.Helper()
	return files(t, map[string]string{"packfile.toml": replace(text, "STAMP", rand.Text()), "deps.lock": rand.Text(), "main.txt": "one"})
}

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

// files are those of a layer, by their path in it.
func (p pushed) files(t *testing.T, origin string) map[string]file {
	t.Helper()
	host, rest, _ := strings.Cut(p.name, "/")
	repository, _, _ := strings.Cut(rest, ":")
	res, err := http.Get(fmt.Sprintf("http://%s/v2/%s/blobs/%s", host, repository, p.blob(t, origin).Digest))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	blob, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s %v", res.Status, err)
	}
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

// wantRuns fails unless the run steps of exactly these layers ran, of all that the packfile has.
func (b built) wantRuns(t *testing.T, all []string, want ...string) {
	t.Helper()
	for _, l := range all {
		vertex := "[" + l + "] run"
		ran := b.vertex(vertex) != "" && b.ran(t, vertex)
		if wanted := slices.Contains(want, l); ran != wanted {
			t.Errorf("run step of %s ran: %t, want %t\n%s", l, ran, wanted, b.log)
		}
	}
}

var layersOfThree = []string{"tool", "modules", "other"}

func TestLabelSaysWhatLayersAre(t *testing.T) {
	t.Parallel()
	_, img := request{dir: app(t, three)}.pushTo(t, imageName(t))
	if len(img.label.Layers) != 3 {
		t.Fatalf("label has %d layers: %+v", len(img.label.Layers), img.label)
	}
	var diffIDs []string
	for _, d := range img.RootFS.DiffIDs {
		diffIDs = append(diffIDs, d.String())
	}
	for i, name := range layersOfThree {
		l := img.label.Layers[i]
		if l.Name != name || len(l.Key) != 64 {
			t.Errorf("record %d is %+v", i, l)
		}
		// The exporter's digest of the layer is the one that was found in the graph.
		if !slices.Contains(diffIDs, l.DiffID) || l.Content != l.DiffID {
			t.Errorf("%s has diff id %s and content %s, the image has %q", name, l.DiffID, l.Content, diffIDs)
		}
	}
	equal(t, "metadata", img.label.Layers[0].Metadata["found"], any("by-run"))
	equal(t, "files", len(img.label.Layers[1].Files), 1)
}

func TestNothingChanged(t *testing.T) {
	t.Parallel()
	dir := app(t, three)
	_, first := request{dir: dir}.pushTo(t, imageName(t))
	p := newProxy(t)
	b, second := request{dir: dir, host: otherDaemon(t), previous: p.name(first.name)}.pushTo(t, p.name(imageName(t)))
	b.wantRuns(t, layersOfThree)
	contains(t, b.log, "[tool] reused from the previous image", "[modules] reused from the previous image, version ")
	equal(t, "digest of the image", second.digest, first.digest)
	for _, l := range layersOfThree {
		if n := p.bytes(first.blob(t, "layer "+l).Digest.String()); n > 0 {
			t.Errorf("%d bytes of layer %s were pulled", n, l)
		}
	}
}

func TestOnlyWhatChangedIsBuilt(t *testing.T) {
	t.Parallel()
	dir := app(t, three)
	_, first := request{dir: dir}.pushTo(t, imageName(t))
	p := newProxy(t)
	next := request{dir: dir, host: otherDaemon(t), previous: p.name(first.name)}

	write(t, dir, map[string]string{"deps.lock": "changed"})
	b, second := next.pushTo(t, p.name(imageName(t)))
	b.wantRuns(t, layersOfThree, "modules")
	contains(t, b.log, "[modules] run (version ", "(deps.lock)")
	for l, same := range map[string]bool{"tool": true, "modules": false, "other": true} {
		was, is := first.blob(t, "layer "+l).Digest, second.blob(t, "layer "+l).Digest
		if (was == is) != same {
			t.Errorf("layer %s was %s and is %s", l, was, is)
		}
	}
	if p.bytes(first.blob(t, "layer tool").Digest.String()) == 0 {
		t.Error("the layer that is linked was not pulled: what did the run step see?")
	}
	if n := p.bytes(first.blob(t, "layer other").Digest.String()); n > 0 {
		t.Errorf("%d bytes of a layer that nothing links were pulled", n)
	}
	// What the step saw of the layer that was taken over is what it would have seen of one that was built.
	tool, modules := first.files(t, "layer tool"), second.files(t, "layer modules")
	equal(t, "file of the linked layer", modules["tool"].content, tool["id"].content)
	version, _ := first.label.Layers[0].Metadata["version"].(string)
	equal(t, "metadata of the linked layer", modules["seen"].content, version+" by-run\n")
}

func TestMissingPreviousImage(t *testing.T) {
	t.Parallel()
	b := request{dir: app(t, three), previous: imageName(t)}.build(t)
	contains(t, b.log, "previous image: ", "not found")
	b.wantRuns(t, layersOfThree, layersOfThree...)
}
