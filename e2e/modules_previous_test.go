package e2e

import (
	"crypto/rand"
	"strings"
	"testing"

	"github.com/packfile/frontend/internal/testbed"
)

// Builds with modules that go on from an image that is there: what is taken over, what is made again, and what is asked for.

// threeModules are modules that build what differs each time, with two layers of one name.
func threeModules(version string) map[string]string {
	layer := func(more string) string { return stamp + more }
	v := "version = \"" + version + "\"\n"
	return map[string]string{
		"engine": module("acme/engine@1", "[[layers]]\nname = \"x\"\n"+v+"[layers.provide.run]\ninline = \""+layer("echo x > $MD/found")+"\"\n"+
			builds("same", "export = true\n"+v, layer(""))),
		"user": module("acme/user@1", requires("x", "export = true\nexpose = true")+
			builds("same", "export = true\n"+v, layer("cp $X/stamp $LAYER/of-x"))+"[[layers.build.links]]\nname = \"x\"\npath-as = \"X\"\n"+
			builds("inner", v, layer(""))),
		"web": module("acme/web@1", process("web", "cat /layers/acme_engine/x/stamp /layers/acme_user/same/of-x /patched 2>/dev/null")),
	}
}

var layersOfModules = []string{"acme/engine/x", "acme/engine/same", "acme/user/same", "acme/user/inner"}

// ofModules is a project of them, with an id of its own in the registry.
func ofModules(t *testing.T) (dir, version string) {
	t.Helper()
	version = rand.Text()
	modules := threeModules(version)
	return modularApp(t, shortGroup("engine user web")+allOf(modules), modules), version
}

func TestModuleLayersAreTakenOverFromThePreviousImage(t *testing.T) {
	t.Parallel()
	dir, version := ofModules(t)
	b, first := request{dir: dir}.pushTo(t, imageName(t))
	b.wantRuns(t, layersOfModules, "acme/engine/x", "acme/engine/same", "acme/user/same", "acme/user/inner")
	p := newProxy(t)
	next := request{dir: dir, host: otherDaemon(t), previous: p.Image(first.name)}
	b, second := next.pushTo(t, p.Image(imageName(t)))
	b.wantRuns(t, layersOfModules)
	contains(t, b.log, "[acme/engine/x] reused from the previous image", "[acme/engine/same] reused", "[acme/user/same] reused")
	equal(t, "digest of the image", second.digest, first.digest)
	for _, l := range layersOfModules[:3] {
		if n := pulled(p, first.blob(t, "layer "+l).Digest.String()); n > 0 {
			t.Errorf("%d bytes of layer %s were pulled", n, l)
		}
	}

	// A module more, whose layer has the name of others, leaves theirs as they are.
	modules := threeModules(version)
	modules["more"] = module("acme/more@1", builds("same", "export = true\nversion = \"1\"", stamp))
	write(t, dir, map[string]string{
		"modules/more/packfile.toml": modules["more"],
		"packfile.toml":              sh + shortGroup("more engine user web") + allOf(modules),
	})
	b, third := next.pushTo(t, p.Image(imageName(t)))
	b.wantRuns(t, append([]string{"acme/more/same"}, layersOfModules...), "acme/more/same")
	for _, l := range layersOfModules[:3] {
		equal(t, l, third.blob(t, "layer "+l).Digest, first.blob(t, "layer "+l).Digest)
	}
}

func TestModuleTargetIsALayerOfAModule(t *testing.T) {
	t.Parallel()
	dir, _ := ofModules(t)
	r := request{dir: dir, opts: map[string]string{"build-arg:PACKFILE_APP": dir}}
	all := r.files(t)
	for target, file := range map[string]string{"acme/engine/same": "acme_engine/same", "acme/user/same": "acme_user/same", "x": "acme_engine/x"} {
		r.target = target
		b := r.build(t)
		equal(t, target, b.read(t, "stamp"), all.read(t, "layers/"+file+"/stamp"))
	}
	r.target = "same"
	contains(t, r.fail(t), `target "same" is a layer of several modules`, "acme/engine/same, acme/user/same")
	r.target = "none"
	contains(t, r.fail(t), `target "none" is not a layer`, strings.Join(layersOfModules, ", "))
	// Only what it needs is built.
	fresh, _ := ofModules(t)
	b := request{dir: fresh, target: "acme/user/same"}.build(t)
	b.wantRuns(t, layersOfModules, "acme/engine/x", "acme/user/same")
}

