package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/packfile/frontend/cnb/label"
	"github.com/packfile/frontend/internal/testbed"
)

// What modules require of each other: when it is asked, and what the provider gets to know.

// asks is a layer that a module requires by a script.
func asks(name, script string) string {
	return fmt.Sprintf("[[layers]]\nname = %q\n[layers.require]\ninline = '''\n%s\n'''\n", name, script)
}

// meeting is a server that answers nobody before a number of visitors are there.
func meeting(t *testing.T, visitors int) string {
	t.Helper()
	var mu sync.Mutex
	complete := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		if visitors--; visitors == 0 {
			close(complete)
		}
		mu.Unlock()
		select {
		case <-complete:
		case <-r.Context().Done():
		case <-time.After(2 * time.Minute): // nobody else comes: a build must not wait for ever
			http.Error(w, "alone", http.StatusGatewayTimeout)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestModuleRequireStepsOfAGroupRunAtTheSameTime(t *testing.T) {
	t.Parallel()
	url := meeting(t, 4)
	// Equal scripts that are about layers of equal names would be one step for BuildKit.
	meet := func(as string) string { return "wget -q -O /dev/null " + url + "/" + as }
	modules := map[string]string{
		"a": module("acme/a", provides("a", "true")+asks("b", meet("a"))),
		"b": module("acme/b", provides("b", "true")+asks("a", meet("b"))),
		"c": module("acme/c", asks("a", meet("ca"))+asks("b", meet("cb"))), // those of one module, too
	}
	// a requires what comes later, so that the group does not pass: that is known when all were asked.
	log := request{dir: modularApp(t, allOf(modules), modules)}.fail(t)
	contains(t, log, "no group of modules passes", `requires "b", which only comes later (acme/b)`)
}

func TestModuleRequireStepsRunOnceHoweverManyGroupsNameTheModule(t *testing.T) {
	t.Parallel()
	s := newShelf(t, map[string]string{"/user": "", "/engine": "", "/late": "", "/none": ""})
	visit := func(path string) string { return "wget -q -O /dev/null " + s.URL + path }
	modules := map[string]string{
		"user":   module("acme/user", asks("x", visit("/user"))),
		"engine": module("acme/engine", provides("x", "true")+"[[layers]]\nname = \"own\"\n[layers.require]\ninline = \""+visit("/engine")+"\"\n[layers.provide.run]\ninline = \"true\"\n"),
		"lone":   module("acme/lone", requires("y", "")),
		"late":   module("acme/late", asks("x", visit("/late"))),
		"none":   module("acme/none", asks("x", visit("/none"))),
	}
	packfile := shortGroup("engine user lone") + shortGroup("user engine") + shortGroup("engine late lone user") +
		shortGroup("engine user late") + shortGroup("none engine") + allOf(modules)
	dir := modularApp(t, packfile, modules)
	counts := func() string {
		return fmt.Sprint("user ", s.count("/user"), ", engine ", s.count("/engine"), ", late ", s.count("/late"), ", none ", s.count("/none"))
	}
	const each = "user 1, engine 1, late 1, none 0" // the last group is never tried
	b := request{dir: dir}.build(t)
	equal(t, "visits", counts(), each)
	for _, vertex := range []string{"[acme/user/x] require", "[acme/engine/own] require", "[acme/late/x] require"} {
		if n := strings.Count(b.log, vertex+"\n"); n == 0 {
			t.Errorf("%s is not in the log:\n%s", vertex, b.log)
		}
	}
	request{dir: dir}.build(t)
	equal(t, "visits of two builds", counts(), each)
	// Neither does it run twice where nothing is cached.
	request{dir: dir, opts: map[string]string{"no-cache": ""}}.build(t)
	equal(t, "visits of a third without cache", counts(), "user 2, engine 2, late 2, none 0")
}

// requirers are modules that want the layer x of a provider, which has test and run.
func requirers(test, run string) (packfile string, modules map[string]string) {
	provider := `
[[layers]]
name = "x"
version = "0"
[layers.metadata]
kind = "own"
color = "own"
` + test + `
[layers.provide.run]
inline = '''
` + run + `
'''
`
	return shortGroup("provider a c b d?"), map[string]string{
		"provider": module("acme/provider@1", provider),
		"a":        module("acme/a", requires("x", "export = true\nversion = \"1\"\n[layers.metadata]\ncolor = \"red\"\n")),
		"b":        module("acme/b", requires("x", "expose = true")),
		"c": module("acme/c", testbed.Tables(
			testbed.Required("x").Version("2").With("metadata.shape", "round").
				Require("echo 3 > $MD/version; mkdir $MD/deep; echo d > $MD/deep/key"),
		)),
		"d": module("acme/d", asks("x", "echo 9 > $MD/version; exit 100")),
	}
}

// showTables writes down what is required.
const showTables = `( cd $MD; find . -type f | sort | while read -r f; do echo "$f=$(cat $f)"; done ) `

// requiredTables is what the provider sees. Of values, those of the last count that says something, and its own where
// nobody does.
const (
	lastTable      = "./color=own\n./deep/key=d\n./kind=own\n./shape=round\n./version=3\n"
	requiredTables = "./.requires/00/color=red\n./.requires/00/version=1\n" +
		"./.requires/01/deep/key=d\n./.requires/01/shape=round\n./.requires/01/version=3\n" + lastTable
)

func TestModuleProviderSeesWhatEachRequirerSays(t *testing.T) {
	t.Parallel()
	t.Run("in its test", func(t *testing.T) {
		t.Parallel()
		packfile, modules := requirers("[layers.provide.test]\ninline = '''"+showTables+"> /tmp/seen; ls -A $MD/.requires > $MD/numbers; cp /tmp/seen $MD/seen'''\n",
			"cp $MD/seen $LAYER; cp $MD/numbers $LAYER; cp $MD/version $LAYER")
		b := request{dir: modularApp(t, packfile+allOf(modules), modules), target: "x"}.build(t)
		equal(t, "what the test saw", b.read(t, "seen"), strings.TrimSuffix(requiredTables, "\n"))
		equal(t, "numbers", b.read(t, "numbers"), "00\n01\n02") // the last is empty, and none is of who did not want it
	})
	t.Run("in its run when it has no test", func(t *testing.T) {
		t.Parallel()
		packfile, modules := requirers("", showTables+"> $LAYER/seen; ls -A $MD/.requires > $LAYER/numbers")
		b := request{dir: modularApp(t, packfile+allOf(modules), modules), target: "x"}.build(t)
		equal(t, "what run saw", b.read(t, "seen"), requiredTables)
		equal(t, "numbers", b.read(t, "numbers"), "00\n01\n02\n")
	})
}

func TestModuleVersionIsAskedByOneAndSettledByTheTestOfAnother(t *testing.T) {
	t.Parallel()
	packfile, modules := requirers("[layers.provide.test]\ninline = 'echo \"$(cat $MD/version).14\" > $MD/version'\n", "cp $MD/version $LAYER/version")
	dir := modularApp(t, packfile+allOf(modules), modules)
	img := request{dir: dir}.export(t)
	equal(t, "version that run saw", img.layer(t, "layer acme/provider/x").files["layers/acme_provider/x/version"].content, "3.14")
	md := cnbLabel[label.LifecycleMetadata](t, img.Config.Labels[label.Lifecycle])
	var of []string
	for _, bp := range md.Buildpacks {
		of = append(of, fmt.Sprint(bp.Key, " ", len(bp.Layers)))
	}
	// It is the provider's layer, although it is in the image because others want it there.
	equal(t, "layers of modules", of, []string{"acme/provider 1", "acme/a 0", "acme/c 0", "acme/b 0"})
	x := md.Buildpacks[0].Layers["x"]
	equal(t, "metadata", x.Data, map[string]any{"version": "3.14", "kind": "own", "color": "own", "shape": "round", "deep": map[string]any{"key": "d"}})
	if !x.Launch || !x.Build {
		t.Errorf("export of one and expose of another: launch %t, build %t", x.Launch, x.Build)
	}
}

// Nobody wants it in the image, or sees it, unless one of them says so.
func TestModuleLayerIsExportedAndExposedIfAnybodySaysSo(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		provider, a, b string
		exported, seen bool
	}{
		"nobody":                          {"", "", "", false, false},
		"the provider":                    {"export = true\nexpose = true", "", "", true, true},
		"the first":                       {"", "export = true\nexpose = true", "", true, true},
		"one of them each":                {"", "export = true", "expose = true", true, true},
		"one of them and the provider":    {"expose = true", "", "export = true", true, true},
		"exposed only":                    {"", "", "expose = true", false, true},
		"exported only, with more to say": {"", "export = true", "version = \"1\"", true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			modules := map[string]string{
				"provider": module("acme/provider", "[[layers]]\nname = \"x\"\n"+test.provider+"\n[layers.provide.run]\ninline = \"mkdir $LAYER/bin\"\n"),
				"a":        module("acme/a", requires("x", test.a)),
				"b":        module("acme/b", requires("x", test.b)+builds("look", "export = true", "echo $PATH > $LAYER/path")),
			}
			b := request{dir: modularApp(t, shortGroup("provider a b")+allOf(modules), modules)}.files(t)
			equal(t, "exported", b.has("layers/acme_provider/x"), test.exported)
			equal(t, "seen", strings.Contains(b.read(t, "layers/acme_b/look/path"), "/layers/acme_provider/x/bin:"), test.seen)
		})
	}
}

