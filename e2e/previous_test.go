package e2e

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/packfile/frontend/internal/testbed"
)

// Layers that are taken over from the previous image. Each test builds an image on one daemon and pushes it; another
// daemon, which has never seen any of it, builds the next.

// three has a tool, modules that link it, and a layer of its own. What runs leave differs each time, so that a layer that
// was built again cannot be taken for one that was not.
var three = testbed.Packfile(
	testbed.Process("web", "cat", "/layers/packfile/modules/tool").With("default", true, "direct", true),
	testbed.Layer("tool").Export().Version("STAMP-1").With("metadata.kind", "tool").Run(`
cat /proc/sys/kernel/random/uuid > $LAYER/id
echo by-run > $MD/found
`),
	testbed.Layer("modules").Export().Match("*.lock").Run(`
cp $TOOL/id $LAYER/tool
echo $TOOL_VERSION $(cat $TOOL_MD/found) > $LAYER/seen
cat /proc/sys/kernel/random/uuid > $LAYER/id
`).
		Link("tool", "path-as", "TOOL", "version-as", "TOOL_VERSION", "metadata-as", "TOOL_MD"),
	testbed.Layer("other").Export().Version("STAMP-1").Run("cat /proc/sys/kernel/random/uuid > $LAYER/id"),
)

// app is a project with packfile text.
func app(t *testing.T, text string) string {
	t.Helper()
	return files(t, map[string]string{"packfile.toml": replace(text, "STAMP", rand.Text()), "deps.lock": rand.Text(), "main.txt": "one"})
}

