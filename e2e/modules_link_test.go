package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/packfile/frontend/internal/testbed"
)

// Links to layers that a module requires and another one makes.

// linkingModules are an engine that provides nodejs, and npm, which requires and links it. Behind its link are its flags.
func linkingModules(engine, require, flags string) map[string]string {
	return map[string]string{
		"engine": module("acme/engine@1", engine),
		"npm": module("acme/npm@1", require+`
[[layers]]
name = "modules"
export = true
version = "1"
[layers.build.test]
inline = "echo \"test: ${NODE_DIR:-unset} ${NODE_VERSION:-unset} $(cat ${NODE_MD:-/nowhere}/found 2>/dev/null)\" > $MD/tested"
[layers.build.run]
inline = '''
`+stamp+`
cp $MD/tested $LAYER/tested
echo "run: ${NODE_DIR:-unset} ${NODE_VERSION:-unset} $(cat ${NODE_MD:-/nowhere}/found 2>/dev/null)" > $LAYER/seen
ls ${NODE_DIR-/nowhere}/ > $LAYER/list || true
echo $PATH > $LAYER/path
echo ${FROM_ENGINE:-unset} >> $LAYER/seen
'''
[[layers.build.links]]
name = "nodejs"
path-as = "NODE_DIR"
version-as = "NODE_VERSION"
metadata-as = "NODE_MD"
`+flags),
	}
}

var nodejs = testbed.Tables(
	testbed.Provided("nodejs").Version("20").With("metadata.found", "by-engine").
		Run("mkdir $LAYER/bin; echo node > $LAYER/bin/node").Env("build", "FROM_ENGINE", "{{.Layer}}"),
)

const npmLayer = "layers/acme_npm/modules/"

func TestModuleLinksALayerThatItRequiresByItsName(t *testing.T) {
	t.Parallel()
	modules := linkingModules(nodejs, requires("nodejs", ""), "")
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
	modules := linkingModules(nodejs, asks("nodejs", "test -f package.json || exit 100"), "")
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
	same := testbed.Tables(testbed.Provided("nodejs").Version("VERSION").Run("echo CONTENT > $LAYER/node; rm -f $MD/version; rm -f $MD/found # SCRIPT"))
	render := func(version, content, script string) string {
		return replace(replace(replace(same, "VERSION", version), "CONTENT", content), "SCRIPT", script)
	}
	for name, test := range map[string]struct {
		flags                              string
		byVersion, byContent, byNewContent bool // whether npm's layer is rebuilt
	}{
		"link-version": {"link-version = true", true, false, true},
		"link-content": {"link-content = true", true, true, true},
		"neither":      {"", false, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// Without version-as and metadata-as: what a step asks for may rebuild it.
			text := func(engine string) map[string]string {
				modules := linkingModules(engine, requires("nodejs", ""), test.flags)
				npm := replace(modules["npm"], "version-as = \"NODE_VERSION\"\nmetadata-as = \"NODE_MD\"\n", "")
				_, rest, _ := strings.Cut(npm, "[layers.build.test]\n")
				_, rest, _ = strings.Cut(rest, "\n")
				head, _, _ := strings.Cut(npm, "[layers.build.test]\n")
				modules["npm"] = replace(head+rest, "cp $MD/tested $LAYER/tested\n", "")
				return modules
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
	modules := linkingModules(nodejs, requires("nodejs", "export = true\nversion = \"18\""), "")
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
