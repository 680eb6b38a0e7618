package graph

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packfile/frontend/cnb/plan"
	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/group"
	"github.com/packfile/frontend/group/grouptest"
)

// layerOf returns a layer of a build by its id.
func layerOf(t *testing.T, b testGraph, id string) *Layer {
	t.Helper()
	if l := b.byID[id]; l != nil {
		return l
	}
	t.Fatalf("there is no layer %s", id)
	return nil
}

func TestLinksReachLayersOfOtherModulesThatAreRequiredHere(t *testing.T) {
	user := grouptest.WithID("u", grouptest.AsksForX+"[[layers]]\nname = \"y\"\n[layers.build.run]\ninline = \"x\"\n[[layers.build.links]]\nname = \"x\"\n")
	b := newGroup(t, []string{grouptest.WithID("p", grouptest.ProvidesX), user})
	if l := layerOf(t, b, "u/y"); l.links[0].layer != layerOf(t, b, "p/x") {
		t.Errorf("it links %+v", l.links[0].layer)
	}
	t.Run("and nothing when they are not required this time", func(t *testing.T) {
		b := newModules(t, []string{grouptest.WithID("p", grouptest.BuildsX), user})
		if l := layerOf(t, choose(t, b, grouptest.Refused(b.Detector)), "u/y"); l.links[0].layer != nil {
			t.Errorf("it links %s", l.links[0].layer.ID)
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

// exposing returns a module with layers that are exposed, each made by itself.
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
		seen, err := Steps{b.decided(t, f)}.showLinks(t.Context(), &container.Process{}, layerOf(t, b, id), true, true)
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

func TestLayersOfOneNameAreKeptApart(t *testing.T) {
	b := newGroup(t, []string{grouptest.WithID("a", grouptest.BuildsX), grouptest.WithID("b/c", grouptest.BuildsX)})
	f := answers(b)
	one, other := layerOf(t, b, "a/x"), layerOf(t, b, "b/c/x")
	if one.Dir() != "/layers/a/x" || other.Dir() != "/layers/b_c/x" {
		t.Errorf("%s %s", one.Dir(), other.Dir())
	}
	if b.CacheMount(one.Module, "/x", "cache", "x", false).CacheID == b.CacheMount(other.Module, "/x", "cache", "x", false).CacheID {
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
		b := newModules(t, []string{grouptest.WithID("a", grouptest.BuildsX), grouptest.WithID("b", grouptest.BuildsX+strings.ReplaceAll(grouptest.BuildsX, `"x"`, `"y"`))}, func(in *testInput) { in.Target = target })
		g, err := b.Try(grouptest.Candidates(b.Detector), fact.Facts{}, &plan.Trials{Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if g, err := New(b.Builder, b.in, g, fact.Facts{}); err != nil {
			got = err.Error()
		} else {
			got = g.TargetLayer.ID
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
		b := newModules(t, []string{version("1"), version("2"), ""}, func(in *testInput) {
			in.Modules[0].Versions, in.Modules[1].Versions = true, true
			in.Target = "m/x"
		})
		group, err := b.Try([]group.Candidate{{Module: b.Modules[i]}, {Module: b.Root}}, fact.Facts{}, &plan.Trials{Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		g, err := New(b.Builder, b.in, group, fact.Facts{})
		if err != nil {
			t.Fatal(err)
		}
		if got := (facts{}).version(g.TargetLayer); got != want || g.TargetLayer.Module != b.Modules[i] || g.Shown(g.TargetLayer) != "m/x" {
			t.Errorf("%s of %s is built, want %s", got, g.TargetLayer.ID, want)
		}
	}
}