func TestModuleLayerIsMadeAgainByNoCacheFilter(t *testing.T) {
	t.Parallel()
	dir, _ := ofModules(t)
	r := request{dir: dir, opts: map[string]string{"build-arg:PACKFILE_APP": dir}}
	type stamps struct{ x, engine, user, ofX string }
	build := func(filter string) stamps {
		r.opts["no-cache"] = filter
		if filter == "" {
			delete(r.opts, "no-cache")
		}
		b := r.files(t)
		read := func(name string) string { return b.read(t, "layers/acme_"+name) }
		return stamps{read("engine/x/stamp"), read("engine/same/stamp"), read("user/same/stamp"), read("user/same/of-x")}
	}
	first := build("")
	second := build("acme/engine/same")
	if second.engine == first.engine || second.x != first.x || second.user != first.user {
		t.Errorf("a layer of one module: %+v, then %+v", first, second)
	}
	if again := build(""); again != second {
		t.Errorf("without --no-cache: %+v, then %+v", second, again)
	}
	third := build("same")
	if third.engine == second.engine || third.user == second.user || third.x != second.x {
		t.Errorf("layers of a name: %+v, then %+v", second, third)
	}
	fourth := build("acme/engine/x")
	if fourth.x == third.x || fourth.ofX != fourth.x || fourth.engine != third.engine {
		t.Errorf("a layer that another module links: %+v, then %+v", third, fourth)
	}
	if again := build(""); again != fourth {
		t.Errorf("without --no-cache: %+v, then %+v", fourth, again)
	}
}

func TestModuleLayersAreExplained(t *testing.T) {
	t.Parallel()
	dir, version := ofModules(t)
	_, first := request{dir: dir}.pushTo(t, imageName(t))
	write(t, dir, map[string]string{"modules/user/packfile.toml": replace(threeModules(version)["user"], "cp $X/stamp", "cp  $X/stamp")})
	out, err := buildx(t, dir, "--call=packfile.explain,format=json", "--build-context=previous=docker-image://"+first.name)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	actions := explainedActions(t, out)
	equal(t, "actions", actions, []string{"acme/engine/x reused", "acme/engine/same reused", "acme/user/same built", "acme/user/inner kept"})
	if strings.Contains(out, "] run\n") {
		t.Errorf("a run step is in the log:\n%s", out)
	}
	b := request{dir: dir, host: otherDaemon(t), previous: first.name}.build(t)
	b.wantRuns(t, layersOfModules, "acme/user/same")
	contains(t, b.log, "[acme/user/same] run (run script changed)")
}

func TestModuleImageIsRebased(t *testing.T) {
	t.Parallel()
	dir, _ := ofModules(t)
	r := request{dir: dir, runImg: env.busybox}
	_, first := r.pushTo(t, imageName(t))
	swapped := patched(t, env.busybox, "")
	b, second := rebased(t, request{runImg: swapped, previous: first.name})
	if strings.Contains(b.log, "] run\n") {
		t.Errorf("a run step is in the log of a rebase:\n%s", b.log)
	}
	_, fresh := request{dir: dir, runImg: swapped}.pushTo(t, imageName(t))
	equal(t, "config", second.Image, fresh.Image)
	equal(t, "digest", second.digest, fresh.digest)
	// Its SBOM is that of the image before, and both tell of all modules.
	was, is := sbomOf(t, first), sbomOf(t, second)
	equal(t, "SBOM", is, was)
	for _, name := range []string{"acme_engine/sbom.spdx.json", "acme_user/sbom.spdx.json", "acme_engine/x/sbom.spdx.json", "acme_user/same/sbom.spdx.json"} {
		if _, ok := is["layers/sbom/launch/"+name]; !ok {
			t.Errorf("there is no SBOM %s in %q", name, sortedKeys(is))
		}
	}
	if got := container(t, second.name, nil); !strings.HasSuffix(got, "yes") || len(strings.Fields(got)) < 2 {
		t.Errorf("it says %q", got)
	}
}

// sbomOf is what the layer with an image's SBOM has, by file.
func sbomOf(t *testing.T, img pushed) map[string]string {
	t.Helper()
	found := map[string]string{}
	for name, f := range img.tree(t, "sbom") {
		if strings.HasSuffix(name, ".json") {
			found[name] = f.content
		}
	}
	return found
}

