package e2e

import (
	"testing"
	"time"

	"github.com/packfile/frontend/internal/testbed"
)

// Layer keys: one test for each rule of when a layer is rebuilt.

// stamp is a script that leaves something else every time it runs.
const stamp = "cat /proc/sys/kernel/random/uuid > $LAYER/stamp; "

func TestLayerWithInputsIsRebuiltWhenTheyChangeAndSeesNothingElse(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"lock.json": "1", "src/a.txt": "a", "packfile.toml": testbed.Packfile(
		testbed.Layer("a").Inputs("*.json").
			Test("find . -type f > $MD/seen; echo $(cat $MD/version)-tested > $MD/version").
			Run(stamp + "find . -type f > $LAYER/seen; cp $MD/seen $LAYER/tested; cp $MD/version $LAYER/version"),
	)})
	r := request{dir: dir, target: "a"}
	first := r.build(t)
	if got := first.read(t, "seen") + first.read(t, "tested"); got != "./lock.json\n./lock.json" {
		t.Errorf("steps saw %q", got)
	}
	if got := first.read(t, "version"); len(got) != 64+len("-tested") {
		t.Errorf("the version is %q, not the digest of the inputs", got)
	}
	write(t, dir, map[string]string{"src/a.txt": "edited"})
	second := r.build(t)
	if second.read(t, "stamp") != first.read(t, "stamp") {
		t.Error("an edit beside the inputs rebuilt the layer")
	}
	// What a step saw is what its answer is cached by.
	second.wantRan(t, map[string]bool{"[a] test": false, "[a] run": false})
	write(t, dir, map[string]string{"lock.json": "22"})
	if r.build(t).read(t, "stamp") == first.read(t, "stamp") {
		t.Error("a change of the inputs did not rebuild the layer")
	}
}

func TestLayerWithAVersionIsRebuiltWhenItChangesAndSeesTheWholeApp(t *testing.T) {
	t.Parallel()
	layer := testbed.Layer("a").Run(stamp + "cp src/a.txt $LAYER/a")
	for kind, versioned := range map[string]testbed.Part{
		"match": layer.Match("lock.json", "conf"),
		"test":  layer.Test("cat lock.json conf/x > $MD/version"),
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			dir := files(t, map[string]string{"lock.json": "1", "conf/x": "x", "src/a.txt": "a", "packfile.toml": testbed.Packfile(versioned)})
			r := request{dir: dir, target: "a"}
			first := r.build(t)
			if got := first.read(t, "a"); got != "a" {
				t.Errorf("run saw %q", got)
			}
			write(t, dir, map[string]string{"src/a.txt": "edited"})
			second := r.build(t)
			if second.read(t, "stamp") != first.read(t, "stamp") {
				t.Error("an edit that the version does not see rebuilt the layer")
			}
			second.wantRan(t, map[string]bool{"[a] run": false})
			write(t, dir, map[string]string{"conf/x": "xx"})
			third := r.build(t)
			if third.read(t, "stamp") == first.read(t, "stamp") {
				t.Error("a change of the version did not rebuild the layer")
			}
			if got := third.read(t, "a"); got != "edited" {
				t.Errorf("the rebuilt layer saw %q", got)
			}
		})
	}
}

func TestLayerWithoutAVersionIsRebuiltOnEveryChangeOfTheApp(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"a.txt": "a", "packfile.toml": testbed.Packfile(testbed.Layer("a").Run(stamp))})
	r := request{dir: dir, target: "a"}
	first := r.build(t).read(t, "stamp")
	if r.build(t).read(t, "stamp") != first {
		t.Error("nothing changed and the layer was rebuilt")
	}
	write(t, dir, map[string]string{"a.txt": "edited"})
	if r.build(t).read(t, "stamp") == first {
		t.Error("the app changed and the layer was not rebuilt")
	}
}

