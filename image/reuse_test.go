package image

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	bk "github.com/moby/buildkit/client/llb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/graph"
	"github.com/packfile/frontend/internal/testbed"
	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/previous"
	"github.com/packfile/frontend/step"
)

// tools links nothing; modules links tools; app links modules. None needs a step to be settled.
const chain = `
[config]
shell = "/bin/sh"
[[layers]]
name = "tools"
export = true
version = "1"
[layers.build.run]
inline = "x"
[[layers]]
name = "modules"
export = true
version = "1"
[layers.build.run]
inline = "x"
[[layers.build.links]]
name = "tools"
path-as = "TOOLS"
[[layers]]
name = "assets"
version = "1"
[layers.build.run]
inline = "x"
[[layers.build.links]]
name = "modules"
version-as = "V"
`

func diffID(text string) string { return digest.FromString(text).String() }

// exact makes equal digests of the build image mean equal contents.
func exact(in *testInput) { in.Build.Exact = true }

// describeAll answers question Built for the layers that are built. Their content is as the argument content says, else their
// name.
func describeAll(b testGraph, f fact.Facts, content map[string]string) fact.Facts {
	d, err := b.Decide(f)
	if err != nil {
		panic(err)
	}
	for _, l := range b.Layers {
		held := l.Name
		if c, ok := content[l.Name]; ok {
			held = c
		}
		f[fact.Question{Layer: l.Name, Kind: fact.Built}] = fact.Answer{Result: step.Result{Metadata: d.Metadata(l), Described: step.Described{DiffID: diffID(held)}}}
	}
	return f
}

// leftOf returns the questions that are left of an image.
func leftOf(img *Image) map[fact.Question]bool {
	all := map[fact.Question]bool{}
	for _, in := range img.Left {
		for q := range in.Files {
			all[q] = true
		}
	}
	return all
}

// describeParts answers question Part for the layers of an image that are not the packfile's.
func describeParts(img *Image, f fact.Facts) fact.Facts {
	for q := range leftOf(img) {
		if q.Kind == fact.Part {
			f[q] = fact.Answer{Result: step.Result{Described: step.Described{DiffID: diffID(q.Layer)}}}
		}
	}
	return f
}

// imageOf returns the config of the image of a packfile.
func imageOf(t *testing.T, text string, change ...func(*testInput)) *dockerspec.DockerOCIImage {
	t.Helper()
	b := newBuild(t, text, append([]func(*testInput){exact}, change...)...)
	f := describeAll(b, answers(b), nil)
	img := b.image(t, f)
	cfg, err := b.config(t, img, describeParts(img, f))
	if err != nil {
		t.Fatal(err)
	}
	cfg.RootFS.DiffIDs = []digest.Digest{digest.FromString("base")}
	for _, l := range b.Layers {
		if l.Export {
			cfg.RootFS.DiffIDs = append(cfg.RootFS.DiffIDs, digest.FromString(l.Name))
		}
	}
	return cfg
}

