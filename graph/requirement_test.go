package graph

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packfile/frontend/cnb/plan"
	"github.com/packfile/frontend/group/grouptest"
	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/node"
)

func TestWhatABuildpackWantsOfALayer(t *testing.T) {
	for _, test := range []struct {
		name, metadata string
		md             metadata.Table
		export, expose bool
	}{
		{"nothing but the layer", "", metadata.Table{"own": "1"}, false, false},
		{"values", "version = '2'\ntable.key = 3", metadata.Table{"own": "1", "version": "2", "table": metadata.Table{"key": "3"}}, false, false},
		{"its own in place of the grouptest.Provider's", "own = ['a']", metadata.Table{"own": "['a']"}, false, false},
		{"to launch", "launch = true", metadata.Table{"own": "1"}, true, false},
		{"to build, as text", "build = 'true'", metadata.Table{"own": "1"}, false, true},
		{"neither", "build = false\nlaunch = 'false'", metadata.Table{"own": "1"}, false, false},
		{"what only looks like a flag", "build = 'musl'\nlaunch.x = true", metadata.Table{"own": "1", "build": "musl",
			"launch": metadata.Table{"x": "true"}}, false, false},
		{"what cannot be a file", "'a/b' = 1\n'' = 1\n'..' = 1\n'.requires' = 1\n\"a\\u0000\" = 1\nt.'a/b' = 1\nt.c = 1",
			metadata.Table{"own": "1", "t": metadata.Table{"c": "1"}}, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newModules(t, []string{grouptest.Provider}, of(grouptest.WithBuildpack("acme/app", module.Buildpack{})), of(grouptest.RootFirst))
			f := grouptest.Plans(b.Detector, "[[requires]]\nname = 'node'\n[requires.metadata]\n"+test.metadata)
			g, err := b.Try(grouptest.Candidates(b.Detector), f, &plan.Trials{Limit: 1})
			if err != nil {
				t.Fatal(err)
			}
			before, _ := json.Marshal(g.Entries[0].Requires[0].Metadata)
			graph, err := newGraph(b.Builder, b.in, g, packfileMakers, f)
			if err != nil {
				t.Fatal(err)
			}
			l := graph.byID["acme/engine/node"]
			if diff := cmp.Diff(test.md, l.metadata); diff != "" {
				t.Error(diff)
			}
			if l.Export != test.export || l.Expose != test.expose {
				t.Errorf("export %t, expose %t", l.Export, l.Expose)
			}
			asked := metadata.Table{}
			for key, value := range test.md {
				if key != "own" || value != "1" {
					asked[key] = value
				}
			}
			if diff := cmp.Diff([]metadata.Table{asked}, l.tables()); diff != "" {
				t.Errorf("$MD/.requires: %s", diff)
			}
			if facts(f).status(l) != settled || !l.requiredByOthers() {
				t.Error("the layer is not required by the buildpack")
			}
			if after, _ := json.Marshal(g.Entries[0].Requires[0].Metadata); string(before) != string(after) {
				t.Errorf("the plan itself has become %s", after)
			}
		})
	}
}

func TestALayerIsNotThatOfABuildpackWithALongerName(t *testing.T) {
	// Buildpack "acme" requires what it calls "engine/node"; module "acme/engine" has a layer "node".
	b := newModules(t, []string{grouptest.Provider}, of(grouptest.WithBuildpack("acme", module.Buildpack{})))
	f := grouptest.Plans(b.Detector, "[[provides]]\nname = 'engine/node'\n[[requires]]\nname = 'engine/node'\n[[provides]]\nname = 'node'\n[[requires]]\nname = 'node'")
	g, err := b.Try(grouptest.Candidates(b.Detector)[:1], f, &plan.Trials{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	graph, err := newGraph(b.Builder, b.in, g, packfileMakers, f)
	if err != nil {
		t.Fatal(err)
	}
	if l := graph.byID["acme/engine/node"]; l != nil {
		t.Errorf("got %+v", l)
	}
}

func TestAGroupWithABuildpackIsNotBuilt(t *testing.T) {
	b := newModules(t, []string{grouptest.Provider}, of(grouptest.WithBuildpack("acme/app", module.Buildpack{})), of(grouptest.RootFirst))
	f := grouptest.Plans(b.Detector, "[[requires]]\nname = 'node'")
	g, err := b.Try(grouptest.Candidates(b.Detector), f, &plan.Trials{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	_, err = New(b.Builder, b.in, g, f)
	var pe *node.Error
	want := "acme/app/buildpack.toml:1:1: acme/app@1 is a buildpack with a bin/build of its own, which cannot be run yet"
	if !errors.As(err, &pe) || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

// asks returns a module that requires x with some metadata.
func asks(id, metadata string) string {
	return grouptest.WithID(id, "[[layers]]\nname = \"x\"\n[layers.metadata]\n"+metadata+"[layers.require]\n")
}

func TestMetadataOfSeveralRequirers(t *testing.T) {
	provider := grouptest.WithID("p", strings.Replace(grouptest.ProvidesX, "[layers.provide", "version = \"1\"\n[layers.metadata]\nof = \"p\"\n[layers.provide", 1))
	own := grouptest.WithID("p", strings.Replace(grouptest.BuildsX, "[layers.build", "version = \"1\"\n[layers.metadata]\nof = \"p\"\n[layers.build", 1))
	for what, test := range map[string]struct {
		modules []string
		want    metadata.Table
		tables  []metadata.Table
	}{
		"what one asks for goes before the default": {
			modules: []string{provider, asks("a", "version = \"2\"\n")},
			want:    metadata.Table{"version": "2", "of": "p"}, tables: []metadata.Table{{"version": "2"}},
		},
		"the later wins, and no table is merged into another": {
			modules: []string{provider, asks("a", "version = \"2\"\nx = \"a\"\n[layers.metadata.t]\na = \"a\"\n"), asks("b", "version = \"3\"\n[layers.metadata.t]\nb = \"b\"\n")},
			want:    metadata.Table{"version": "3", "of": "p", "t": metadata.Table{"b": "b"}},
			tables: []metadata.Table{
				{"version": "2", "x": "a", "t": metadata.Table{"a": "a"}}, {"version": "3", "t": metadata.Table{"b": "b"}},
			},
		},
		"who says nothing takes nothing back": {
			modules: []string{provider, asks("a", "version = \"2\"\n"), asks("b", "")},
			want:    metadata.Table{"version": "2", "of": "p"}, tables: []metadata.Table{{"version": "2"}, {}},
		},
		"others go before the layer's own requirement": {
			modules: []string{own, asks("a", "version = \"2\"\n")},
			want:    metadata.Table{"version": "2", "of": "p"}, tables: []metadata.Table{{"version": "1", "of": "p"}, {"version": "2"}},
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
			got[r.by.ID] = id
		}
	}
	if diff := cmp.Diff(map[string]string{"a/x": "p/x", "own/x": "own/x"}, got); diff != "" {
		t.Error(diff)
	}
	if s := (facts{}).status(layerOf(t, b, "q/x")); s != dropped {
		t.Error("a layer that nobody requires of its module is created")
	}
}
