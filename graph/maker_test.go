package graph

import (
	"encoding/json"
	"slices"
	"testing"

	bk "github.com/moby/buildkit/client/llb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/previous"
	"github.com/packfile/frontend/step"
)

// program makes several layers with one run, after one test.
type program struct{ script string }

func (program) id() string             { return "program" }
func (program) questions() []fact.Kind { return []fact.Kind{fact.Tested} }
func (program) runsScripts() bool      { return true }
func (program) fullEnv() bool          { return false }

func (p program) recipe(d *Decisions, l *Layer) (*recipe, error) {
	parts := layerkey.Parts{Layer: l.Dir(), Version: d.facts.version(l), BuildImage: d.Build.Digest.String(), User: p.script}
	key, err := parts.Key()
	return &recipe{record: layerkey.Record{Name: l.Name, Key: key, Parts: parts}}, err
}

const threeLayers = `
[config]
shell = "/bin/sh"
[[layers]]
name = "one"
export = true
[layers.build.test]
inline = "x"
[[layers]]
name = "two"
export = true
[layers.build.test]
inline = "x"
[[layers]]
name = "user"
export = true
version = "1"
[layers.build.run]
inline = "x"
[[layers.build.links]]
name = "one"
`

// programmed returns a build in which a program makes the first two layers.
func programmed(t *testing.T, p program, from *previous.Image) testGraph {
	t.Helper()
	b := newBuild(t, threeLayers, func(in *testInput) { in.Build.Exact, in.Previous = true, from })
	for _, l := range b.Layers {
		if l.Name != "user" {
			l.maker = p
		}
	}
	b.arrange()
	return b
}

// tested answers the question of the program.
func tested(version string) fact.Facts {
	r := step.Result{Metadata: metadata.Table{"version": version}}
	return fact.Facts{{Layer: "program", Kind: fact.Tested}: {Result: r}}
}

// imageOf returns the image of some layers of a build.
func imageOf(t testing.TB, d *Decisions, names ...string) *previous.Image {
	t.Helper()
	cfg := &dockerspec.DockerOCIImage{}
	label := layerkey.Label{Time: container.DefaultTime.Unix()}
	contents := map[string]string{}
	for _, l := range d.Layers {
		contents[l.Dir()] = digest.FromString(l.Name).String()
	}
	for _, l := range d.Layers {
		r, err := d.Record(l)
		if err != nil {
			t.Fatal(err)
		}
		r.DiffID = contents[l.Dir()]
		r.Content, r.Links = r.DiffID, map[string]string{}
		for _, k := range l.looksInto {
			r.Links[k.layer.Dir()] = contents[k.layer.Dir()]
		}
		if slices.Contains(names, l.Name) {
			label.Layers = append(label.Layers, r)
			cfg.RootFS.DiffIDs = append(cfg.RootFS.DiffIDs, digest.Digest(r.DiffID))
		}
	}
	data, err := json.Marshal(label)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Config.Labels = map[string]string{layerkey.LabelName: string(data)}
	img, warnings := previous.New(previous.Source{State: bk.Image("previous"), Config: cfg})
	if len(warnings) > 0 {
		t.Fatal(warnings)
	}
	return img
}

// seen answers what the copy of a layer is: as the label says, unless it is the layer other.
func seen(t *testing.T, d *Decisions, q fact.Question, other string) *Decisions {
	t.Helper()
	content := q.Layer
	if content == other {
		content = "another"
	}
	d, err := d.With(fact.Facts{q: {Result: step.Result{Described: step.Described{DiffID: digest.FromString(content).String()}}}})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestAMakerOfTwoLayersIsAskedOnceAndMakesBothOrNone(t *testing.T) {
	first := programmed(t, program{"v1"}, nil)
	d := first.decided(t, nil)
	if qs := d.Questions(); !slices.Equal(qs, []fact.Question{{Layer: "program", Kind: fact.Tested}}) {
		t.Fatalf("asked %v", qs)
	}
	d, err := d.With(tested("1"))
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		program program
		has     []string // layers of the previous image
		version string
		other   string // layer whose copy is another than the label says
		want    []Action
		why     string // of the first
	}{
		"nothing changed":      {program{"v1"}, []string{"one", "two", "user"}, "1", "", []Action{Reused, Reused, Reused}, ""},
		"one is not there":     {program{"v1"}, []string{"one", "user"}, "1", "", []Action{Made, Made, Unknown}, "it is made together with two"},
		"another version":      {program{"v1"}, []string{"one", "two", "user"}, "2", "", []Action{Made, Made, Unknown}, "version 1 -> 2"},
		"another program":      {program{"v2"}, []string{"one", "two", "user"}, "1", "", []Action{Made, Made, Unknown}, "user v1 -> v2"},
		"a copy is another":    {program{"v1"}, []string{"one", "two", "user"}, "1", "two", []Action{Made, Made, Unknown}, "it is made together with two"},
		"who links is changed": {program{"v1"}, []string{"one", "two"}, "1", "", []Action{Reused, Reused, Made}, ""},
	} {
		b := programmed(t, test.program, imageOf(t, d, test.has...))
		now := b.decided(t, tested(test.version))
		for _, q := range now.Questions() {
			if q.Kind == fact.Copied {
				now = seen(t, now, q, test.other)
			}
		}
		for i, e := range now.Explain() {
			if e.Action != test.want[i] || i == 0 && e.Why != test.why || now.Runs(b.Layers[i]) != (e.Action == Made) {
				t.Errorf("%s: %s is %s because %q, and runs: %t", name, e.Layer, e.Action, e.Why, now.Runs(b.Layers[i]))
			}
		}
	}
}

func TestALayerIsNotTakenBeforeAllOfItsMakerAreSeen(t *testing.T) {
	d := programmed(t, program{"v1"}, nil).decided(t, tested("1"))
	d = programmed(t, program{"v1"}, imageOf(t, d, "one", "two", "user")).decided(t, tested("1"))
	d = seen(t, d, fact.Question{Layer: "one", Kind: fact.Copied}, "")
	if action := d.Explain()[0].Action; action != Unknown {
		t.Errorf("one is %s before two is seen", action)
	}
	d = seen(t, d, fact.Question{Layer: "two", Kind: fact.Copied}, "")
	if action := d.Explain()[0].Action; action != Reused {
		t.Errorf("one is %s when both are seen", action)
	}
}
