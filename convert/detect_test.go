package convert

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packfile/frontend/cnb/plan"
	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/group"
	"github.com/packfile/frontend/group/grouptest"
	"github.com/packfile/frontend/module"
)

// answered are the answers of all require scripts, yes or no.
func answered(b *Build, no bool) fact.Facts {
	f := required(b)
	for q, r := range f {
		r.NotWanted = no
		f[q] = r
	}
	return f
}

// layerOf is a layer of a build by its id.
func layerOf(t *testing.T, b testGraph, id string) *layer {
	t.Helper()
	if l := b.byID[id]; l != nil {
		return l
	}
	t.Fatalf("there is no layer %s", id)
	return nil
}

// asks is a module that requires x with some metadata.
func asks(id, metadata string) string {
	return grouptest.WithID(id, "[[layers]]\nname = \"x\"\n[layers.metadata]\n"+metadata+"[layers.require]\n")
}

func TestMetadataOfSeveralRequirers(t *testing.T) {
	provider := grouptest.WithID("p", strings.Replace(grouptest.ProvidesX, "[layers.provide", "version = \"1\"\n[layers.metadata]\nof = \"p\"\n[layers.provide", 1))
	own := grouptest.WithID("p", strings.Replace(grouptest.BuildsX, "[layers.build", "version = \"1\"\n[layers.metadata]\nof = \"p\"\n[layers.build", 1))
	for what, test := range map[string]struct {
		modules []string
		want    map[string]any
		tables  []map[string]any
	}{
		"what one asks for goes before the default": {
			modules: []string{provider, asks("a", "version = \"2\"\n")},
			want:    map[string]any{"version": "2", "of": "p"}, tables: []map[string]any{{"version": "2"}},
		},
		"the later wins, and no table is merged into another": {
			modules: []string{provider, asks("a", "version = \"2\"\nx = \"a\"\n[layers.metadata.t]\na = \"a\"\n"), asks("b", "version = \"3\"\n[layers.metadata.t]\nb = \"b\"\n")},
			want:    map[string]any{"version": "3", "of": "p", "t": map[string]any{"b": "b"}},
			tables: []map[string]any{
				{"version": "2", "x": "a", "t": map[string]any{"a": "a"}}, {"version": "3", "t": map[string]any{"b": "b"}},
			},
		},
		"who says nothing takes nothing back": {
			modules: []string{provider, asks("a", "version = \"2\"\n"), asks("b", "")},
			want:    map[string]any{"version": "2", "of": "p"}, tables: []map[string]any{{"version": "2"}, {}},
		},
		"others go before the layer's own requirement": {
			modules: []string{own, asks("a", "version = \"2\"\n")},
			want:    map[string]any{"version": "2", "of": "p"}, tables: []map[string]any{{"version": "1", "of": "p"}, {"version": "2"}},
		},
	} {
		t.Run(what, func(t *testing.T) {
			b := newGroup(t, test.modules)
			l := layerOf(t, b, "p/x")
			if diff := cmp.Diff(test.want, facts{}.metadata(l, "")); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.tables, l.tables()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFlagsOfRequirersAreORed(t *testing.T) {
	flagged := func(id, flag string) string {
		return grouptest.WithID(id, strings.Replace(grouptest.RequiresX, "[layers.", flag+" = true\n[layers.", 1))
	}
	b := newGroup(t, []string{grouptest.WithID("p", grouptest.ProvidesX), flagged("a", "export"), flagged("b", "expose"), grouptest.WithID("c", grouptest.RequiresX)})
	if l := layerOf(t, b, "p/x"); !l.Export || !l.Expose {
		t.Errorf("export %t, expose %t", l.Export, l.Expose)
	}
	b = newGroup(t, []string{grouptest.WithID("p", grouptest.ProvidesX), grouptest.WithID("c", grouptest.RequiresX)})
	if l := layerOf(t, b, "p/x"); l.Export || l.Expose {
		t.Errorf("export %t, expose %t, although nobody wants it", l.Export, l.Expose)
	}
}

func TestRequirementsAreMetByTheModuleItselfIfItCanAndElseByTheFirst(t *testing.T) {
	b := newGroup(t, []string{grouptest.WithID("p", grouptest.ProvidesX), grouptest.WithID("q", grouptest.ProvidesX), grouptest.WithID("own", grouptest.BuildsX), grouptest.WithID("a", grouptest.RequiresX)})
	got := map[string]string{}
	for _, id := range []string{"p/x", "q/x", "own/x"} {
		for _, r := range layerOf(t, b, id).required {
			got[r.by.id] = id
		}
	}
	if diff := cmp.Diff(map[string]string{"a/x": "p/x", "own/x": "own/x"}, got); diff != "" {
		t.Error(diff)
	}
	if s := (facts{}).status(layerOf(t, b, "q/x")); s != dropped {
		t.Error("a layer that nobody requires of its module is created")
	}
}

func TestLinksReachLayersOfOtherModulesThatAreRequiredHere(t *testing.T) {
	user := grouptest.WithID("u", grouptest.AsksForX+"[[layers]]\nname = \"y\"\n[layers.build.run]\ninline = \"x\"\n[[layers.build.links]]\nname = \"x\"\n")
	b := newGroup(t, []string{grouptest.WithID("p", grouptest.ProvidesX), user})
	if l := layerOf(t, b, "u/y"); l.links[0].layer != layerOf(t, b, "p/x") {
		t.Errorf("it links %+v", l.links[0].layer)
	}
	t.Run("and nothing when they are not required this time", func(t *testing.T) {
		b := newModules(t, []string{grouptest.WithID("p", grouptest.BuildsX), user})
		if l := layerOf(t, choose(t, b, answered(b, true)), "u/y"); l.links[0].layer != nil {
			t.Errorf("it links %s", l.links[0].layer.id)
		}
	})
	t.Run("and the key says whose they are", func(t *testing.T) {
		key := func(provider string) string {
			b := newGroup(t, []string{grouptest.WithID(provider, grouptest.ProvidesX), user})
			return b.recipe(t, layerOf(t, b, "u/y"), answers(b)).record.Key
		}
		if key("p") == key("q") {
			t.Error("a layer whose path another module's id is part of has the same key")
		}
	})
}

// exposing is a module with layers that are exposed, each made by itself.
func exposing(id string, layers ...string) string {
	text := ""
	for _, name := range layers {
		text += fmt.Sprintf("[[layers]]\nname = %q\nexpose = true\n[layers.build.run]\ninline = \"x\"\n", name)
	}
	return grouptest.WithID(id, text)
}

func TestWhatEarlierModulesExposeIsSeenByLaterOnes(t *testing.T) {
	named := "[[layers]]\nname = \"a\"\n[layers.require]\n[[layers]]\nname = \"y\"\n[layers.build.run]\ninline = \"x\"\n[[layers.build.links]]\nname = \"a\"\n" +
		"[[layers]]\nname = \"still\"\n[layers.build]\n"
	b := newGroup(t, []string{exposing("one", "b", "a"), exposing("two", "c"), grouptest.WithID("u", named), exposing("after", "d")})
	f := answers(b)
	exposed := func(id string) (dirs [][]string) {
		seen, err := steps{b.decided(t, f)}.showLinks(t.Context(), &container.Process{}, layerOf(t, b, id), true, true)
		if err != nil {
			t.Fatal(err)
		}
		return seen.Exposed
	}
	for id, want := range map[string][][]string{
		"one/a":   nil,
		"two/c":   {{"/layers/one/a", "/layers/one/b"}},
		"u/y":     {{"/layers/one/b"}, {"/layers/two/c"}}, // it links the other
		"u/still": nil,                                    // no script of it would see them
		"after/d": {{"/layers/one/a", "/layers/one/b"}, {"/layers/two/c"}},
	} {
		if diff := cmp.Diff(want, exposed(id)); diff != "" {
			t.Errorf("%s: %s", id, diff)
		}
	}
}

func TestProcessesComeInGroupOrderAndLaterOnesReplaceEarlierOnes(t *testing.T) {
	with := func(id string, processes ...string) string {
		text := ""
		for _, p := range processes {
			kind, isDefault := strings.CutSuffix(p, "!")
			text += fmt.Sprintf("[[processes]]\ntype = %q\ncommand = [%q]\ndefault = %t\n", kind, id, isDefault)
		}
		return grouptest.WithID(id, text)
	}
	root := grouptest.WithID("root", grouptest.BuildsX)
	for what, test := range map[string]struct {
		modules []string
		want    string
		start   string
	}{
		"both are there":               {[]string{with("a", "x"), with("b", "y"), root}, "x:a y:b", ""},
		"the later goes before":        {[]string{with("a", "x", "z"), with("b", "x"), root}, "z:a x:b", ""},
		"web is the default":           {[]string{with("a", "web"), with("b", "x"), root}, "web:a x:b", "web"},
		"the last default counts":      {[]string{with("a", "x!"), with("b", "y!"), with("c", "web"), root}, "x:a y:b web:c", "y"},
		"a later one is none any more": {[]string{with("a", "x!", "y"), with("b", "x"), root}, "y:a x:b", ""},

		"the app's default goes before a module's":      {[]string{with("a", "x!", "web"), with("root", "y!", "z")}, "x:a web:a y:root z:root", "y"},
		"the app's web does":                            {[]string{with("a", "x!"), with("root", "web", "z")}, "x:a web:root z:root", "web"},
		"the app's only one does":                       {[]string{with("a", "x!", "web"), with("root", "y")}, "x:a web:a y:root", "y"},
		"of several of the app it is a module's":        {[]string{with("a", "x!"), with("root", "y", "z")}, "x:a y:root z:root", "x"},
		"a type of the app's is no module's by default": {[]string{with("a", "y!", "web"), with("root", "y", "z")}, "web:a y:root z:root", "web"},
	} {
		t.Run(what, func(t *testing.T) {
			md := newGroup(t, test.modules).metadata()
			var got []string
			for _, p := range md.Processes {
				got = append(got, p.Type+":"+p.Buildpack)
			}
			if strings.Join(got, " ") != test.want || md.DefaultProcessType != test.start {
				t.Errorf("%v, default %q", got, md.DefaultProcessType)
			}
		})
	}
}

func TestLabelsComeInGroupOrderAndThePackfileThatIsBuiltGoesBefore(t *testing.T) {
	labelled := func(id, labels string) string {
		return grouptest.WithID(id, "name = \"name of "+id+"\"\n[config.labels]\n"+labels+grouptest.AProcess)
	}
	b := newGroup(t, []string{labelled("a", "x = \"a\"\ny = \"a\"\nz = \"a\"\n"), labelled("b", "y = \"b\"\nz = \"b\"\n"), labelled("root", "z = \"root\"\n")})
	want := map[string]string{"x": "a", "y": "b", "z": "root", "org.opencontainers.image.title": "name of root"}
	if diff := cmp.Diff(want, b.givenLabels()); diff != "" {
		t.Error(diff)
	}
}

func TestKeyHasTheModulesIDAndNotWhereItComesFrom(t *testing.T) {
	key := func(change func(m *module.Module)) string {
		b := newModules(t, []string{grouptest.WithID("m", strings.Replace(grouptest.BuildsX, `inline = "x"`, `path = "run.sh"`, 1))}, func(in *Input) {
			in.Root.Scripts = map[string][]byte{"run.sh": []byte("x")}
			change(in.Root)
		})
		g := choose(t, b, fact.Facts{})
		return g.recipe(t, layerOf(t, g, b.in.Root.Subject("x")), fact.Facts{}).record.Key
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

func TestLayersOfOneNameAreKeptApart(t *testing.T) {
	b := newGroup(t, []string{grouptest.WithID("a", grouptest.BuildsX), grouptest.WithID("b/c", grouptest.BuildsX)})
	f := answers(b)
	one, other := layerOf(t, b, "a/x"), layerOf(t, b, "b/c/x")
	if one.dir() != "/layers/a/x" || other.dir() != "/layers/b_c/x" {
		t.Errorf("%s %s", one.dir(), other.dir())
	}
	if b.CacheMount(one.module, "/x", "cache", "x", false).CacheID == b.CacheMount(other.module, "/x", "cache", "x", false).CacheID {
		t.Error("caches of one name of two modules are one")
	}
	if b.recipe(t, one, f).record.Key == b.recipe(t, other, f).record.Key {
		t.Error("they have one key")
	}
}

func TestTargetNamesALayerOfAModule(t *testing.T) {
	for target, want := range map[string]string{
		"b/y": "b/y", "y": "b/y", "a/x": "a/x",
		"x": `target "x" is a layer of several modules: name one of a/x, b/x`,
		"z": `target "z" is not a layer that this packfile provides; there are: a/x, b/x, b/y`,
	} {
		b := newModules(t, []string{grouptest.WithID("a", grouptest.BuildsX), grouptest.WithID("b", grouptest.BuildsX+strings.ReplaceAll(grouptest.BuildsX, `"x"`, `"y"`))}, func(in *Input) { in.Target = target })
		g, err := b.Try(candidates(b), fact.Facts{}, &plan.Trials{Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if g, err := b.Graph(g, fact.Facts{}); err != nil {
			got = err.Error()
		} else {
			got = g.target.id
		}
		if got != want {
			t.Errorf("%s: %s", target, got)
		}
	}
}

func TestOfSeveralVersionsOfAModuleTheOneOfTheGroupIsBuilt(t *testing.T) {
	version := func(v string) string {
		return fmt.Sprintf("[config]\nid = \"m\"\nversion = %q\n[[layers]]\nname = \"x\"\nexport = true\nversion = %[1]q\n[layers.build.run]\ninline = \"x\"\n", v)
	}
	for i, want := range []string{"1", "2"} {
		b := newModules(t, []string{version("1"), version("2"), ""}, func(in *Input) {
			in.Modules[0].Versions, in.Modules[1].Versions = true, true
			in.Target = "m/x"
		})
		group, err := b.Try([]group.Candidate{{Module: b.in.Modules[i]}, {Module: b.in.Root}}, fact.Facts{}, &plan.Trials{Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		g, err := b.Graph(group, fact.Facts{})
		if err != nil {
			t.Fatal(err)
		}
		if got := (facts{}).version(g.target); got != want || g.target.module != b.in.Modules[i] || g.shown(g.target) != "m/x" {
			t.Errorf("%s of %s is built, want %s", got, g.target.id, want)
		}
	}
}

// The order may put the packfile that is built before others: what it says of processes holds all the same.
func TestAModuleReplacesNoProcessOfTheApp(t *testing.T) {
	own := "[[processes]]\ntype = \"web\"\ncommand = [\"own\"]\n"
	other := "[[processes]]\ntype = \"web\"\ncommand = [\"other\"]\n[[processes]]\ntype = \"evil\"\ncommand = [\"evil\"]\ndefault = true\n"
	b := newGroup(t, []string{grouptest.WithID("a", other), grouptest.WithID("root", own)})
	slices.Reverse(b.modules)
	md := b.metadata()
	for _, p := range md.Processes {
		if p.Type == "web" && p.Buildpack != "root" {
			t.Errorf("web of %s", p.Buildpack)
		}
	}
	if md.DefaultProcessType != "web" || len(md.Processes) != 2 {
		t.Errorf("default %q of %v", md.DefaultProcessType, md.Processes)
	}
}