// Not only what makes layers: what modules were asked, too.
func TestModuleStepsAreServedByACacheOfAnotherBuilder(t *testing.T) {
	t.Parallel()
	once := "cat /proc/sys/kernel/random/uuid > "
	modules := map[string]string{
		"engine": module("acme/engine@1", testbed.Tables(testbed.Provided("x").Test(once+"$MD/tested").Run("cp $MD/tested $MD/version $LAYER; "+once+"$LAYER/run"))),
		"user":   module("acme/user@1", "# "+rand.Text()+"\n[[layers]]\nname = \"x\"\nexport = true\n[layers.require]\ninline = \""+once+"$MD/version # "+rand.Text()+"\"\n"),
	}
	dir := modularApp(t, allOf(modules), modules)
	cache := imageName(t)
	r := request{dir: dir, opts: map[string]string{"build-arg:PACKFILE_APP": rand.Text()}}
	r.args = []string{"--export-cache", "type=registry,mode=max,ref=" + cache}
	_, first := r.pushTo(t, imageName(t))
	r.args, r.host = []string{"--import-cache", "type=registry,ref=" + cache}, otherDaemon(t)
	_, second := r.pushTo(t, imageName(t))
	// The version that was asked, what the test wrote and what run wrote are other ones each time.
	equal(t, "digest of the image", second.digest, first.digest)
}

func TestModuleExposedLayerOfAPackfileWithoutIDIsNoLinkOfThatName(t *testing.T) {
	t.Parallel()
	// The packfile exposes x, and the module links an x of its own: both are called x.
	v := "version = \"" + rand.Text() + "\"\n"
	dir := modularApp(t, "[[buildpacks]]\nuri = \"modules/m\"\n[[order]]\n[[order.group]]\nid = \"packfile\"\n[[order.group]]\nid = \"m\"\n"+
		builds("x", "export = true\nexpose = true\n"+v, "echo root > $LAYER/v"),
		map[string]string{"m": module("m", "[[layers]]\nname = \"x\"\nexport = true\n[layers.build.test]\nmatch = [\"app.txt\"]\n"+
			"[layers.build.run]\ninline = \"cp app.txt $LAYER/v\"\n"+
			builds("y", "export = true\n"+v, "cat /layers/packfile/x/v $X/v > $LAYER/v")+"[[layers.build.links]]\nname = \"x\"\npath-as = \"X\"\n")})
	layers := []string{"x", "m/x", "m/y"}
	write(t, dir, map[string]string{"app.txt": "one\n"})
	_, first := request{dir: dir, runImg: env.busybox}.pushTo(t, imageName(t))
	write(t, dir, map[string]string{"app.txt": "two\n"})
	b, second := request{dir: dir, runImg: env.busybox, host: otherDaemon(t), previous: first.name}.pushTo(t, imageName(t))
	b.wantRuns(t, layers, "m/x", "m/y")
	y := second.tree(t, "layer m/y")
	equal(t, "what y has", y["layers/m/y/v"].content, "root\ntwo\n")
	b = request{dir: dir, runImg: env.busybox, host: otherDaemon(t), previous: second.name}.build(t)
	b.wantRuns(t, layers)
}

func TestModuleToolchainThatIsKeptAndHasToRun(t *testing.T) {
	t.Parallel()
	// The normal toolchain module: exposed, in no image, seen by everything after it.
	v := "version = \"" + rand.Text() + "\"\n"
	dir := modularApp(t, "[[buildpacks]]\nuri = \"modules/tools\"\n"+
		builds("deps", "export = true\n", "make-id > $LAYER/v; cat app.txt >> $LAYER/v")+
		builds("gen", "export = true\n"+v, "make-id > $LAYER/v"),
		map[string]string{"tools": module("tools", builds("tool", "expose = true\n"+v,
			"mkdir $LAYER/bin; id=$(cat /proc/sys/kernel/random/uuid); printf '#!/bin/sh\\necho %s\\n' $id > $LAYER/bin/make-id; chmod +x $LAYER/bin/make-id"))})
	layers := []string{"tools/tool", "packfile/deps", "packfile/gen", "deps", "gen"}
	_, first := request{dir: dir, runImg: env.busybox}.pushTo(t, imageName(t))
	write(t, dir, map[string]string{"app.txt": "other\n"})
	b, second := request{dir: dir, runImg: env.busybox, host: otherDaemon(t), previous: first.name}.pushTo(t, imageName(t))
	b.wantRuns(t, layers, "tools/tool", "deps", "gen")
	id := second.files(t, "layer gen")["v"].content
	equal(t, "what deps has", second.files(t, "layer deps")["v"].content, id+"other\n")
}
