package e2e

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
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

func TestReusedLayerIsTheSameToALink(t *testing.T) {
	t.Parallel()
	dir := app(t, three)
	_, first := request{dir: dir}.pushTo(t, imageName(t))
	write(t, dir, map[string]string{"deps.lock": "changed"})
	request{dir: dir}.build(t)
	b := request{dir: dir, previous: first.name}.build(t)
	contains(t, b.log, "[tool] reused from the previous image")
	if b.ran(t, "[modules] run") {
		t.Error("the run step did not find in the cache what it did with the same layer when that was built")
	}
}

func TestRunImageIsSwapped(t *testing.T) {
	t.Parallel()
	dir := app(t, three)
	_, first := request{dir: dir}.pushTo(t, imageName(t))
	p := newProxy(t)
	b, second := request{dir: dir, host: otherDaemon(t), runImg: p.name(env.busybox), previous: p.name(first.name)}.pushTo(t, p.name(imageName(t)))
	b.wantRuns(t, layersOfThree)
	for _, l := range layersOfThree {
		blob := first.blob(t, "layer "+l).Digest
		equal(t, "layer "+l, second.blob(t, "layer "+l).Digest, blob)
		if n := p.bytes(blob.String()); n > 0 {
			t.Errorf("%d bytes of layer %s were pulled", n, l)
		}
	}
	if len(second.manifest.Layers) <= len(first.manifest.Layers) {
		t.Error("the image does not have the layers of the new run image: this tests nothing")
	}
	// And from that image again, on which our layers have other places.
	b = request{dir: dir, host: otherDaemon(t), previous: second.name}.build(t)
	b.wantRuns(t, layersOfThree)
}

func TestLayersAreAddedRemovedAndReordered(t *testing.T) {
	t.Parallel()
	layer := func(name string) string {
		return replace(`
[[layers]]
name = "NAME"
export = true
version = "STAMP"
[layers.build.run]
inline = "cat /proc/sys/kernel/random/uuid > $LAYER/id"
`, "NAME", name)
	}
	a, b, c, d := layer("a"), layer("b"), layer("c"), layer("d")
	dir := app(t, sh+a+b+c)
	text := must(t, "cat", filepath.Join(dir, "packfile.toml"))
	_, rest, _ := strings.Cut(text, `version = "`)
	stamp, _, _ := strings.Cut(rest, `"`)
	_, first := request{dir: dir}.pushTo(t, imageName(t))

	write(t, dir, map[string]string{"packfile.toml": replace(sh+c+d+a, "STAMP", stamp)})
	log, second := request{dir: dir, host: otherDaemon(t), previous: first.name}.pushTo(t, imageName(t))
	log.wantRuns(t, []string{"a", "c", "d"}, "d")
	contains(t, log.log, "[d] run (the previous image does not have it)")
	var order []string
	for _, o := range second.origins() {
		if strings.HasPrefix(o, "layer ") {
			order = append(order, o)
		}
	}
	equal(t, "layers", order, []string{"layer c", "layer d", "layer a"})
	for _, l := range []string{"layer a", "layer c"} {
		equal(t, l, second.blob(t, l).Digest, first.blob(t, l).Digest)
	}
}

func TestPreviousImageForEachPlatform(t *testing.T) {
	t.Parallel()
	dir := app(t, three)
	next := request{dir: dir, opts: map[string]string{"platform": os.Getenv("PACKFILE_NATIVE_PLATFORMS")}, image: imageName(t)}
	next.build(t)
	next.previous, next.image, next.host = next.image, imageName(t), otherDaemon(t)
	b := next.build(t)
	platforms := strings.Split(os.Getenv("PACKFILE_NATIVE_PLATFORMS"), ",")
	if len(platforms) < 2 {
		t.Fatal("PACKFILE_NATIVE_PLATFORMS names no two platforms")
	}
	for _, p := range platforms {
		for _, l := range layersOfThree {
			contains(t, b.log, "["+p+" "+l+"] reused from the previous image")
			if id := b.vertex("[" + p + " " + l + "] run"); id != "" {
				t.Errorf("the run step of %s for %s is there", l, p)
			}
		}
	}
	raw := func(image string) string {
		return must(t, "skopeo", "inspect", "--raw", "--tls-verify=false", "docker://"+image)
	}
	equal(t, "index", raw(next.image), raw(next.previous))
}

