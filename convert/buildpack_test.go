package convert

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packfile/frontend/cnb/plan"
	"github.com/packfile/frontend/group/grouptest"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/packfile"
)

func TestWhatABuildpackWantsOfALayer(t *testing.T) {
	for _, test := range []struct {
		name, metadata string
		md             map[string]any
		export, expose bool
	}{
		{"nothing but the layer", "", map[string]any{"own": "1"}, false, false},
		{"values", "version = '2'\ntable.key = 3", map[string]any{"own": "1", "version": "2", "table": map[string]any{"key": "3"}}, false, false},
		{"its own in place of the grouptest.Provider's", "own = ['a']", map[string]any{"own": "['a']"}, false, false},
		{"to launch", "launch = true", map[string]any{"own": "1"}, true, false},
		{"to build, as text", "build = 'true'", map[string]any{"own": "1"}, false, true},
		{"neither", "build = false\nlaunch = 'false'", map[string]any{"own": "1"}, false, false},
		{"what only looks like a flag", "build = 'musl'\nlaunch.x = true", map[string]any{"own": "1", "build": "musl",
			"launch": map[string]any{"x": "true"}}, false, false},
		{"what cannot be a file", "'a/b' = 1\n'' = 1\n'..' = 1\n'.requires' = 1\n\"a\\u0000\" = 1\nt.'a/b' = 1\nt.c = 1",
			map[string]any{"own": "1", "t": map[string]any{"c": "1"}}, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newModules(t, []string{grouptest.Provider}, withBuildpack("acme/app", module.Buildpack{}), last)
			f := grouptest.Plans(b.Detector, "[[requires]]\nname = 'node'\n[requires.metadata]\n"+test.metadata)
			g, err := b.Try(candidates(b), f, &plan.Trials{Limit: 1})
			if err != nil {
				t.Fatal(err)
			}
			before, _ := json.Marshal(g.Entries[0].Requires[0].Metadata)
			graph, err := b.graph(g, f)
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
			asked := map[string]any{}
			for key, value := range test.md {
				if key != "own" || value != "1" {
					asked[key] = value
				}
			}
			if diff := cmp.Diff([]map[string]any{asked}, l.tables()); diff != "" {
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
	b := newModules(t, []string{grouptest.Provider}, withBuildpack("acme", module.Buildpack{}))
	f := grouptest.Plans(b.Detector, "[[provides]]\nname = 'engine/node'\n[[requires]]\nname = 'engine/node'\n[[provides]]\nname = 'node'\n[[requires]]\nname = 'node'")
	g, err := b.Try(candidates(b)[:1], f, &plan.Trials{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	graph, err := b.graph(g, f)
	if err != nil {
		t.Fatal(err)
	}
	if l := graph.byID["acme/engine/node"]; l != nil {
		t.Errorf("got %+v", l)
	}
}

func TestAGroupWithABuildpackIsNotBuilt(t *testing.T) {
	b := newModules(t, []string{grouptest.Provider}, withBuildpack("acme/app", module.Buildpack{}), last)
	f := grouptest.Plans(b.Detector, "[[requires]]\nname = 'node'")
	g, err := b.Try(candidates(b), f, &plan.Trials{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.Graph(g, f)
	var pe *packfile.Error
	want := "acme/app/buildpack.toml:1:1: acme/app@1 is a buildpack with a bin/build of its own, which cannot be run yet"
	if !errors.As(err, &pe) || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

// withBuildpack adds a buildpack to a build, before all packfiles.
func withBuildpack(id string, bp module.Buildpack) func(*Input) {
	return func(in *Input) {
		of := grouptest.Input{Input: in.Input, Modules: in.Modules}
		grouptest.WithBuildpack(id, bp)(&of)
		in.Modules = of.Modules
	}
}

// last makes the packfile that is built the first module of the group.
func last(in *Input) {
	in.Modules = append(in.Modules[len(in.Modules)-1:], in.Modules[:len(in.Modules)-1]...)
}
