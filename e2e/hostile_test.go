package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/llb"
)

// Previous images that are not what they say they are. The user is warned, and gets the image that a build without them
// gives.

// repository is where the registry has an image.
func (p pushed) repository() string {
	host, rest, _ := strings.Cut(p.name, "/")
	name, _, _ := strings.Cut(rest, ":")
	return "http://" + host + "/v2/" + name
}

// altered is the image with another config and manifest, under another tag. An author that is set is the inline cache.
func (p pushed) altered(t *testing.T, change func(*ocispecs.Image, *ocispecs.Manifest)) string {
	t.Helper()
	var err error
	config, manifest := p.Image, p.manifest
	config.RootFS.DiffIDs = append([]digest.Digest(nil), config.RootFS.DiffIDs...)
	manifest.Layers = append([]ocispecs.Descriptor(nil), manifest.Layers...)
	config.Config.Labels = map[string]string{layerkey.LabelName: p.Config.Labels[layerkey.LabelName]}
	change(&config, &manifest)

	// What the type does not know stays as it is.
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(p.blobData(t, p.manifest.Config.Digest), &fields); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]any{"config": config.Config, "rootfs": config.RootFS, "history": config.History} {
		if fields[name], err = json.Marshal(value); err != nil {
			t.Fatal(err)
		}
	}
	if config.Author != "" {
		fields[llb.InlineCacheField] = json.RawMessage(config.Author)
	}
	data, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	manifest.Config.Digest, manifest.Config.Size = digest.FromBytes(data), int64(len(data))
	upload := send(t, http.MethodPost, p.repository()+"/blobs/uploads/", "", nil)
	at := upload.Header.Get("Location")
	send(t, http.MethodPut, at+"&digest="+manifest.Config.Digest.String(), "application/octet-stream", data)
	if data, err = json.Marshal(manifest); err != nil {
		t.Fatal(err)
	}
	send(t, http.MethodPut, p.repository()+"/manifests/altered", manifest.MediaType, data)
	return strings.TrimSuffix(p.name, "latest") + "altered"
}

func send(t *testing.T, method, url, mediaType string, body []byte) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", mediaType)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	if res.StatusCode >= 300 {
		t.Fatalf("%s %s: %s %s", method, url, res.Status, text)
	}
	return res
}

// relabelled changes the label. A tool that is built again is another one, so that modules are as well.
func relabelled(t *testing.T, change func(*layerkey.Label)) func(*ocispecs.Image, *ocispecs.Manifest) {
	return func(config *ocispecs.Image, _ *ocispecs.Manifest) {
		var label layerkey.Label
		if err := json.Unmarshal([]byte(config.Config.Labels[layerkey.LabelName]), &label); err != nil {
			t.Fatal(err)
		}
		change(&label)
		data, err := json.Marshal(label)
		if err != nil {
			t.Fatal(err)
		}
		config.Config.Labels[layerkey.LabelName] = string(data)
	}
}