// inlineCache returns the inline cache of an image.
func inlineCache(t *testing.T, cfg *dockerspec.DockerOCIImage) []byte {
	t.Helper()
	data, err := llb.References(cfg.RootFS.DiffIDs, 0)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// from makes an image the previous one.
func from(t *testing.T, cfg *dockerspec.DockerOCIImage) func(*testInput) {
	t.Helper()
	earlier, warnings := previous.New(previous.Source{State: bk.Image("previous"), Config: cfg, InlineCache: inlineCache(t, cfg)})
	if len(warnings) > 0 {
		t.Fatal(warnings)
	}
	return func(in *testInput) { in.Previous, in.Build.Exact = earlier, true }
}

// actions returns what becomes of the layers, once everything is known that Questions ask for.
func actions(t *testing.T, b testGraph, content map[string]string) string {
	t.Helper()
	asked := ""
	f := answerEach(b, fact.Facts{}, func(l *graph.Layer, kind fact.Kind, md metadata.Table) step.Result {
		if kind == fact.Built {
			asked += " ?" + l.ID
		}
		held := l.Name
		if c, ok := content[l.Name]; ok {
			held = c
		}
		return step.Result{Metadata: md, Described: step.Described{DiffID: diffID(held)}}
	})
	explained := b.decided(t, f).Explain()
	var all []string
	for _, e := range explained {
		all = append(all, e.Layer+" "+string(e.Action))
	}
	return strings.Join(all, ", ") + asked
}

func TestDecisions(t *testing.T) {
	previous := from(t, imageOf(t, chain))
	replaced := func(old, with string) string { return strings.Replace(chain, old, with, 1) }
	bumped := replaced("version = \"1\"", "version = \"2\"")
	for _, tt := range []struct {
		name, text string
		content    map[string]string
		change     func(*testInput)
		want       string
	}{
		{name: "nothing changed", text: chain, want: "tools reused, modules reused, assets kept"},
		{name: "a linked layer is built and comes out as it was", text: bumped,
			want: "tools built, modules reused, assets kept ?tools"},
		{name: "a linked layer is built and comes out different", text: bumped, content: map[string]string{"tools": "new"},
			want: "tools built, modules built, assets kept ?tools ?modules"},
		{name: "the whole chain comes out different", text: bumped, content: map[string]string{"tools": "new", "modules": "new"},
			want: "tools built, modules built, assets built ?tools ?modules"},
		{name: "no version", text: replaced("version = \"1\"\n", ""), content: map[string]string{"tools": "tools"},
			want: "tools built, modules reused, assets kept ?tools"},
		{name: "it changes the app", text: replaced("[layers.build.run]", "[layers.build]\nlock-app = true\n[layers.build.run]"),
			want: "tools built, modules reused, assets kept ?tools"},
		{name: "no cache is wanted", text: chain, change: func(in *testInput) { in.NoCache = func(l string) bool { return l == "modules" } },
			want: "tools reused, modules built, assets kept ?modules"},
		{name: "the build image has no digest", text: chain, change: func(in *testInput) { in.Build.Exact = false },
			want: "tools built, modules built, assets built"},
		{name: "another run image", text: chain, change: func(in *testInput) { in.Run.Digest = digest.FromString("other") },
			want: "tools reused, modules reused, assets kept"},
		{name: "another build image", text: chain, change: func(in *testInput) { in.Build.Digest = digest.FromString("other") },
			want: "tools built, modules built, assets built"},
		{name: "another time of files", text: chain, change: func(in *testInput) { in.Time = in.Time.AddDate(1, 0, 0) },
			want: "tools reused, modules reused, assets kept"},
		{name: "exported now, and was not", text: replaced("name = \"assets\"", "name = \"assets\"\nexport = true"),
			want: "tools reused, modules reused, assets built"},
		{name: "not exported now, and was", text: replaced("name = \"modules\"\nexport = true", "name = \"modules\""),
			want: "tools reused, modules kept, assets kept"},
		{name: "a new layer", text: chain + "[[layers]]\nname = \"more\"\nversion = \"1\"\n[layers.build.run]\ninline = \"x\"\n",
			want: "tools reused, modules reused, assets kept, more built"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBuild(t, tt.text, previous, func(in *testInput) {
				if tt.change != nil {
					tt.change(in)
				}
			})
			if got := actions(t, b, tt.content); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestNothingIsBuiltToExplain(t *testing.T) {
	bumped := strings.Replace(chain, "version = \"1\"", "version = \"2\"", 1)
	b := newBuild(t, bumped, from(t, imageOf(t, chain)), func(in *testInput) { in.BuildNothing = true })
	if got, want := actions(t, b, nil), "tools built, modules unknown, assets unknown"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	full := strings.Replace(bumped, "name = \"modules\"\nexport = true\nversion = \"1\"\n[layers.build.run]",
		"name = \"modules\"\nexport = true\n[layers.build.test]\ninline = \"x\"\nfull-env = true\n[layers.build.run]", 1)
	b = newBuild(t, full, from(t, imageOf(t, chain)), func(in *testInput) { in.BuildNothing = true })
	if got, want := actions(t, b, nil), "tools built, modules unknown, assets unknown"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestLabelIsTheSameWithAndWithoutReuse(t *testing.T) {
	cfg := imageOf(t, chain)
	again := imageOf(t, chain, from(t, cfg))
	if a, b := cfg.Config.Labels[layerkey.LabelName], again.Config.Labels[layerkey.LabelName]; a != b {
		t.Errorf("labels differ:\n%s\n%s", a, b)
	}
}

func TestLabelsThatLie(t *testing.T) {
	edit := func(change func(l *layerkey.Label)) func(*dockerspec.DockerOCIImage) {
		return func(cfg *dockerspec.DockerOCIImage) {
			var l layerkey.Label
			if err := json.Unmarshal([]byte(cfg.Config.Labels[layerkey.LabelName]), &l); err != nil {
				t.Fatal(err)
			}
			change(&l)
			data, err := json.Marshal(l)
			if err != nil {
				t.Fatal(err)
			}
			cfg.Config.Labels[layerkey.LabelName] = string(data)
		}
	}
	for _, tt := range []struct {
		name   string
		change func(*dockerspec.DockerOCIImage)
		warns  string
		left   int // number of records that are used
	}{
		{"no label", func(cfg *dockerspec.DockerOCIImage) { cfg.Config.Labels = nil }, "did not make it", 0},
		{"no JSON", func(cfg *dockerspec.DockerOCIImage) { cfg.Config.Labels[layerkey.LabelName] = "{" }, "cannot be read", 0},
		{"flattened", func(cfg *dockerspec.DockerOCIImage) { cfg.RootFS.DiffIDs = []digest.Digest{digest.FromString("all")} }, "does not have the layer", 1},
		{"a diff id of no layer", edit(func(l *layerkey.Label) { l.Layers[0].DiffID = diffID("other") }), "does not have the layer", 2},
		{"two layers at one place", edit(func(l *layerkey.Label) { l.Layers[0].DiffID = l.Layers[1].DiffID }), "one layer as", 1},
		{"a key of other parts", edit(func(l *layerkey.Label) { l.Layers[0].Parts.Version = "2" }), "not that of its parts", 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := imageOf(t, chain)
			tt.change(cfg)
			p, warnings := previous.New(previous.Source{State: bk.Scratch(), Config: cfg, InlineCache: inlineCache(t, cfg)})
			if text := strings.Join(warnings, "\n"); !strings.Contains(text, tt.warns) {
				t.Errorf("warnings %q, want %q", text, tt.warns)
			}
			left := 0
			if p != nil {
				for _, name := range []string{"tools", "modules", "assets"} {
					if _, known := p.Record("/layers/packfile/" + name); known {
						left++
					}
				}
			}
			if left != tt.left {
				t.Errorf("%d records are used, want %d", left, tt.left)
			}
		})
	}
}

// diamond returns a packfile with a kept layer that two others link, of which the second links the first.
func diamond(deps, gen testbed.LayerTable) string {
	tool := testbed.Layer("tool").Version("1").Run("x")
	return testbed.Packfile(tool, deps.Export().Link("tool"), gen.Export().Link("tool").Link("deps"))
}

// Layers of a diamond, without what makes them different from each other.
var (
	deps = testbed.Layer("deps")
	gen  = testbed.Layer("gen")
)

func TestAKeptLayerThatRunsIsDescribedBeforeThoseThatLinkItAreDecided(t *testing.T) {
	plain := diamond(deps.Version("1").Run("x"), gen.Version("1").Run("x"))
	bumped := diamond(deps.Version("2").Run("x"), gen.Version("1").Run("x"))
	for _, tt := range []struct {
		name, text string
		before     string // the packfile of the previous image, if it is another one than plain
		content    map[string]string
		want       string
	}{
		{name: "nothing runs", text: plain, want: "tool kept, deps reused, gen reused"},
		{name: "it comes out as it was", text: bumped, want: "tool kept, deps built, gen reused ?tool ?deps"},
		{name: "it comes out different", text: bumped, content: map[string]string{"tool": "new"},
			want: "tool kept, deps built, gen built ?tool ?deps"},
		{name: "what it is for comes out different", text: bumped, content: map[string]string{"deps": "new"},
			want: "tool kept, deps built, gen built ?tool ?deps"},
		{name: "a test that sees it runs whatever comes of it", want: "tool kept, deps reused, gen built ?tool",
			text: diamond(deps.Version("1").Run("x"), gen.Test("x", "full-env", true).Run("x"))},
		{name: "a layer without a script sees nothing", want: "tool kept, deps built, gen reused",
			before: diamond(deps.Version("1").Run("x"), gen.Version("1")), text: diamond(deps.Version("2").Run("x"), gen.Version("1"))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBuild(t, tt.text, from(t, imageOf(t, cmp.Or(tt.before, plain))))
			if got := actions(t, b, tt.content); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestWhatIsNotDecidedOrDescribedIsAnErrorWithItsName(t *testing.T) {
	plain := diamond(deps.Version("1").Run("x"), gen.Version("1").Run("x"))
	b := newBuild(t, diamond(deps.Version("1").Run("x"), gen.Test("x").Run("x")), from(t, imageOf(t, plain)))
	// The test of gen says whether tool runs, which deps was built with.
	if _, err := Assemble(t.Context(), b.decided(t, fact.Facts{}), b.in); err == nil || err.Error() != `layer "deps" is not decided` {
		t.Errorf("not decided: %v", err)
	}
	b = newBuild(t, plain)
	f := answers(b)
	img := b.image(t, f)
	if _, err := img.Config(); err == nil || err.Error() != `layer "tool" is not described` {
		t.Errorf("not described: %v", err)
	}
}

func TestLayerThatWasToBeKeptIsDescribedWhenItIsBuilt(t *testing.T) {
	text := strings.ReplaceAll(chain, "export = true\n", "")
	bumped := strings.Replace(text, "name = \"assets\"\nversion = \"1\"", "name = \"assets\"\nversion = \"2\"", 1)
	b := newBuild(t, bumped, from(t, imageOf(t, text)))
	f := answers(b)
	img := b.image(t, f)
	for _, name := range []string{"assets", "modules", "tools"} {
		if !leftOf(img)[fact.Question{Layer: name, Kind: fact.Built}] {
			t.Errorf("%s is not described; assets are built, and so modules and tools, which it links", name)
		}
	}
	if _, err := b.config(t, img, describeParts(img, describeAll(b, f, nil))); err != nil {
		t.Error(err)
	}
}

func TestNamesInALabelAreInNoMessage(t *testing.T) {
	cfg := imageOf(t, chain)
	label, err := layerkey.ParseLabel(cfg.Config.Labels[layerkey.LabelName])
	if err != nil {
		t.Fatal(err)
	}
	label.Layers[1].Links = map[string]string{"\x1b[2J": "x"}
	data, err := json.Marshal(label)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Config.Labels[layerkey.LabelName] = string(data)
	b := newBuild(t, chain, from(t, cfg))
	f := answers(b)
	explained := b.decided(t, f).Explain()
	if got, want := explained[1].Why, "the previous image does not say what it was built with: tools"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestALayerThatIsNotInTheImageSaysWhyItRuns(t *testing.T) {
	const tool = "[config]\nshell = '/bin/sh'\n[[layers]]\nname = 'tool'\nversion = '1'\n[layers.build.run]\ninline = 'x'\n"
	user := func(test, version string) string {
		return "[[layers]]\nname = 'user'\nexport = true\n" + version + "[layers.build]\nlinks = [{ name = 'tool' }]\n" + test + "[layers.build.run]\ninline = 'x'\n"
	}
	const fullEnv = "[layers.build.test]\ninline = 'x'\nfull-env = true\n"
	for name, test := range map[string]struct{ was, is, target, want string }{
		"target":          {tool, tool, "tool", "it is the target"},
		"a layer":         {tool + user("", "version = '1'\n"), tool + user("", "version = '2'\n"), "", "a layer that is built links it"},
		"a full-env test": {tool + user(fullEnv, ""), tool + user(fullEnv, ""), "", "a test with full-env looks into it"},
	} {
		b := newBuild(t, test.is, exact, from(t, imageOf(t, test.was)), func(in *testInput) { in.Target = test.target })
		d := b.decided(t, answers(b))
		assemble := func() (*Image, error) { return Assemble(t.Context(), d, b.in) }
		if test.target != "" {
			assemble = func() (*Image, error) { return Layer(t.Context(), d) }
		}
		img, err := assemble()
		if err != nil {
			t.Fatal(err)
		}
		def, err := img.State.Marshal(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, md := range def.Metadata {
			if name := md.Description["llb.customname"]; strings.HasPrefix(name, "[tool] run (") {
				got = append(got, name)
			}
		}
		if action := d.Explain()[0].Action; action != graph.Kept || !slices.Equal(got, []string{"[tool] run (" + test.want + ")"}) {
			t.Errorf("%s: %s, and these run: %q, want that it runs because %q", name, action, got, test.want)
		}
	}
}
