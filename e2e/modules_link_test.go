package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/packfile/frontend/internal/testbed"
)

// Links to layers that a module requires and another one makes.

// linkingModules are an engine that provides nodejs, and npm, which requires it and has a layer that links it.
func linkingModules(engine, require string, linking testbed.Part) map[string]string {
	return map[string]string{
		"engine": module("acme/engine@1", engine),
		"npm":    module("acme/npm@1", require+testbed.Tables(linking)),
	}
}

// curiousNPM writes down all that its steps see of the link.
var curiousNPM = testbed.Layer("modules").Export().Version("1").
	Test(`echo "test: ${NODE_DIR:-unset} ${NODE_VERSION:-unset} $(cat ${NODE_MD:-/nowhere}/found 2>/dev/null)" > $MD/tested`).
	Run(stamp+`
cp $MD/tested $LAYER/tested
echo "run: ${NODE_DIR:-unset} ${NODE_VERSION:-unset} $(cat ${NODE_MD:-/nowhere}/found 2>/dev/null)" > $LAYER/seen
ls ${NODE_DIR-/nowhere}/ > $LAYER/list || true
echo $PATH > $LAYER/path
echo ${FROM_ENGINE:-unset} >> $LAYER/seen
`).
	Link("nodejs", "path-as", "NODE_DIR", "version-as", "NODE_VERSION", "metadata-as", "NODE_MD")

var nodejs = testbed.Tables(
	testbed.Provided("nodejs").Version("20").With("metadata.found", "by-engine").
		Run("mkdir $LAYER/bin; echo node > $LAYER/bin/node").Env("build", "FROM_ENGINE", "{{.Layer}}"),
)

const npmLayer = "layers/acme_npm/modules/"

func TestModuleLinksALayerThatItRequiresByItsName(t *testing.T) {
	t.Parallel()
	modules := linkingModules(nodejs, requires("nodejs", ""), curiousNPM)
	b := request{dir: modularApp(t, allOf(modules), modules)}.files(t)
	equal(t, "what the test saw", b.read(t, npmLayer+"tested"), "test: unset 20 by-engine")
	equal(t, "what run saw", b.read(t, npmLayer+"seen"), "run: /layers/acme_engine/nodejs 20 by-engine\n/layers/acme_engine/nodejs\n")
	equal(t, "its files", b.read(t, npmLayer+"list"), "bin\nenv.build\n")
	contains(t, b.read(t, npmLayer+"path"), ":/layers/acme_engine/nodejs/bin:")
	if b.has("layers/acme_engine/nodejs") {
		t.Error("a layer that nobody exports is in the image")
	}
}

func TestModuleLinkToALayerThatIsNotRequiredThisTimeSetsNothing(t *testing.T) {
	t.Parallel()
	// Somebody else requires it, so that it is made; but not npm.
	modules := linkingModules(nodejs, asks("nodejs", "test -f package.json || exit 100"), curiousNPM)
	modules["other"] = module("acme/other", requires("nodejs", "export = true"))
	dir := modularApp(t, allOf(modules), modules)
	b := request{dir: dir}.files(t)
	equal(t, "what the test saw", b.read(t, npmLayer+"tested"), "test: unset unset ")
	equal(t, "what run saw", b.read(t, npmLayer+"seen"), "run: unset unset \nunset\n")
	if strings.Contains(b.read(t, npmLayer+"path"), "/layers/acme_engine") || !b.has("layers/acme_engine/nodejs") {
		t.Error("the layer is not there, or on PATH: " + b.read(t, npmLayer+"path"))
	}
	write(t, dir, map[string]string{"package.json": ""})
	b = request{dir: dir}.files(t)
	contains(t, b.read(t, npmLayer+"seen"), "run: /layers/acme_engine/nodejs 20 by-engine\n")
}

func TestModuleLinkRebuildsWhenTheLinkedLayerOfAnotherModuleChanges(t *testing.T) {
	t.Parallel()
	render := func(version, content, script string) string {
		return testbed.Tables(testbed.Provided("nodejs").Version(version).
			Run("echo " + content + " > $LAYER/node; rm -f $MD/version; rm -f $MD/found # " + script))
	}
	for name, test := range map[string]struct {
		flags                              []any
		byVersion, byContent, byNewContent bool // whether npm's layer is rebuilt
	}{
		"link-version": {[]any{"link-version", true}, true, false, true},
		"link-content": {[]any{"link-content", true}, true, true, true},
		"neither":      {nil, false, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// Without version-as and metadata-as: what a step asks for may rebuild it.
			npm := testbed.Layer("modules").Export().Version("1").Run(stamp+"ls $NODE_DIR > $LAYER/list").
				Link("nodejs", append([]any{"path-as", "NODE_DIR"}, test.flags...)...)
			text := func(engine string) map[string]string {
				return linkingModules(engine, requires("nodejs", ""), npm)
			}
			modules := text(render("1", "same", "a"))
			dir := modularApp(t, allOf(modules), modules)
			r := request{dir: dir, opts: map[string]string{"build-arg:PACKFILE_APP": dir}}
			last := r.files(t).read(t, npmLayer+"stamp")
			for _, step := range []struct {
				what, engine string
				want         bool
			}{
				{"nothing", render("1", "same", "a"), false},
				{"the version", render("2", "same", "a"), test.byVersion},
				{"the script, with equal content", render("2", "same", "b"), test.byContent},
				{"the content", render("2", "other", "b"), test.byNewContent},
			} {
				write(t, dir, map[string]string{"modules/engine/packfile.toml": text(step.engine)["engine"]})
				now := r.files(t).read(t, npmLayer+"stamp")
				equal(t, "rebuilt by "+step.what, now != last, step.want)
				last = now
			}
		})
	}
}

