package graph

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	bk "github.com/moby/buildkit/client/llb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/group/grouptest"
	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/previous"
	"github.com/packfile/frontend/step"
)

// program makes several layers with one run, after one test. It makes those of the packfile that it is given, or when it is given
// none, those that the answer to the test names.
type program struct {
	script string
	module *module.Module
	given  []*Layer
}

func (*program) id() string                  { return "program" }
func (*program) questions(facts) []fact.Kind { return []fact.Kind{fact.Tested} }
func (*program) runsScripts() bool           { return true }
func (*program) fullEnv() bool               { return false }

func (p *program) layers(f facts) []*Layer {
	if p.given != nil {
		for _, l := range p.given {
			l.maker = p
		}
		return p.given
	}
	made := func(name string) *Layer {
		return &Layer{
			Layer: &packfile.Layer{Name: name, Provide: &packfile.Provide{}}, Module: p.module, ID: p.module.Subject(name),
			Export: true, Expose: true, required: make([]requirement, 1), maker: p,
		}
	}
	answer, answered := f[fact.Question{Layer: p.id(), Kind: fact.Tested}]
	if !answered {
		l := made("program")
		l.standsIn = true
		return []*Layer{l}
	}
	var all []*Layer
	for _, name := range answer.Metadata.Table("layers").Names() {
		all = append(all, made(name))
	}
	return all
}

func (p *program) recipe(d *Decisions, l *Layer) (*recipe, error) {
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

// made returns the graph of the modules of a build, with makers.
func made(t *testing.T, b testBuild, makers makers) testGraph {
	t.Helper()
	f := grouptest.Required(b.Detector)
	g, err := newGraph(b.Builder, b.in, grouptest.Choose(t, b.Detector, grouptest.Candidates(b.Detector), f), makers, f)
	if err != nil {
		t.Fatal(err)
	}
	return testGraph{g, t, b.Detector}
}

// programmed returns a build in which a program makes the first two layers.
func programmed(t *testing.T, script string, from *previous.Image) testGraph {
	t.Helper()
	b := newModules(t, []string{threeLayers}, func(in *testInput) { in.Build.Exact, in.Previous = true, from })
	return made(t, b, func(g *Graph, m *module.Module) []maker {
		own := packfileMakers(g, m)
		given := slices.Concat(own[0].layers(nil), own[1].layers(nil))
		return []maker{&program{script, m, given}, own[2]}
	})
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
	content := d.byID[q.Layer].Name
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
	first := programmed(t, "v1", nil)
	d := first.decided(t, nil)
	if qs := d.Questions(); !slices.Equal(qs, []fact.Question{{Layer: "program", Kind: fact.Tested}}) {
		t.Fatalf("asked %v", qs)
	}
	d, err := d.With(tested("1"))
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		program string
		has     []string // layers of the previous image
		version string
		other   string // layer whose copy is another than the label says
		want    []Action
		why     string // of the first
	}{
		"nothing changed":      {"v1", []string{"one", "two", "user"}, "1", "", []Action{Reused, Reused, Reused}, ""},
		"one is not there":     {"v1", []string{"one", "user"}, "1", "", []Action{Made, Made, Unknown}, "it is made together with two"},
		"another version":      {"v1", []string{"one", "two", "user"}, "2", "", []Action{Made, Made, Unknown}, "version 1 -> 2"},
		"another program":      {"v2", []string{"one", "two", "user"}, "1", "", []Action{Made, Made, Unknown}, "user v1 -> v2"},
		"a copy is another":    {"v1", []string{"one", "two", "user"}, "1", "two", []Action{Made, Made, Unknown}, "it is made together with two"},
		"who links is changed": {"v1", []string{"one", "two"}, "1", "", []Action{Reused, Reused, Made}, ""},
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
	d := programmed(t, "v1", nil).decided(t, tested("1"))
	d = programmed(t, "v1", imageOf(t, d, "one", "two", "user")).decided(t, tested("1"))
	d = seen(t, d, fact.Question{Layer: "one", Kind: fact.Copied}, "")
	if action := d.Explain()[0].Action; action != Unknown {
		t.Errorf("one is %s before two is seen", action)
	}
	d = seen(t, d, fact.Question{Layer: "two", Kind: fact.Copied}, "")
	if action := d.Explain()[0].Action; action != Reused {
		t.Errorf("one is %s when both are seen", action)
	}
}

// A module of the program, and one whose layer sees what that exposes.
func linksToAll(t *testing.T, from *previous.Image) testGraph {
	t.Helper()
	b := newModules(t, []string{
		grouptest.WithID("tools", grouptest.AProcess), grouptest.WithID("web", "[[layers]]\nname = \"user\"\nexport = true\nversion = \"1\"\n[layers.build.run]\ninline = \"x\"\n"),
	}, func(in *testInput) { in.Build.Exact, in.Previous = true, from })
	return made(t, b, func(g *Graph, m *module.Module) []maker {
		if m.ID() == "tools" {
			return []maker{&program{script: "v1", module: m}}
		}
		return packfileMakers(g, m)
	})
}

func TestLayersThatAnAnswerNamesAreThoseOfTheGraph(t *testing.T) {
	answer := func(names ...string) fact.Facts {
		f := tested("1")
		layers := metadata.Table{}
		for _, name := range names {
			layers[name] = ""
		}
		for q, a := range f {
			a.Metadata["layers"] = layers
			f[q] = a
		}
		return f
	}
	paths := func(d *Decisions) (all []string) {
		for _, e := range d.Explain() {
			all = append(all, e.Layer+" "+string(e.Action))
		}
		return all
	}
	with := func(d *Decisions, f fact.Facts) *Decisions {
		d, err := d.With(f)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	first := with(linksToAll(t, nil).decided(t, nil), answer("b", "a"))
	image := imageOf(t, first, "a", "b", "user")
	for name, test := range map[string]struct {
		previous *previous.Image
		answer   fact.Facts
		want     []string
	}{
		"in a first build":         {nil, answer("b", "a"), []string{"tools/a built", "tools/b built", "web/user built"}},
		"none":                     {nil, answer(), []string{"web/user built"}},
		"the same as before":       {image, answer("a", "b"), []string{"tools/a reused", "tools/b reused", "web/user reused"}},
		"one more than before":     {image, answer("a", "b", "c"), []string{"tools/a built", "tools/b built", "tools/c built", "web/user built"}},
		"one fewer than before":    {image, answer("a"), []string{"tools/a reused", "web/user built"}},
		"others than those before": {image, answer("c"), []string{"tools/c built", "web/user built"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := linksToAll(t, test.previous)
			open := b.decided(t, nil)
			if qs := open.Questions(); !slices.Equal(qs, []fact.Question{{Layer: "program", Kind: fact.Tested}}) || open.complete() {
				t.Fatalf("asked %v", qs)
			}
			d := with(open, test.answer)
			for _, q := range d.Questions() {
				d = seen(t, d, q, "")
			}
			if diff := cmp.Diff(test.want, paths(d)); diff != "" {
				t.Error(diff)
			}
			if len(open.Layers) != 2 {
				t.Errorf("the decisions before have %d layers now", len(open.Layers))
			}
		})
	}
}
