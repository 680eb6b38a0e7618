package image

import (
	"testing"

	bk "github.com/moby/buildkit/client/llb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/graph"
	"github.com/packfile/frontend/group"
	"github.com/packfile/frontend/group/grouptest"
	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/step"
)

// testInput is what a build starts from.
type testInput struct {
	grouptest.Input
	graphInput
	imageInput
}

type (
	graphInput = graph.Input
	imageInput = Input
)

// testGraph is a graph that can be asked under any facts, with the input of its image.
type testGraph struct {
	*graph.Graph
	t        testing.TB
	detector *group.Detector
	in       Input
}

// newBuild returns the graph of a packfile.
func newBuild(t testing.TB, text string, change ...func(*testInput)) testGraph {
	t.Helper()
	return newGroup(t, []string{text}, change...)
}

// newGroup returns the graph of a group of packfiles. The last one is the packfile being built. Their require scripts say no more
// than what stands in the packfile.
func newGroup(t testing.TB, texts []string, change ...func(*testInput)) testGraph {
	t.Helper()
	return newGraph(t, texts, grouptest.Required, change...)
}

// newGraph returns the graph of a group of packfiles under the answers of their require scripts.
func newGraph(t testing.TB, texts []string, required func(*group.Detector) fact.Facts, change ...func(*testInput)) testGraph {
	t.Helper()
	in := testInput{graphInput: graph.Input{Time: container.DefaultTime, Now: container.DefaultTime}}
	in.User = "1000:1000"
	in.Run = container.Base{State: bk.Image("run@" + digest.FromString("run").String()), Digest: digest.FromString("run"), Config: &dockerspec.DockerOCIImage{}}
	d := grouptest.New(t, texts, func(of *grouptest.Input) {
		in.Input = *of
		for _, c := range change {
			c(&in)
		}
		*of = in.Input
	})
	f := required(d)
	g, err := graph.New(d.Builder, in.graphInput, grouptest.Choose(t, d, grouptest.Candidates(d), f), f)
	if err != nil {
		t.Fatal(err)
	}
	return testGraph{g, t, d, in.imageInput}
}

// decided returns what becomes of its layers, where nothing may go wrong.
func (b testGraph) decided(t testing.TB, f fact.Facts) *graph.Decisions {
	t.Helper()
	d, err := b.Decide(f)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (b testGraph) image(t testing.TB, f fact.Facts) *Image {
	t.Helper()
	img, err := Assemble(t.Context(), b.decided(t, f), b.in)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// undecided puts together what needs no facts.
func (b testGraph) undecided(t testing.TB) assembly {
	t.Helper()
	return assembly{Steps: graph.Steps{Decisions: b.decided(t, nil)}, Input: b.in}
}

// config returns the config of an image that is put together again under more facts.
func (b testGraph) config(t testing.TB, img *Image, f fact.Facts) (*dockerspec.DockerOCIImage, error) {
	t.Helper()
	again, err := img.Again(t.Context(), b.decided(t, f))
	if err != nil {
		t.Fatal(err)
	}
	return again.Config()
}

// byID returns the layer with an id.
func (b testGraph) byID(id string) *graph.Layer {
	for _, l := range b.Layers {
		if l.ID == id {
			return l
		}
	}
	b.t.Fatalf("there is no layer %s", id)
	return nil
}

// answers gives every question of a build the same kind of answer.
func answers(b testGraph) fact.Facts {
	return answerEach(b, grouptest.Required(b.detector), func(l *graph.Layer, kind fact.Kind, md metadata.Table) step.Result {
		if kind == fact.Built {
			return step.Result{Metadata: md, Described: step.Described{DiffID: diffID(l.Name)}} // as in imageOf
		}
		md["version"] = "answered"
		return step.Result{Metadata: md}
	})
}

// answerEach answers all questions that a build has under some facts. md is the metadata of the layer by then.
func answerEach(b testGraph, f fact.Facts, answer func(l *graph.Layer, kind fact.Kind, md metadata.Table) step.Result) fact.Facts {
	d, err := b.Decide(f)
	if err != nil {
		b.t.Fatal(err)
	}
	_, f = grouptest.Answer(b.t, d, f, func(d *graph.Decisions, q fact.Question) step.Result {
		l := b.byID(q.Layer)
		return answer(l, q.Kind, d.Metadata(l))
	})
	return f
}

// marshal returns the image's LLB, without metadata: its maps have no order.
func marshal(t testing.TB, b testGraph, f fact.Facts) [][]byte {
	t.Helper()
	def, err := b.image(t, f).State.Marshal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return def.Def
}
