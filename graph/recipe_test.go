package graph

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	bk "github.com/moby/buildkit/client/llb"
	digest "github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/group/grouptest"
	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/step"
)

func TestKeyedViewIsTheSameInEverySession(t *testing.T) {
	view := func(session string) []byte {
		b := newBuild(t, grouptest.Example, func(in *testInput) { in.App.Tree = bk.Local("context", bk.SessionID(session)) })
		f := answers(b)
		l := named(b, "user")
		m, err := Steps{b.decided(t, f)}.runApp(t.Context(), l, b.recipe(t, l, f).record)
		if err != nil {
			t.Fatal(err)
		}
		def, err := m.Tree.Marshal(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Join(def.Def, nil)
	}
	if !bytes.Equal(view("one"), view("two")) {
		t.Error("the view's definition depends on the session: it would be evaluated in every build")
	}
}

func TestKeyNamesEverythingThatARunStepReads(t *testing.T) {
	key := func(text string, change ...func(*testInput)) string {
		b := newBuild(t, text, change...)
		return b.recipe(t, named(b, "user"), answers(b)).record.Key
	}
	base := key(grouptest.Example)
	replaced := func(old, with string) string { return strings.Replace(grouptest.Example, old, with, 1) }
	for what, got := range map[string]string{
		"build image": key(grouptest.Example, func(in *testInput) { in.Build.Digest = digest.FromString("other") }),
		"platform":    key(grouptest.Example, func(in *testInput) { in.Platform.Architecture = "arm64" }),
		"owner":       key(grouptest.Example, func(in *testInput) { in.Owner.UID = 7 }),
		"build args":  key(grouptest.Example, func(in *testInput) { in.Args = []step.Variable{{Name: "A", Value: "1"}} }),
		"shell":       key(replaced("/bin/sh", "/bin/bash")),
		"cache setup": key(replaced("inline = \"x\"", "inline = \"y\"")),
		"secret":      key(replaced("path-as = \"S\"", "path-as = \"T\"")),
		"link":        key(replaced("path-as = \"C\"", "path-as = \"D\"")),
		"symlink":     key(replaced("lib = \"lib\"", "lib = \"bin\"")),
		"module id":   key(replaced("[config]", "[config]\nid = \"m\"")),
	} {
		if got == base {
			t.Errorf("the %s changed and the key did not", what)
		}
	}
	for what, got := range map[string]string{
		"project":       key(grouptest.Example, func(in *testInput) { in.Project = "other" }),
		"image time":    key(grouptest.Example, func(in *testInput) { in.Time = in.Time.AddDate(1, 0, 0) }),
		"another layer": key(replaced("\"src\"", "\"lib\"")),
		"export":        key(replaced("name = \"user\"\nexport = true", "name = \"user\"")),
		"a process":     key(replaced("\"run\"", "\"walk\"")),
		"clock":         key(grouptest.Example, func(in *testInput) { in.Now = in.Now.AddDate(1, 0, 0) }),
	} {
		if got != base {
			t.Errorf("the %s changed and the key did as well", what)
		}
	}
}

func TestAKeyHasTheVersionThatIsAskedForWhenADigestGoesBeforeIt(t *testing.T) {
	key := func(version, build string) string {
		b := newBuild(t, "[[layers]]\nname = \"x\"\nversion = \""+version+"\"\n[layers.build]\n"+build+"[layers.build.run]\ninline = \"cat $MD/.requires/00/version\"\n")
		return b.recipe(t, named(b, "x"), answers(b)).record.Key
	}
	const match = "[layers.build.test]\nmatch = [\"lock\"]\n"
	if key("1", match) == key("2", match) {
		t.Error("the run script finds another version in $MD/.requires, and the key is the same")
	}
	if key("1", "") == key("2", "") {
		t.Error("the version is another one, and the key is the same")
	}
	if script := "[layers.build.test]\ninline = \"x\"\n"; key("1", script) != key("2", script) {
		t.Error("the run script does not find what is required, and the key is another one")
	}
}

func TestViewKeyTellsProjectsApart(t *testing.T) {
	if viewKey("key", "one") == viewKey("key", "two") {
		t.Error("two projects with one layer key share a view")
	}
}

func TestQuestionsWaitForWhatTheyNeed(t *testing.T) {
	b := newBuild(t, `
[[layers]]
name = "a"
[layers.require]
inline = "x"
[layers.provide.test]
inline = "x"
[[layers]]
name = "b"
[layers.build]
inputs = ["x"]
[layers.build.test]
inline = "x"
[[layers.build.links]]
name = "a"
`)
	f := fact.Facts{}
	var order []string
	for {
		qs := b.decided(t, f).Questions()
		if len(qs) == 0 {
			break
		}
		var wave []string
		for _, q := range qs {
			wave = append(wave, fmt.Sprintf("%s %s", q.Layer, q.Kind))
			f[q] = fact.Answer{}
		}
		order = append(order, strings.Join(wave, ", "))
	}
	want := "a test, b inputs; b test"
	if got := strings.Join(order, "; "); got != want {
		t.Errorf("asked %q, want %q", got, want)
	}
}

func TestAnExposedLayerIsNoLinkOfItsName(t *testing.T) {
	exposing := func(version string) []string {
		return []string{
			"[config]\nshell = \"/bin/sh\"\n[[layers]]\nname = \"x\"\nexport = true\nexpose = true\nversion = \"" + version + "\"\n[layers.build.run]\ninline = \"x\"\n",
			grouptest.WithID("m", "[[layers]]\nname = \"x\"\nexport = true\nversion = \"1\"\n[layers.build.run]\ninline = \"x\"\n"+
				"[[layers]]\nname = \"y\"\nexport = true\nversion = \"1\"\n[layers.build.run]\ninline = \"x\"\n[[layers.build.links]]\nname = \"x\"\n"),
		}
	}
	record := func(b testGraph, f fact.Facts) layerkey.Record {
		d := b.decided(t, f)
		r, err := d.recipe(named(b, "y"))
		if err != nil {
			t.Fatal(err)
		}
		if r.record.Links, _, err = d.LinkContents(named(b, "y")); err != nil {
			t.Fatal(err)
		}
		return r.record
	}
	contents := func(root string) layerkey.Record {
		b := newGroup(t, exposing("1"))
		f := answers(b)
		f[fact.Question{Layer: "x", Kind: fact.Built}], f[fact.Question{Layer: "m/x", Kind: fact.Built}] = fact.Answer{Result: step.Result{Described: step.Described{DiffID: root}}}, fact.Answer{Result: step.Result{Described: step.Described{DiffID: "own"}}}
		return record(b, f)
	}
	if diff := cmp.Diff(map[string]string{"/layers/packfile/x": "one", "/layers/m/x": "own"}, contents("one").Links); diff != "" {
		t.Error(diff)
	}
	links := contents("one").Parts.Links
	if diff := cmp.Diff([]layerkey.Link{{Name: "x"}, {Name: "x", Exposed: true, Layer: "/layers/packfile/x"}}, links); diff != "" {
		t.Error(diff)
	}
}

func TestKeyHasTheModulesIDAndNotWhereItComesFrom(t *testing.T) {
	key := func(change func(m *module.Module)) string {
		b := newModules(t, []string{grouptest.WithID("m", strings.Replace(grouptest.BuildsX, `inline = "x"`, `path = "run.sh"`, 1))}, func(in *testInput) {
			in.Root.Scripts = map[string][]byte{"run.sh": []byte("x")}
			change(in.Root)
		})
		g := choose(t, b, fact.Facts{})
		return g.recipe(t, layerOf(t, g, b.Root.Subject("x")), fact.Facts{}).record.Key
	}
	base := key(func(*module.Module) {})
	for what, change := range map[string]func(m *module.Module){
		"its id": func(m *module.Module) { m.Packfile.Config.ID = "other" },
		"a file": func(m *module.Module) { m.Scripts["run.sh"] = []byte("y") },
	} {
		if key(change) == base {
			t.Errorf("%s changed and the key did not", what)
		}
	}
	for what, change := range map[string]func(m *module.Module){
		"its place":   func(m *module.Module) { m.Filename, m.Dir = "elsewhere/packfile.toml", "/cnb/blobs/x" },
		"its version": func(m *module.Module) { m.Packfile.Config.Version = "2" },
	} {
		if key(change) != base {
			t.Errorf("%s changed and the key did as well", what)
		}
	}
}