func TestModuleAllOfWhoseLayersSayNoTakesNoPart(t *testing.T) {
	t.Parallel()
	modules := map[string]string{
		"tool": module("acme/tool", "[[layers]]\nname = \"t\"\n[layers.require]\ninline = \"test -f wanted || exit 100\"\n"+
			"[layers.provide.run]\ninline = \"true\"\n"+process("tool", "true")),
		"plain": roles["plain"],
	}
	dir := modularApp(t, shortGroup("tool? plain")+allOf(modules), modules)
	equal(t, "modules", planned(t, dir).members(), []string{"acme/tool", "acme/plain"}[1:])
	write(t, dir, map[string]string{"wanted": ""})
	equal(t, "modules", planned(t, dir).members(), []string{"acme/tool", "acme/plain"})
	write(t, dir, map[string]string{"wanted": "", ".dockerignore": ownFilesOnly + "wanted\n", "packfile.toml": sh + shortGroup("tool plain") + allOf(modules)})
	contains(t, request{dir: dir}.fail(t), "no group of modules passes", "acme/tool", "nothing that it provides is required")
	modules["asker"] = module("acme/asker", asks("x", "exit 100"))
	dir = modularApp(t, shortGroup("first asker")+allOf(modules)+uses("modules/first"), modules)
	write(t, dir, map[string]string{"modules/first/packfile.toml": roles["first"]})
	contains(t, request{dir: dir}.fail(t), "acme/first@1   -", "acme/asker     none of its layers is required this time")
}