func TestAnotherTimeOfFilesRunsNothing(t *testing.T) {
	t.Parallel()
	dir := app(t, three)
	_, first := request{dir: dir}.pushTo(t, imageName(t))
	later := map[string]string{"build-arg:SOURCE_DATE_EPOCH": "1700000000"}
	_, built := request{dir: dir, opts: later}.pushTo(t, imageName(t))
	b, reused := request{dir: dir, opts: later, host: otherDaemon(t), previous: first.name}.pushTo(t, imageName(t))
	b.wantRuns(t, layersOfThree)
	equal(t, "digest of the image", reused.digest, built.digest)
	// And back, from an image whose files have another time than steps see.
	b, back := request{dir: dir, host: otherDaemon(t), previous: built.name}.pushTo(t, imageName(t))
	b.wantRuns(t, layersOfThree)
	equal(t, "digest of the image", back.digest, first.digest)
	write(t, dir, map[string]string{"deps.lock": "changed"})
	_, fromLater := request{dir: dir, host: otherDaemon(t), previous: built.name}.pushTo(t, imageName(t))
	for _, f := range fromLater.files(t, "layer modules") {
		equal(t, "time of "+f.Name, f.ModTime.Unix(), int64(epoch))
	}
}

func TestNoCacheReusesNothing(t *testing.T) {
	t.Parallel()
	dir := app(t, three)
	_, first := request{dir: dir}.pushTo(t, imageName(t))
	b := request{dir: dir, previous: first.name, opts: map[string]string{"no-cache": "other"}}.build(t)
	b.wantRuns(t, layersOfThree, "other")
	contains(t, b.log, "[other] run (no cache is wanted)")
	b = request{dir: dir, previous: first.name, opts: map[string]string{"no-cache": ""}}.build(t)
	b.wantRuns(t, layersOfThree, layersOfThree...)
}

func TestLayersThatAlwaysNeedTheApp(t *testing.T) {
	t.Parallel()
	text := sh + `
[[layers]]
name = "free"
export = true
[layers.build.run]
inline = "cat main.txt > $LAYER/main"
[[layers]]
name = "writer"
export = true
version = "1"
[layers.build]
lock-app = true
[layers.build.run]
inline = "echo generated-STAMP > generated.txt"
`
	dir := app(t, text)
	_, first := request{dir: dir}.pushTo(t, imageName(t))
	b, second := request{dir: dir, host: otherDaemon(t), previous: first.name}.pushTo(t, imageName(t))
	b.wantRuns(t, []string{"free", "writer"}, "free", "writer")
	contains(t, b.log, "[free] run (it has no version)", "[writer] run (it changes the app)")
	equal(t, "digest of the image", second.digest, first.digest)
}