func TestPreviousImagesThatLie(t *testing.T) {
	t.Parallel()
	all := layersOfThree
	for _, tt := range []struct {
		name   string
		change func(*ocispecs.Image, *ocispecs.Manifest)
		warns  string
		runs   []string
	}{
		{"no label", func(c *ocispecs.Image, _ *ocispecs.Manifest) { c.Config.Labels = nil }, "the packfile frontend did not make it", all},
		{"a label that does not parse", func(c *ocispecs.Image, _ *ocispecs.Manifest) { c.Config.Labels[layerkey.LabelName] = "{" }, "cannot be read", all},
		{"flattened", func(c *ocispecs.Image, m *ocispecs.Manifest) {
			c.RootFS.DiffIDs, m.Layers = c.RootFS.DiffIDs[:1], m.Layers[:1]
		}, "it was changed after it was built", all},
		{"other diff ids", func(c *ocispecs.Image, _ *ocispecs.Manifest) {
			c.RootFS.DiffIDs[slices.Index(pushed{Image: *c}.origins(), "layer modules")] = digest.FromString("another")
		}, "it was changed after it was built", []string{"modules"}},
		{"fewer layers than diff ids", func(_ *ocispecs.Image, m *ocispecs.Manifest) { m.Layers = m.Layers[:1] }, "previous image: ", all},
		{"an inline cache that leads to another layer", func(c *ocispecs.Image, _ *ocispecs.Manifest) {
			origins := pushed{Image: *c}.origins()
			tool := c.RootFS.DiffIDs[slices.Index(origins, "layer tool")]
			data, err := llb.References([]digest.Digest{tool}, slices.Index(origins, "app"))
			if err != nil {
				t.Fatal(err)
			}
			field, err := json.Marshal(data)
			if err != nil {
				t.Fatal(err)
			}
			c.Author = string(field)
		}, "the packfile frontend did not make", nil}, // the layers are copied instead
		{"an inline cache that is none", func(c *ocispecs.Image, _ *ocispecs.Manifest) { c.Author = `"bm90IGpzb24="` }, "did not make", nil},
		{"an inline cache of another type", func(c *ocispecs.Image, _ *ocispecs.Manifest) { c.Author = "7" }, "previous image: its build cache cannot be read", all},
		{"a place of another layer", relabelled(t, func(l *layerkey.Label) { l.Layers[0].DiffID = l.Layers[2].DiffID }),
			"one layer as", all},
		{"a place of no layer", relabelled(t, func(l *layerkey.Label) { l.Layers[2].DiffID = digest.FromString("x").String() }),
			"it was changed after it was built", []string{"other"}},
		{"a key of other parts", relabelled(t, func(l *layerkey.Label) { l.Layers[2].Parts.Version = "9" }),
			"not that of its parts", []string{"other"}},
		{"a content that it was not", relabelled(t, func(l *layerkey.Label) { l.Layers[0].Content = digest.FromString("x").String() }),
			"", []string{"modules"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := app(t, three)
			_, first := request{dir: dir}.pushTo(t, imageName(t))
			b, second := request{dir: dir, host: otherDaemon(t), previous: first.altered(t, tt.change)}.pushTo(t, imageName(t))
			contains(t, b.log, tt.warns)
			b.wantRuns(t, all, tt.runs...)
			// Every layer is there, and holds what belongs to it.
			for _, l := range all {
				if id := second.files(t, "layer "+l)["id"]; id.content == "" {
					t.Errorf("layer %s of the image does not hold its file", l)
				}
			}
			equal(t, "what modules saw of tool", second.files(t, "layer modules")["tool"].content, second.files(t, "layer tool")["id"].content)
		})
	}
}

func TestPreviousImageIsNoImage(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]map[string]string{
		"not ours":      {"context:previous": "docker-image://" + env.busybox},
		"a name":        {"context:previous": "docker-image://NOT A NAME"},
		"a repository":  {"context:previous": "https://example.invalid/x.git"},
		"no such thing": {"context:previous": "nothing://x"},
		"scratch":       {"context:previous": "docker-image://scratch"},
	} {
		t.Run(name, func(t *testing.T) {
			b := request{dir: app(t, three), opts: opts}.build(t)
			contains(t, b.log, "[warning] previous image: ")
			b.wantRuns(t, layersOfThree, layersOfThree...)
		})
	}
}

// layout copies an image to a folder as an OCI layout and returns the folder and the digest of the manifest.
func layout(t *testing.T, image string) (dir, manifest string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "layout")
	must(t, "skopeo", "copy", "--src-tls-verify=false", "docker://"+image, "oci:"+dir)
	return dir, pull(t, image).digest
}

func TestPreviousImageInAnOCILayout(t *testing.T) {
	t.Parallel()
	dir := app(t, three)
	_, first := request{dir: dir}.pushTo(t, imageName(t))
	previous, manifest := layout(t, first.name)
	next := request{dir: dir, host: otherDaemon(t),
		opts: map[string]string{"context:previous": "oci-layout://previous@sha256:" + manifest},
		args: []string{"--oci-layout", "previous=" + previous}}
	b, second := next.pushTo(t, imageName(t))
	b.wantRuns(t, layersOfThree)
	equal(t, "digest of the image", second.digest, first.digest)

	// A layer that is needed and is not there.
	write(t, dir, map[string]string{"deps.lock": "changed"})
	blob := first.blob(t, "layer tool").Digest.Encoded()
	must(t, "rm", filepath.Join(previous, "blobs", "sha256", blob))
	next.host = secondDaemon(t)
	b = next.build(t)
	contains(t, b.log, "[warning] previous image: ")
	b.wantRuns(t, layersOfThree, layersOfThree...)
}

func TestLabelHoldsNoValueOfABuildArg(t *testing.T) {
	t.Parallel()
	dir := app(t, three)
	word := fmt.Sprintf("planted-%s", filepath.Base(t.TempDir())) + "-word"
	_, img := request{dir: dir, opts: map[string]string{"build-arg:TOKEN": word}}.pushTo(t, imageName(t))
	data, err := json.Marshal(img.Image)
	if err != nil {
		t.Fatal(err)
	}
	contains(t, string(data), `\"platformEnv\":{\"TOKEN\":`)
	if strings.Contains(string(data), word) {
		t.Errorf("the config holds a build arg's value: %s", data)
	}
}
