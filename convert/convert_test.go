package convert

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	bk "github.com/moby/buildkit/client/llb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/cnb/plan"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/source/live"
	"github.com/packfile/frontend/step"
)

// testGraph is a graph that can be asked under any facts.
type testGraph struct{ *Graph }

// decided is what becomes of its layers, where nothing may go wrong.
func (b testGraph) decided(t testing.TB, f Facts) *Decisions {
	t.Helper()
	d, err := b.Decide(f)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// recipe is that of a layer of it.
func (b testGraph) recipe(t testing.TB, l *layer, f Facts) *recipe {
	t.Helper()
	r, err := b.decided(t, f).recipe(l)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (b testGraph) image(t testing.TB, f Facts) *Image {
	t.Helper()
	img, err := b.decided(t, f).Image(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// newBuild converts a packfile with images and an app that look like real ones.
func newBuild(t testing.TB, text string, change ...func(*Input)) testGraph {
	t.Helper()
	return newGroup(t, []string{text}, change...)
}

// newGroup does so with a group of packfiles, of which the last is the one that is built. All that their require scripts say is
// what stands in the packfile.
func newGroup(t testing.TB, texts []string, change ...func(*Input)) testGraph {
	t.Helper()
	b := newModules(t, texts, change...)
	return choose(t, b, required(b))
}

// choose settles on all modules of a build.
func choose(t testing.TB, b *Build, f Facts) testGraph {
	t.Helper()
	group, err := b.Try(candidates(b), f, &plan.Trials{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	g, err := b.Graph(group, f)
	if err != nil {
		t.Fatal(err)
	}
	return testGraph{g}
}

// newModules is a build that has not settled on a group.
func newModules(t testing.TB, texts []string, change ...func(*Input)) *Build {
	t.Helper()
	local := bk.Local("context", bk.SharedKeyHint("context"))
	in := Input{
		Platform: ocispecs.Platform{OS: "linux", Architecture: "amd64"},
		Build:    Base{State: bk.Image("build@" + digest.FromString("build").String()), Digest: digest.FromString("build")},
		Run: Base{State: bk.Image("run@" + digest.FromString("run").String()), Digest: digest.FromString("run"),
			Config: &dockerspec.DockerOCIImage{}},
		Tools:   bk.Image("frontend"),
		Native:  Native{ocispecs.Platform{OS: "linux", Architecture: "amd64"}, bk.Image("frontend")},
		App:     App{Tree: bk.Local("context", bk.SessionID("session"), bk.SharedKeyHint("context")), Stable: &local},
		Owner:   llb.Owner{UID: 1000, GID: 1000},
		User:    "1000:1000",
		Project: "project",
		Time:    DefaultTime,
		Sources: live.Make,
		Now:     DefaultTime,
	}
	for i, text := range texts {
		filename := fmt.Sprintf("packfile%d.toml", i)
		pf, _, err := packfile.Parse(filename, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		in.Root = &module.Module{Packfile: pf, Filename: filename, Files: bk.Scratch()}
		in.Modules = append(in.Modules, in.Root)
	}
	for _, c := range change {
		c(&in)
	}
	return New(in)
}

// candidates are all modules of a build.
func candidates(b *Build) (group []Candidate) {
	for _, m := range b.in.Modules {
		group = append(group, Candidate{Module: m})
	}
	return group
}

// required answers for all require scripts that the layer is wanted as it stands in the packfile.
func required(b *Build) Facts {
	f := Facts{}
	for _, q := range b.DetectQuestions(candidates(b), f) {
		inquiries, err := b.AskDetect([]Question{q})
		if err != nil {
			panic(err)
		}
		for _, m := range b.in.Modules {
			for i := range m.Packfile.Layers {
				if l := &m.Packfile.Layers[i]; m.Subject(l.Name) == q.Layer {
					f[q] = inquiries[0].Answer(q, step.Result{Metadata: ownMetadata(m, l, nil)})
				}
			}
		}
	}
	return f
}

// named is the layer of that name.
func named(b testGraph, name string) *layer {
	for _, l := range b.layers {
		if l.Name == name {
			return l
		}
	}
	return nil
}

// answers gives every question of a build the same kind of answer.
func answers(b testGraph) Facts {
	return answerEach(b, required(b.Build), func(l *layer, kind QuestionKind, f Facts) step.Result {
		md := f.metadata(l, kind)
		if kind == Built {
			return step.Result{Metadata: md, Described: step.Described{DiffID: diffID(l.Name)}} // as imageOf has it
		}
		md["version"] = "answered"
		return step.Result{Metadata: md}
	})
}

// answerEach adds answers to all questions that a build has under some facts.
func answerEach(b testGraph, f Facts, answer func(*layer, QuestionKind, Facts) step.Result) Facts {
	d, err := b.Decide(f)
	for {
		if err != nil {
			panic(err)
		}
		qs := d.Questions()
		if len(qs) == 0 {
			return d.facts
		}
		more := Facts{}
		for _, q := range qs {
			inquiries, err := d.Ask(context.Background(), []Question{q}, nil)
			if err != nil {
				panic(err)
			}
			more[q] = inquiries[0].Answer(q, answer(b.byID[q.Layer], q.Kind, d.facts))
		}
		d, err = d.With(more)
	}
}

// marshal is the image's LLB, without metadata: its maps have no order.
func marshal(t testing.TB, b testGraph, f Facts) [][]byte {
	t.Helper()
	def, err := b.image(t, f).State.Marshal(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return def.Def
}

const example = `
[config]
shell = "/bin/sh"
[[processes]]
type = "web"
command = ["run"]
[[caches]]
name = "c"
[caches.setup]
inline = "x"
[[layers]]
name = "tool"
export = true
[layers.metadata]
a = "1"
b = "2"
[layers.build.test]
inline = "x"
[layers.build.run]
inline = "x"
[[layers.build.env.launch]]
name = "A"
value = "{{.Layer}}"
[[layers]]
name = "user"
export = true
[layers.build]
secrets = [{ id = "s", path-as = "S" }]
[layers.build.test]
match = ["*.json"]
[layers.build.run]
inline = "x"
[[layers.build.links]]
name = "tool"
link-version = true
[[layers.build.links]]
name = "c"
path-as = "C"
[[layers]]
name = "sources"
export = true
[layers.build]
inputs = ["src"]
[layers.build.run]
inline = "x"
[[slices]]
paths = ["static"]
`

func TestTheSameInputGivesTheSameDefinition(t *testing.T) {
	// Map order shows after a few tries at the latest.
	var first [][]byte
	for i := range 25 {
		b := newBuild(t, example, func(in *Input) { in.App.Tree = bk.Local("context", bk.SessionID("session"), bk.LocalUniqueID("x")) })
		got := marshal(t, b, answers(b))
		if i == 0 {
			first = got
			continue
		}
		if !bytes.Equal(bytes.Join(first, nil), bytes.Join(got, nil)) {
			t.Fatalf("definition %d differs from the first", i)
		}
	}
}

func TestKeyedViewIsTheSameInEverySession(t *testing.T) {
	view := func(session string) []byte {
		b := newBuild(t, example, func(in *Input) { in.App.Tree = bk.Local("context", bk.SessionID(session)) })
		f := answers(b)
		l := named(b, "user")
		m, err := steps{b.decided(t, f)}.runApp(t.Context(), l, b.recipe(t, l, f).record)
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
	key := func(text string, change ...func(*Input)) string {
		b := newBuild(t, text, change...)
		return b.recipe(t, named(b, "user"), answers(b)).record.Key
	}
	base := key(example)
	replaced := func(old, with string) string { return strings.Replace(example, old, with, 1) }
	for what, got := range map[string]string{
		"build image": key(example, func(in *Input) { in.Build.Digest = digest.FromString("other") }),
		"platform":    key(example, func(in *Input) { in.Platform.Architecture = "arm64" }),
		"owner":       key(example, func(in *Input) { in.Owner.UID = 7 }),
		"build args":  key(example, func(in *Input) { in.Args = []step.Variable{{Name: "A", Value: "1"}} }),
		"shell":       key(replaced("/bin/sh", "/bin/bash")),
		"cache setup": key(replaced("inline = \"x\"", "inline = \"y\"")),
		"secret":      key(replaced("path-as = \"S\"", "path-as = \"T\"")),
		"link":        key(replaced("path-as = \"C\"", "path-as = \"D\"")),
		"module id":   key(replaced("[config]", "[config]\nid = \"m\"")),
	} {
		if got == base {
			t.Errorf("the %s changed and the key did not", what)
		}
	}
	for what, got := range map[string]string{
		"run image":     key(example, func(in *Input) { in.Run.Digest = digest.FromString("other") }),
		"project":       key(example, func(in *Input) { in.Project = "other" }),
		"image time":    key(example, func(in *Input) { in.Time = in.Time.AddDate(1, 0, 0) }),
		"another layer": key(replaced("\"src\"", "\"lib\"")),
		"export":        key(replaced("name = \"user\"\nexport = true", "name = \"user\"")),
		"a process":     key(replaced("\"run\"", "\"walk\"")),
		"clock":         key(example, func(in *Input) { in.Now = in.Now.AddDate(1, 0, 0) }),
	} {
		if got != base {
			t.Errorf("the %s changed and the key did as well", what)
		}
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
	f := Facts{}
	var order []string
	for {
		qs := b.decided(t, f).Questions()
		if len(qs) == 0 {
			break
		}
		var wave []string
		for _, q := range qs {
			wave = append(wave, fmt.Sprintf("%s %s", q.Layer, q.Kind))
			f[q] = Answer{}
		}
		order = append(order, strings.Join(wave, ", "))
	}
	want := "a test, b inputs; b test"
	if got := strings.Join(order, "; "); got != want {
		t.Errorf("asked %q, want %q", got, want)
	}
}
