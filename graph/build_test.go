package graph

import (
	"testing"

	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/group"
	"github.com/packfile/frontend/group/grouptest"
	"github.com/packfile/frontend/step"
)

// testInput is what a build starts from.
type testInput struct {
	grouptest.Input
	graphInput
}

type graphInput = Input

// testBuild is a build whose group is not chosen yet.
type testBuild struct {
	*group.Detector
	in Input
}

// testGraph is a graph that can be asked under any facts.
type testGraph struct {
	*Graph
	t        testing.TB
	detector *group.Detector
}

// newModules returns a build of modules with these packfiles. The last one is the packfile being built.
func newModules(t testing.TB, texts []string, change ...func(*testInput)) testBuild {
	t.Helper()
	in := testInput{graphInput: Input{Time: container.DefaultTime, Now: container.DefaultTime}}
	d := grouptest.New(t, texts, func(of *grouptest.Input) {
		in.Input = *of
		for _, c := range change {
			c(&in)
		}
		*of = in.Input
	})
	return testBuild{d, in.graphInput}
}

// newGroup returns the graph of a group of modules. Their require scripts say no more than what stands in the packfile.
func newGroup(t testing.TB, texts []string, change ...func(*testInput)) testGraph {
	t.Helper()
	b := newModules(t, texts, change...)
	return choose(t, b, grouptest.Required(b.Detector))
}

func newBuild(t testing.TB, text string, change ...func(*testInput)) testGraph {
	t.Helper()
	return newGroup(t, []string{text}, change...)
}

// choose chooses all modules of a build as its group.
func choose(t testing.TB, b testBuild, f fact.Facts) testGraph {
	t.Helper()
	g, err := New(b.Builder, b.in, grouptest.Choose(t, b.Detector, grouptest.Candidates(b.Detector), f), f)
	if err != nil {
		t.Fatal(err)
	}
	return testGraph{g, t, b.Detector}
}

// of makes a change of what a group is made of one of a build.
func of(change func(*grouptest.Input)) func(*testInput) {
	return func(in *testInput) { change(&in.Input) }
}

// decided returns what becomes of its layers, where nothing may go wrong.
func (b testGraph) decided(t testing.TB, f fact.Facts) *Decisions {
	t.Helper()
	d, err := b.Decide(f)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// recipe returns the recipe of one of its layers.
func (b testGraph) recipe(t testing.TB, l *Layer, f fact.Facts) *recipe {
	t.Helper()
	r, err := b.decided(t, f).recipe(l)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// named returns the layer with a name.
func named(b testGraph, name string) *Layer {
	for _, l := range b.Layers {
		if l.Name == name {
			return l
		}
	}
	return nil
}

// answers gives every question of a build the same kind of answer.
func answers(b testGraph) fact.Facts {
	f := grouptest.Required(b.detector)
	d, err := b.Decide(f)
	if err != nil {
		b.t.Fatal(err)
	}
	_, f = grouptest.Answer(b.t, d, f, func(d *Decisions, q fact.Question) step.Result {
		md := d.Metadata(b.byID[q.Layer])
		if q.Kind != fact.Built {
			md["version"] = "answered"
		}
		return step.Result{Metadata: md}
	})
	return f
}