func TestExplain(t *testing.T) {
	t.Parallel()
	dir := app(t, three)
	image := imageName(t)
	explain := func(args ...string) string {
		t.Helper()
		out, err := buildx(t, dir, args...)
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return out
	}
	contains(t, explain("--call=packfile.explain"), "No previous image was named")
	if out, err := buildx(t, dir, "-t", image, "--push"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	previous := "--build-context=previous=docker-image://" + image
	contains(t, explain("--call=packfile.explain", previous+"-none"), "WARNING: previous image: ", "not found")

	write(t, dir, map[string]string{"deps.lock": "changed", "more.lock": "more"})
	out := explain("--call=packfile.explain", previous)
	contains(t, out, "LAYER", "tool", "reused", "built", "(deps.lock, new: more.lock)")
	if strings.Contains(out, "] run") {
		t.Errorf("a run step is in the log:\n%s", out)
	}
	out = explain("--call=packfile.explain,format=json", previous)
	_, text, _ := strings.Cut("\n"+out, "\n{")
	text, _, _ = strings.Cut("{"+text, "\n}")
	var answer struct {
		Platforms []struct {
			Layers []struct{ Layer, Action, Why string }
		}
	}
	if err := json.Unmarshal([]byte(text+"\n}"), &answer); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var actions []string
	for _, l := range answer.Platforms[0].Layers {
		actions = append(actions, l.Layer+" "+l.Action)
	}
	equal(t, "actions", actions, []string{"tool reused", "modules built", "other reused"})

	// The build does what was said, and says so.
	out = explain("-t", imageName(t), previous)
	contains(t, out, "[tool] reused from the previous image", "[other] reused from the previous image", "[modules] run (version ", "(deps.lock, new: more.lock))")
}

func TestStepSaysWhyItRuns(t *testing.T) {
	t.Parallel()
	dir := app(t, three)
	args := map[string]string{"build-arg:PACKFILE_APP": rand.Text()}
	b := request{dir: dir, opts: args}.build(t)
	if strings.Contains(b.log, `packfile-step: layer`) {
		t.Errorf("the first build gives a reason:\n%s", b.log)
	}
	write(t, dir, map[string]string{"deps.lock": "changed"})
	b = request{dir: dir, opts: args}.build(t)
	contains(t, b.log, `packfile-step: layer "modules": version `, "(deps.lock)")
	if strings.Contains(b.log, `packfile-step: layer "tool"`) {
		t.Errorf("a layer that is cached gives a reason:\n%s", b.log)
	}
}

func TestWhatCanBeAskedIsListed(t *testing.T) {
	t.Parallel()
	out, err := buildx(t, app(t, three), "--call=subrequests.describe")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	contains(t, out, "lint", "outline", "targets", "packfile.explain")
}

// A builder that is kept meets the same layers again and again, in one image after the other.
func TestReuseOnABuilderThatIsKept(t *testing.T) {
	t.Parallel()
	dir := app(t, three)
	_, img := request{dir: dir}.pushTo(t, imageName(t))
	tool := img.blob(t, "layer tool").Digest
	host := secondDaemon(t)
	for i := range 6 {
		write(t, dir, map[string]string{"main.txt": fmt.Sprint("edit ", i)})
		var b built
		previous := img.name
		b, img = request{dir: dir, host: host, previous: previous}.pushTo(t, imageName(t))
		b.wantRuns(t, layersOfThree)
		_, fresh := request{dir: dir}.pushTo(t, imageName(t))
		equal(t, "digest of the image after edit "+fmt.Sprint(i), img.digest, fresh.digest)
	}
	// And once more by way of copying, which this builder has no layer for yet.
	write(t, dir, map[string]string{"deps.lock": "changed"})
	b, img := request{dir: dir, host: host, previous: img.name}.pushTo(t, imageName(t))
	b.wantRuns(t, layersOfThree, "modules")
	equal(t, "layer tool", img.blob(t, "layer tool").Digest, tool)
}

func TestCacheInTheSameRegistryDownloadsNoLayerThatIsReused(t *testing.T) {
	t.Parallel()
	dir := app(t, three)
	_, first := request{dir: dir}.pushTo(t, imageName(t))
	p := newProxy(t)
	b, _ := request{dir: dir, host: secondDaemon(t), previous: p.name(first.name),
		args: []string{"--export-cache", "type=registry,mode=max,ref=" + p.name(imageName(t))}}.pushTo(t, p.name(imageName(t)))
	b.wantRuns(t, layersOfThree)
	for _, l := range layersOfThree {
		blob := first.blob(t, "layer "+l).Digest
		if n := p.bytes(blob.String()); n > 0 {
			t.Errorf("%d bytes of layer %s were pulled", n, l)
		}
	}
}