func TestModuleThatProvidesCanBeSwappedForAnother(t *testing.T) {
	t.Parallel()
	modules := linkingModules(nodejs, requires("nodejs", "export = true\nversion = \"18\""), curiousNPM)
	modules["bun"] = module("example/bun@3", replace(nodejs, "by-engine", "by-bun"))
	build := func(provider string) built {
		dir := modularApp(t, uses("modules/"+provider, "modules/npm"), modules)
		return request{dir: dir, opts: map[string]string{"build-arg:PACKFILE_APP": fmt.Sprintf("%p", modules)}}.files(t)
	}
	first, second := build("engine"), build("bun")
	equal(t, "first", first.read(t, npmLayer+"seen"), "run: /layers/acme_engine/nodejs 18 by-engine\n/layers/acme_engine/nodejs\n")
	equal(t, "second", second.read(t, npmLayer+"seen"), "run: /layers/example_bun/nodejs 18 by-bun\n/layers/example_bun/nodejs\n")
	if !second.has("layers/example_bun/nodejs/bin/node") || second.has("layers/acme_engine") {
		t.Error("the image does not have the layer of the other provider alone")
	}
	equal(t, "built again", first.read(t, npmLayer+"stamp") != second.read(t, npmLayer+"stamp"), true)
}

// A layer that links nothing but the path of another has to be built again when that is another path.
func TestModuleLinkToAnotherFolderRebuilds(t *testing.T) {
	t.Parallel()
	layer := testbed.Tables(testbed.Provided("nodejs").Run("echo same > $LAYER/node"))
	modules := map[string]string{
		"one": module("acme/one", layer), "two": module("acme/two", layer),
		"user": module("acme/user", requires("nodejs", "")+builds("u", "export = true\nversion = \"1\"", stamp+"echo $N > $LAYER/n")+
			"[[layers.build.links]]\nname = \"nodejs\"\npath-as = \"N\"\n"),
	}
	app := t.TempDir()
	of := func(provider string) request {
		dir := modularApp(t, uses("modules/"+provider, "modules/user"), modules)
		return request{dir: dir, opts: map[string]string{"build-arg:PACKFILE_APP": app}}
	}
	const file = "layers/acme_user/u/"
	one, two, again := of("one").files(t), of("two").files(t), of("one").files(t)
	equal(t, "paths", one.read(t, file+"n")+two.read(t, file+"n"), "/layers/acme_one/nodejs\n/layers/acme_two/nodejs\n")
	equal(t, "stamp of the first provider", again.read(t, file+"stamp"), one.read(t, file+"stamp"))

	// Neither is it taken over from an image for which it saw the other one.
	_, img := of("one").pushTo(t, imageName(t))
	next := of("two")
	next.host, next.previous = otherDaemon(t), img.name
	b := next.files(t)
	equal(t, "path", b.read(t, file+"n"), "/layers/acme_two/nodejs\n")
	contains(t, b.log, "[acme/user/u] run (")
	next = of("one")
	next.host, next.previous = otherDaemon(t), img.name
	equal(t, "stamp of what is taken over", next.files(t).read(t, file+"stamp"), one.read(t, file+"stamp"))
}

// What a module makes for itself it gets, whoever else provides it too.
func TestModuleThatProvidesWhatItRequiresGetsItsOwn(t *testing.T) {
	t.Parallel()
	layer := func(by string) string { return "echo " + by + " > $LAYER/by" }
	look := func(name string) string {
		return builds(name, "export = true", "cp $X/by $LAYER/by") + "[[layers.build.links]]\nname = \"x\"\npath-as = \"X\"\n"
	}
	modules := map[string]string{
		"a": module("acme/a", provides("x", layer("a"))),
		"b": module("acme/b", builds("x", "", layer("b"))+look("look")),
		"c": module("acme/c", requires("x", "")+look("look")),
	}
	b := request{dir: modularApp(t, allOf(modules), modules)}.files(t)
	equal(t, "of two providers the first serves others, each itself", b.read(t, "layers/acme_b/look/by")+b.read(t, "layers/acme_c/look/by"), "b\na\n")
}
