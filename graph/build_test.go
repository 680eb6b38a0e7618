package graph

import (
	"testing"

	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/group"
	"github.com/packfile/frontend/group/grouptest"
	"github.com/packfile/frontend/step"
)

// testInput is what a build is made of.
type testInput struct {
	grouptest.Input
	graphInput
}

type graphInput = Input

// testBuild is a build that has not settled on a group.
type testBuild struct {
	*group.Detector
	in Input
}

// testGraph is a graph that can be asked under any facts.
type testGraph struct {
	*Graph
	detector *group.Detector
}

// newModules is a build of modules with these packfiles, of which the last is the one that is built.
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

// newGroup is the graph of a group of modules. All that their require scripts say is what stands in the packfile.
func newGroup(t testing.TB, texts []string, change ...func(*testInput)) testGraph {
	t.Helper()
	b := newModules(t, texts, change...)
	return choose(t, b, grouptest.Required(b.Detector))
}

func newBuild(t testing.TB, text string, change ...func(*testInput)) testGraph {
	t.Helper()
	return newGroup(t, []string{text}, change...)
}

// choose settles on all modules of a build.
func choose(t testing.TB, b testBuild, f fact.Facts) testGraph {
	t.Helper()
	g, err := New(b.Builder, b.in, grouptest.Choose(t, b.Detector, grouptest.Candidates(b.Detector), f), f)
	if err != nil {
		t.Fatal(err)
	}
	return testGraph{g, b.Detector}
}

// of makes a change of what a group is made of one of a build.
func of(change func(*grouptest.Input)) func(*testInput) {
	return func(in *testInput) { change(&in.Input) }
}

// decided is what becomes of its layers, where nothing may go wrong.
func (b testGraph) decided(t testing.TB, f fact.Facts) *Decisions {
	t.Helper()
	d, err := b.Decide(f)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// recipe is that of a layer of it.
func (b testGraph) recipe(t testing.TB, l *Layer, f fact.Facts) *recipe {
	t.Helper()
	r, err := b.decided(t, f).recipe(l)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// named is the layer of that name.
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
		panic(err)
	}
	_, f = grouptest.Answer(d, f, func(d *Decisions, q fact.Question) step.Result {
		md := d.Metadata(b.byID[q.Layer])
		if q.Kind != fact.Built {
			md["version"] = "answered"
		}
		return step.Result{Metadata: md}
	})
	return f
}