func TestPartsOfTheLayerKeyRebuildTheLayer(t *testing.T) {
	t.Parallel()
	base := map[string]string{
		"SCRIPT": "true", "META": "x", "ENV": "1", "PROFILE": "echo 1", "VERSION": "1", "VAR": "T", "NET": "default",
	}
	packfile := testbed.Packfile(
		testbed.Layer("tool").Version("1").Run("true"),
		testbed.Layer("a").Version("VERSION").With("metadata.k", "META").Run(stamp+"SCRIPT", "network", "NET").
			Link("tool", "path-as", "VAR").Env("launch", "E", "ENV").Profile("PROFILE"),
	)
	render := func(with map[string]string) string {
		text := packfile
		for k, v := range base {
			if w, ok := with[k]; ok {
				v = w
			}
			text = replace(text, k, v)
		}
		return text
	}
	dir := files(t, map[string]string{"packfile.toml": render(nil)})
	r := request{dir: dir, target: "a", opts: map[string]string{"build-arg:PACKFILE_APP": dir}}
	first := r.build(t).read(t, "stamp")
	for part, value := range map[string]string{
		"SCRIPT": "false || true", "META": "y", "ENV": "2", "PROFILE": "echo 2", "VERSION": "2", "VAR": "U", "NET": "none",
	} {
		write(t, dir, map[string]string{"packfile.toml": render(map[string]string{part: value})})
		if r.build(t).read(t, "stamp") == first {
			t.Errorf("%s changed and the layer was not rebuilt", part)
		}
	}
	write(t, dir, map[string]string{"packfile.toml": "# a comment\n" + render(nil)})
	if r.build(t).read(t, "stamp") != first {
		t.Error("only a comment changed and the layer was rebuilt")
	}
	r.opts["build-arg:GIVEN"] = "1"
	if r.build(t).read(t, "stamp") == first {
		t.Error("the platform environment changed and the layer was not rebuilt")
	}
}

func TestLinkedLayersContentRebuildsOnlyWhenItDiffers(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"in.txt": "1", "packfile.toml": testbed.Packfile(
		testbed.Layer("tool").Inputs("in.txt").Run("wc -c < in.txt > $LAYER/size"),
		testbed.Layer("a").Version("1").Run(stamp).Link("tool"),
	)})
	r := request{dir: dir, target: "a"}
	first := r.build(t).read(t, "stamp")
	write(t, dir, map[string]string{"in.txt": "2"})
	if r.build(t).read(t, "stamp") != first {
		t.Error("the linked layer was rebuilt to the same content, and rebuilt the layer that links it")
	}
	write(t, dir, map[string]string{"in.txt": "333"})
	if r.build(t).read(t, "stamp") == first {
		t.Error("the linked layer's content changed and did not rebuild the layer that links it")
	}
}

func TestLinkVersionAndLinkContentRebuildWithEqualContent(t *testing.T) {
	t.Parallel()
	for flag, pairs := range map[string][]any{"link-version": {"link-version", true}, "link-content": {"link-content", true}, "neither": nil} {
		t.Run(flag, func(t *testing.T) {
			t.Parallel()
			packfile := testbed.Packfile(
				testbed.Layer("tool").Version("VERSION").Run("echo same > $LAYER/file; rm -f $MD/version"),
				testbed.Layer("a").Version("1").Run(stamp).Link("tool", pairs...),
			)
			dir := files(t, map[string]string{"packfile.toml": replace(packfile, "VERSION", "1")})
			r := request{dir: dir, target: "a", opts: map[string]string{"build-arg:PACKFILE_APP": dir}}
			first := r.build(t).read(t, "stamp")
			write(t, dir, map[string]string{"packfile.toml": replace(packfile, "VERSION", "2")})
			rebuilt := r.build(t).read(t, "stamp") != first
			if want := flag != "neither"; rebuilt != want {
				t.Errorf("rebuilt: %t, want %t", rebuilt, want)
			}
		})
	}
}

