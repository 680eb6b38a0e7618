package module

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/source"
	"github.com/packfile/frontend/tree/treetest"
)

// one returns a folder with one module.
func one(id, version, more string) treetest.Files {
	return treetest.Files{"packfile.toml": module(id, version, more)}
}

// pack returns a buildpackage.
func pack(about string, modules ...string) treetest.Files {
	files := treetest.Files{"cnb/package.toml": "[default]\nid = \"" + about + "\"\nversion = \"1\"\n"}
	for _, id := range modules {
		files["cnb/buildpacks/"+id+"/1/packfile.toml"] = module(id, "1", "")
	}
	return files
}

const sum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

func TestModulesAreFoundWhereverTheyAre(t *testing.T) {
	itself := func(w *fakeWorld, ref string) { w.remote = map[string]treetest.Files{ref: one("a", "1", "")} }
	for name, test := range map[string]struct {
		entry string
		world func(*fakeWorld)
		want  []string
	}{
		"a folder": {`uri = "modules/a"`, func(w *fakeWorld) { w.root = in("modules/a", one("a", "1", "")) }, []string{"a@1 modules/a/packfile.toml"}},
		"an image": {`uri = "docker://registry.example.com/a"`, func(w *fakeWorld) { itself(w, "registry.example.com/a") }, []string{"a@1 docker://registry.example.com/a/packfile.toml"}},
		"a repository": {`uri = "https://example.com/a.git"`, func(w *fakeWorld) { itself(w, "https://example.com/a.git") },
			[]string{"a@1 https://example.com/a.git/packfile.toml"}},
		"a download": {`uri = "https://example.com/a.tgz"` + "\nsha = \"" + sum + `"`, func(w *fakeWorld) {
			w.remote = map[string]treetest.Files{"https://example.com/a.tgz": {"module": "bytes"}}
			w.archives = map[string]treetest.Files{"/module": one("a", "1", "")}
		}, []string{"a@1 https://example.com/a.tgz/packfile.toml"}},
		"an archive": {`uri = "a.cnb"`, func(w *fakeWorld) {
			w.root, w.archives = treetest.Files{"a.cnb": "bytes"}, map[string]treetest.Files{"/a.cnb": one("a", "1", "")}
		}, []string{"a@1 a.cnb/packfile.toml"}},
		"a layout": {`uri = "layout"`, func(w *fakeWorld) {
			w.root, w.archives = treetest.Files{"layout/oci-layout": "{}"}, map[string]treetest.Files{"/layout": one("a", "1", "")}
		}, []string{"a@1 layout/packfile.toml"}},
		"a named context": {`id = "a"`, func(w *fakeWorld) { w.contexts = map[string]treetest.Files{"a": one("a", "1", "")} },
			[]string{"a@1 context a/packfile.toml"}},
		"the named context of its id, and not its uri": {"id = \"a\"\nuri = \"modules/a\"", func(w *fakeWorld) {
			w.root, w.contexts = in("modules/a", one("a", "1", "")), map[string]treetest.Files{"a": one("a", "2", "")}
		}, []string{"a@2 context a/packfile.toml"}},
		"the named context of an id that the entry does not give": {`uri = "modules/a"`, func(w *fakeWorld) {
			w.root, w.contexts = in("modules/a", one("a", "1", "")), map[string]treetest.Files{"a": one("a", "2", "")}
		}, []string{"a@2 context a/packfile.toml"}},
		"a YAML packfile": {`uri = "a"`, func(w *fakeWorld) { w.root = treetest.Files{"a/packfile.yaml": "config:\n  id: a\n"} }, []string{"a a/packfile.yaml"}},
		"one without an id, by that of its entry": {"id = \"a\"\nversion = \"3\"\nuri = \"a\"", func(w *fakeWorld) {
			w.root = treetest.Files{"a/packfile.toml": ""}
		}, []string{"a@3 a/packfile.toml"}},
		"all of a package": {`uri = "p"`, func(w *fakeWorld) { w.root = in("p", pack("b", "c", "b")) },
			[]string{"b@1 p/cnb/buildpacks/b/1/packfile.toml", "c@1 p/cnb/buildpacks/c/1/packfile.toml"}},
		"a package of the first draft": {`uri = "p"`, func(w *fakeWorld) {
			w.root = treetest.Files{"p/cnb/by-id/a/1": treetest.Link("/cnb/blobs/x"), "p/cnb/blobs/x/packfile.toml": module("a", "1", "")}
		}, []string{"a@1 p/cnb/blobs/x/packfile.toml"}},
		"the module that the label of an image names": {`uri = "docker://registry.example.com/p"`, func(w *fakeWorld) {
			p := pack("", "c", "b")
			delete(p, "cnb/package.toml")
			w.remote, w.labels = map[string]treetest.Files{"registry.example.com/p": p}, map[string]string{labelBuildpackage: `{"id":"c","version":"1"}`}
		}, []string{"b@1 docker://registry.example.com/p/cnb/buildpacks/b/1/packfile.toml", "c@1 docker://registry.example.com/p/cnb/buildpacks/c/1/packfile.toml"}},
		"what a module names, in its own folder": {`uri = "modules/a"`, func(w *fakeWorld) {
			w.root = both(in("modules/a", one("a", "1", "[[buildpacks]]\nuri = \"inner\"\n")), in("modules/a/inner", one("b", "1", "")))
		}, []string{"a@1 modules/a/packfile.toml", "b@1 modules/a/inner/packfile.toml"}},
		"a composite, and what it is about": {`uri = "p"`, func(w *fakeWorld) {
			w.root = both(in("p", pack("m", "a")), treetest.Files{
				"p/cnb/buildpacks/m/1/buildpack.toml": "api = \"0.10\"\n[buildpack]\nid = \"m\"\nversion = \"1\"\n[[order]]\n[[order.group]]\nid = \"a\"\nversion = \"1\"\n",
			})
		}, []string{"a@1 p/cnb/buildpacks/a/1/packfile.toml", "m@1 p/cnb/buildpacks/m/1/buildpack.toml"}},
		"a buildpack with programs": {`uri = "b"`, func(w *fakeWorld) {
			w.root = treetest.Files{
				"b/buildpack.toml": "api = \"0.10\"\n[buildpack]\nid = \"b\"\nversion = \"1\"\n", "b/bin/detect": "", "b/bin/build": "",
			}
		}, []string{"b@1 b/buildpack.toml"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := new(fakeWorld)
			test.world(w)
			got := w.found(t, "[[buildpacks]]\n"+test.entry+"\n")
			if diff := cmp.Diff(append([]string{"packfile packfile.toml"}, test.want...), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatCannotBeFoundIsSaidWhereItIsNamed(t *testing.T) {
	const head = "[[buildpacks]]\n"
	inFolder := func(files treetest.Files) func(*fakeWorld) { return func(w *fakeWorld) { w.root = files } }
	for name, test := range map[string]struct {
		text  string
		world func(*fakeWorld)
		want  string // FILE:LINE: what is said
	}{
		"no such folder": {head + `uri = "none"`, inFolder(nil), "packfile.toml:2: module none: there is no none in the folder of packfile.toml"},
		"a symbolic link": {head + `uri = "a/b"`, inFolder(treetest.Files{"a": treetest.Link("c")}),
			"packfile.toml:2: module a/b: a is a symbolic link; a module must be a folder or file in the folder of packfile.toml"},
		"an empty folder": {head + `uri = "a"`, inFolder(treetest.Files{"a/": ""}),
			"packfile.toml:2: module a: it holds no module: neither a packfile (packfile.toml, packfile.yaml) nor a buildpackage (/cnb)"},
		"no context and no uri": {head + `id = "a"`, inFolder(nil),
			"packfile.toml:1: module a: it has no uri, and there is no named context of its id: give one with --build-context a=…"},
		"an image that is not there": {head + `uri = "docker://registry.example.com/a"`, inFolder(nil), "packfile.toml:2: module docker://registry.example.com/a: nobody is there"},
		"an archive that is refused": {head + `uri = "a.tgz"`, inFolder(treetest.Files{"a.tgz": ""}), "packfile.toml:2: module a.tgz: /a.tgz is no archive"},
		"an archive in an archive": {head + `uri = "a.tgz"`, func(w *fakeWorld) {
			w.root, w.archives = treetest.Files{"a.tgz": ""}, map[string]treetest.Files{"/a.tgz": {"b.tgz": ""}}
		}, "packfile.toml:2: module a.tgz: it holds no module: neither a packfile (packfile.toml, packfile.yaml) nor a buildpackage (/cnb)"},
		"another id": {head + "id = \"a\"\nuri = \"b\"", inFolder(in("b", one("b", "1", ""))), "packfile.toml:2: module b: it is b@1, and not a"},
		"a package that does not say which": {head + `uri = "p"`, inFolder(both(in("p", pack("", "a", "b")), treetest.Files{"p/cnb/package.toml": ""})),
			"packfile.toml:1: module p: it holds several modules (a@1, b@1): say which by id and version"},
		"the wrong place in a package": {head + `uri = "p"`, inFolder(treetest.Files{"p/cnb/buildpacks/a/2/packfile.toml": module("a", "1", "")}),
			"packfile.toml:2: module p: it has a@1 in the place of a@2"},
		"a link of a package that leads out of it": {head + `uri = "p"`, inFolder(treetest.Files{"p/cnb/by-id/a/1": treetest.Link("/etc")}),
			"packfile.toml:2: module p: /cnb/by-id/a/1 leads to /etc, which is no blob in /cnb/blobs"},
		"an id that two have": {head + "uri = \"a\"\n" + head + "uri = \"b\"", inFolder(both(in("a", one("a", "1", "")), in("b", one("a", "1", "# other")))),
			"there is another module a@1, from "},
		"the id of the packfile that is built": {"[config]\nid = \"a\"\n[[processes]]\ntype = \"web\"\ncommand = [\"x\"]\n" + head + `uri = "a"`, inFolder(in("a", one("a", "1", ""))),
			"packfile.toml:7: module a: module a@1 has the id of the packfile that is built: give one of them another (config.id)"},
		"a mistake in a module": {head + `uri = "a"`, inFolder(treetest.Files{"a/packfile.toml": "[config]\nid = 1\n"}), "a/packfile.toml:2: "},
		"a script that a module has not": {head + `uri = "a"`, inFolder(treetest.Files{
			"a/packfile.toml": "[config]\nid = \"a\"\n[[layers]]\nname = \"x\"\n[layers.build.run]\npath = \"bin/run.sh\"\n"}),
			"a/packfile.toml:6: script bin/run.sh does not exist in the folder of a/packfile.toml"},
		"what a module names": {head + `uri = "a"`, inFolder(in("a", one("a", "1", "[[buildpacks]]\nuri = \"b\"\n"))),
			"a/packfile.toml:5: module b: there is no b in the folder of a/packfile.toml"},
		"an order that names nobody": {head + "uri = \"abc\"\n[[order]]\n[[order.group]]\nid = \"abd\"", inFolder(in("abc", one("abc", "1", ""))),
			`packfile.toml:5: there is no module "abd" (did you mean "abc"?)`},
		"an order that names another version": {head + "uri = \"a\"\n[[order]]\n[[order.group]]\nid = \"a\"\nversion = \"2\"", inFolder(in("a", one("a", "1", ""))),
			`packfile.toml:6: module "a" is not there in version "2" (there: "1")`},
		"a cycle": {head + `uri = "a"`, inFolder(both(
			in("a", one("a", "1", "[[buildpacks]]\nuri = \"b\"\n[[order]]\n[[order.group]]\nid = \"b\"\n")),
			in("a/b", treetest.Files{"packfile.toml": "[config]\nid = \"b\"\nversion = \"1\"\n[[order]]\n[[order.group]]\nid = \"a\"\n"}),
		)), "a/packfile.toml:6: modules whose orders go round in a circle: a@1 → b@1 → a@1"},
		"programs that are not there": {head + `uri = "b"`, inFolder(treetest.Files{"b/buildpack.toml": "api = \"0.10\"\n[buildpack]\nid = \"b\"\nversion = \"1\"\n"}),
			"b/buildpack.toml:3: b@1 has neither a packfile nor an order nor programs (bin/detect, bin/build)"},
		"an API that nobody knows": {head + `uri = "b"`, inFolder(treetest.Files{
			"b/buildpack.toml": "api = \"0.99\"\n[buildpack]\nid = \"b\"\nversion = \"1\"\n", "b/bin/detect": "", "b/bin/build": ""}),
			"b/buildpack.toml:1: b@1 speaks Buildpack API 0.99: known are 0.7 to 0.12"},
	} {
		t.Run(name, func(t *testing.T) {
			w := new(fakeWorld)
			test.world(w)
			_, err := w.load(t, test.text)
			pe, ok := errors.AsType[*node.Error](err)
			if !ok {
				t.Fatalf("it has no place: %v", err)
			}
			d := pe.Diagnostics[0]
			if got := fmt.Sprintf("%s:%d: %s", pe.Filename, d.Range.Start.Line, d.Text()); !strings.Contains(got, test.want) {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestAModuleThatIsNamedTwiceIsOneModule(t *testing.T) {
	w := &fakeWorld{root: both(in("a", one("a", "1", "")), in("copy", one("a", "1", "")))}
	got := w.found(t, "[[buildpacks]]\nuri = \"a\"\n[[buildpacks]]\nuri = \"a\"\n[[buildpacks]]\nuri = \"copy\"\n")
	if len(got) != 2 || !strings.HasPrefix(got[1], "a@1 ") {
		t.Error(got)
	}
}

func TestTheBudgetOfModulesIsSpentByAllTogether(t *testing.T) {
	most := mostOfModules
	defer func() { mostOfModules = most }()
	mostOfModules.Bytes = 2 * len(module("a", "1", ""))
	two := both(in("a", one("a", "1", "")), in("b", one("b", "1", "")))
	w := &fakeWorld{root: two}
	w.found(t, "[[buildpacks]]\nuri = \"a\"\n[[buildpacks]]\nuri = \"b\"\n")
	w = &fakeWorld{root: both(two, in("c", one("c", "1", "")))}
	_, err := w.load(t, "[[buildpacks]]\nuri = \"a\"\n[[buildpacks]]\nuri = \"b\"\n[[buildpacks]]\nuri = \"c\"\n")
	if err == nil || !strings.Contains(err.Error(), "the modules of the build have more than") {
		t.Error(err)
	}
}

func TestPackagesThatNameEachOtherUnderNewVersionsEnd(t *testing.T) {
	p := treetest.Files{}
	for i := range maxModules + 1 {
		p[fmt.Sprintf("p/cnb/buildpacks/a/%d/packfile.toml", i)] = fmt.Sprintf("[config]\nid = \"a\"\nversion = \"%d\"\n", i)
	}
	_, err := (&fakeWorld{root: p}).load(t, "[[buildpacks]]\nid = \"a\"\nversion = \"1\"\nuri = \"p\"\n")
	if err == nil || !strings.Contains(err.Error(), "more than 1000 modules") {
		t.Error(err)
	}
}

func TestGroupsAreWhatOrdersNameWithTheModuleItselfLast(t *testing.T) {
	w := &fakeWorld{root: both(in("a", one("a", "1", "")), in("b", one("b", "1", "")))}
	found, err := w.load(t, "[config]\nid = \"me\"\n[[processes]]\ntype = \"web\"\ncommand = [\"x\"]\n[[buildpacks]]\nuri = \"a\"\n[[buildpacks]]\nuri = \"b\"\n"+
		"[[order]]\n[[order.group]]\nid = \"b\"\noptional = true\n[[order.group]]\nid = \"a\"\n[[order]]\n[[order.group]]\nid = \"me\"\n[[order.group]]\nid = \"a\"\n")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for group := range found.Groups() {
		var names []string
		for _, m := range group {
			names = append(names, fmt.Sprint(m.ID(), " ", m.Optional))
		}
		got = append(got, strings.Join(names, ", "))
	}
	if diff := cmp.Diff([]string{"b true, a false, me false", "me false, a false"}, got); diff != "" {
		t.Error(diff)
	}
	if all := found.TakingPart(); len(all) != 3 || all[0] != found.All[0] {
		t.Error(all)
	}
}

// A module's sources may lie on anybody's servers, and the place says whose file names them.
func TestSourcesSayWhoNamesThem(t *testing.T) {
	const address = "https://example.com/inner.git"
	w := &fakeWorld{
		root:   in("a", one("a", "1", "[[buildpacks]]\nuri = \""+address+"\"\n")),
		remote: map[string]treetest.Files{address: one("b", "1", ""), "https://example.com/own.git": one("c", "1", "")},
	}
	w.found(t, "[[buildpacks]]\nuri = \"a\"\n[[buildpacks]]\nuri = \"https://example.com/own.git\"\n")
	for _, s := range w.resolved {
		git, ok := s.(source.Git)
		if !ok {
			continue
		}
		by := "packfile.toml"
		if git.Address == address {
			by = "a/packfile.toml"
		}
		if git.Foreign != (git.Address == address) || git.At.Filename != by || git.At.Start.Line == 0 {
			t.Errorf("%+v", git)
		}
	}
	if got := w.asked(source.GitKind); len(got) != 2 {
		t.Error(got)
	}
}