// wantRuns fails unless the run steps of exactly these layers ran, of all that the packfile has.
func (b built) wantRuns(t *testing.T, all []string, want ...string) {
	t.Helper()
	for _, l := range all {
		vertex := "[" + l + "] run"
		ran := b.didRun(vertex)
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
	b, second := request{dir: dir, host: otherDaemon(t), previous: p.Image(first.name)}.pushTo(t, p.Image(imageName(t)))
	b.wantRuns(t, layersOfThree)
	contains(t, b.log, "[tool] reused from the previous image", "[modules] reused from the previous image, version ")
	equal(t, "digest of the image", second.digest, first.digest)
	for _, l := range layersOfThree {
		if n := pulled(p, first.blob(t, "layer "+l).Digest.String()); n > 0 {
			t.Errorf("%d bytes of layer %s were pulled", n, l)
		}
	}
}

func TestOnlyWhatChangedIsBuilt(t *testing.T) {
	t.Parallel()
	dir := app(t, three)
	_, first := request{dir: dir}.pushTo(t, imageName(t))
	p := newProxy(t)
	next := request{dir: dir, host: otherDaemon(t), previous: p.Image(first.name)}

	write(t, dir, map[string]string{"deps.lock": "changed"})
	b, second := next.pushTo(t, p.Image(imageName(t)))
	b.wantRuns(t, layersOfThree, "modules")
	contains(t, b.log, "[modules] run (version ", "(deps.lock)")
	for l, same := range map[string]bool{"tool": true, "modules": false, "other": true} {
		was, is := first.blob(t, "layer "+l).Digest, second.blob(t, "layer "+l).Digest
		if (was == is) != same {
			t.Errorf("layer %s was %s and is %s", l, was, is)
		}
	}
	if pulled(p, first.blob(t, "layer tool").Digest.String()) == 0 {
		t.Error("the layer that is linked was not pulled: what did the run step see?")
	}
	if n := pulled(p, first.blob(t, "layer other").Digest.String()); n > 0 {
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
	b, second := request{dir: dir, host: otherDaemon(t), runImg: p.Image(env.busybox), previous: p.Image(first.name)}.pushTo(t, p.Image(imageName(t)))
	b.wantRuns(t, layersOfThree)
	for _, l := range layersOfThree {
		blob := first.blob(t, "layer "+l).Digest
		equal(t, "layer "+l, second.blob(t, "layer "+l).Digest, blob)
		if n := pulled(p, blob.String()); n > 0 {
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
		return testbed.Tables(testbed.Layer(name).Export().Version("STAMP").Run("cat /proc/sys/kernel/random/uuid > $LAYER/id"))
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
			if b.hasVertex("[" + p + " " + l + "] run") {
				t.Errorf("the run step of %s for %s is there", l, p)
			}
		}
	}
	equal(t, "index", string(raw(t, next.image)), string(raw(t, next.previous)))

	// One for a platform alone.
	next.opts = map[string]string{"platform": next.opts["platform"], "context:previous::" + platforms[1]: "docker-image://" + next.previous}
	next.previous, next.host = "", secondDaemon(t)
	b = next.build(t)
	for _, l := range layersOfThree {
		if !b.hasVertex("[" + platforms[0] + " " + l + "] run") {
			t.Errorf("%s is not built for %s, which has no previous image", l, platforms[0])
		}
		contains(t, b.log, "["+platforms[1]+" "+l+"] reused from the previous image")
	}
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
	text := testbed.Packfile(
		testbed.Layer("free").Export().Run("cat main.txt > $LAYER/main"),
		testbed.Layer("writer").Export().Version("1").LockApp().Run("echo generated-STAMP > generated.txt"),
	)
	dir := app(t, text)
	_, first := request{dir: dir}.pushTo(t, imageName(t))
	b, second := request{dir: dir, host: otherDaemon(t), previous: first.name}.pushTo(t, imageName(t))
	b.wantRuns(t, []string{"free", "writer"}, "free", "writer")
	contains(t, b.log, "[free] run (it has no version)", "[writer] run (it changes the app)")
	equal(t, "digest of the image", second.digest, first.digest)
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
	// And now something looks into a layer that this builder only knows by reference.
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
	b, _ := request{dir: dir, host: secondDaemon(t), previous: p.Image(first.name),
		args: []string{"--export-cache", "type=registry,mode=max,ref=" + p.Image(imageName(t))}}.pushTo(t, p.Image(imageName(t)))
	b.wantRuns(t, layersOfThree)
	for _, l := range layersOfThree {
		blob := first.blob(t, "layer "+l).Digest
		if n := pulled(p, blob.String()); n > 0 {
			t.Errorf("%d bytes of layer %s were pulled", n, l)
		}
	}
}

// An inline cache that the user asks for takes the place of ours in the config: then layers are copied out of the image.
func TestPreviousImageWithAnInlineCacheOfTheUser(t *testing.T) {
	t.Parallel()
	dir := app(t, three)
	_, first := request{dir: dir, args: []string{"--export-cache", "type=inline"}}.pushTo(t, imageName(t))
	p := newProxy(t)
	b, second := request{dir: dir, host: otherDaemon(t), previous: p.Image(first.name)}.pushTo(t, p.Image(imageName(t)))
	b.wantRuns(t, layersOfThree)
	for _, l := range layersOfThree {
		equal(t, "layer "+l, second.blob(t, "layer "+l).Digest, first.blob(t, "layer "+l).Digest)
	}
	if pulled(p, first.blob(t, "layer tool").Digest.String()) == 0 {
		t.Error("nothing was downloaded: the inline cache is not what this test says")
	}
}

func TestAKeptLayerRunsForOneLayerAndIsSeenByAnother(t *testing.T) {
	t.Parallel()
	// A build from nothing has the tool once: what links it sees the same one, also when it was kept and had to run again.
	dir := app(t, testbed.Packfile(
		testbed.Layer("tool").Version("STAMP").Run("cat /proc/sys/kernel/random/uuid > $LAYER/id"),
		testbed.Layer("deps").Export().Inputs("deps.lock").Run("cat $TOOL/id deps.lock > $LAYER/v").Link("tool", "path-as", "TOOL"),
		testbed.Layer("gen").Export().Version("STAMP").Run("cat $TOOL/id > $LAYER/tool; cat $DEPS/v > $LAYER/v").
			Link("tool", "path-as", "TOOL").Link("deps", "path-as", "DEPS"),
		testbed.Layer("beside").Export().Version("STAMP").Run("cat $TOOL/id > $LAYER/v").Link("tool", "path-as", "TOOL"),
	))
	layers := []string{"tool", "deps", "gen", "beside"}
	_, first := request{dir: dir, runImg: env.busybox}.pushTo(t, imageName(t))
	b := request{dir: dir, runImg: env.busybox, host: otherDaemon(t), previous: first.name}.build(t)
	b.wantRuns(t, layers)
	write(t, dir, map[string]string{"deps.lock": "changed\n"})
	b, second := request{dir: dir, runImg: env.busybox, host: otherDaemon(t), previous: first.name}.pushTo(t, imageName(t))
	b.wantRuns(t, layers, layers...)
	read := func(layer, name string) string { return second.files(t, "layer "+layer)[name].content }
	tool := read("gen", "tool")
	equal(t, "what deps has of the tool and its own file", read("deps", "v"), tool+"changed\n")
	equal(t, "what gen has of deps", read("gen", "v"), tool+"changed\n")
	equal(t, "what beside has of the tool", read("beside", "v"), tool)
}