func TestRefreshAsksAgainWhenTheAnswerIsTooOld(t *testing.T) {
	t.Parallel()
	for refresh, again := range map[string]bool{"1s": true, "2000h": false, "": false} {
		var pairs []any
		if refresh != "" {
			pairs = []any{"refresh", refresh}
		}
		dir := files(t, map[string]string{"unique": t.Name() + refresh, "packfile.toml": testbed.Packfile(
			testbed.Layer("a").Test("cat /proc/sys/kernel/random/uuid > $MD/version", pairs...).Run("cp $MD/version $LAYER/stamp"),
		)})
		r := request{dir: dir, target: "a"}
		first := r.build(t).read(t, "stamp")
		// The age of an answer is what is tested; there is nothing to wait for but time.
		time.Sleep(1100 * time.Millisecond)
		if got := r.build(t).read(t, "stamp") != first; got != again {
			t.Errorf("with %q the test ran again: %t, want %t", refresh, got, again)
		}
	}
}

func TestNoCacheRunsEverythingAndItsFilterOneLayer(t *testing.T) {
	t.Parallel()
	layer := func(name, more string) testbed.LayerTable {
		return testbed.Layer(name).Export().Version("1").Run(stamp + more)
	}
	dir := files(t, map[string]string{"packfile.toml": testbed.Packfile(
		layer("a", ""), layer("b", ""),
		layer("links-a", "cp $A/stamp $LAYER/of-a").Link("a", "path-as", "A"),
		layer("links-that", "cp $L/of-a $LAYER/of-a").Link("links-a", "path-as", "L"),
	)})
	type stamps struct{ a, b, linksA, linksThat string }
	build := func(noCache ...string) stamps {
		r := request{dir: dir, opts: map[string]string{"build-arg:PACKFILE_APP": dir}}
		if noCache != nil {
			r.opts["no-cache"] = noCache[0]
		}
		_, img := r.pushTo(t, imageName(t))
		read := func(layer, file string) string { return img.files(t, "layer "+layer)[file].content }
		got := stamps{read("a", "stamp"), read("b", "stamp"), read("links-a", "stamp"), read("links-that", "stamp")}
		if read("links-a", "of-a") != got.a || read("links-that", "of-a") != got.a {
			t.Errorf("%q: layers that link a have an older one", noCache)
		}
		for _, name := range []string{"a", "b", "links-a", "links-that"} {
			img.wantDiffID(t, "layer "+name, name)
		}
		return got
	}
	last := build()
	for range 2 {
		now := build("a")
		if now.a == last.a || now.b != last.b || now.linksA == last.linksA || now.linksThat == last.linksThat {
			t.Errorf("--no-cache-filter=a: %+v, then %+v", last, now)
		}
		if again := build(); again != now {
			t.Errorf("without --no-cache: %+v, then %+v", now, again)
		}
		last = now
	}
	for range 2 {
		now := build("")
		if now.a == last.a || now.b == last.b || now.linksA == last.linksA || now.linksThat == last.linksThat {
			t.Errorf("--no-cache: %+v, then %+v", last, now)
		}
		if again := build(); again != now {
			t.Errorf("without --no-cache: %+v, then %+v", now, again)
		}
		last = now
	}
}

func TestLayersRunInParallelAndThoseWithOneCacheInTurn(t *testing.T) {
	t.Parallel()
	url := meeting(t, 2)
	free := func(name string) testbed.Part {
		return testbed.Layer(name).Export().Run("wget -q -O /dev/null " + url + "/" + name) // ends when the other one is there, too
	}
	inTurn := func(name string) testbed.Part {
		return testbed.Layer(name).Export().Run("date +%s%N > $LAYER/start; sleep 1; date +%s%N > $LAYER/end").Link("c")
	}
	dir := files(t, map[string]string{"packfile.toml": testbed.Packfile(
		testbed.Cache("c"),
		free("a"), free("b"), inTurn("c1"), inTurn("c2"),
	)})
	out := t.TempDir()
	request{dir: dir, output: "type=local,dest=" + out, opts: map[string]string{"build-arg:PACKFILE_APP": dir, "no-cache": ""}}.build(t)
	b := built{out: out}
	overlap := func(x, y string) bool {
		at := func(layer, file string) string { return b.read(t, "layers/packfile/"+layer+"/"+file) }
		return at(x, "start") < at(y, "end") && at(y, "start") < at(x, "end")
	}
	if overlap("c1", "c2") {
		t.Error("two layers used one cache at the same time")
	}
}
