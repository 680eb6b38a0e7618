package graph

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"

	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/group/grouptest"
)

// placing returns a layer with a symbolic link, and keys of its own before that.
func placing(name, keys, at string) string {
	return fmt.Sprintf("[[layers]]\nname = %q\n%s\n[layers.build]\nrun.inline = \"x\"\napp-symlinks = { %q = \".\" }\n", name, keys, at)
}

func TestLinksOfTwoModulesThatNeedOnePlaceAreAnError(t *testing.T) {
	asks := func(keys string) string { return "[[layers]]\nname = \"x\"\n" + keys + "\n[layers.require]\n" }
	provides := strings.Replace(placing("x", "", "lib"), "build", "provide", 1)
	links := "[[layers]]\nname = \"user\"\n[layers.build]\nrun.inline = \"x\"\nlinks = [{ name = \"x\" }, { name = \"own\" }]\n"
	for name, test := range map[string]struct {
		modules []string
		want    string
	}{
		"both in the image": {[]string{placing("x", "export = true", "lib"), placing("y", "export = true", "lib/y")},
			`packfile1.toml:8:18: app-symlinks: layer "a/x" already has a link at "lib" (both layers are in the image)`},
		"one of them in the image": {[]string{placing("x", "", "lib"), placing("y", "export = true", "lib")}, ""},
		"beside each other":        {[]string{placing("x", "export = true", "lib"), placing("y", "export = true", "lib-y")}, ""},
		"one that another module wants in the image": {[]string{provides, asks("export = true") + placing("own", "export = true", "lib")},
			`packfile1.toml:12:18: app-symlinks: layer "a/x" already has a link at "lib" (both layers are in the image)`},
		"both linked, one from another module": {[]string{provides, asks("") + placing("own", "", "lib") + links},
			`packfile1.toml:12:18: app-symlinks: layer "a/x" already has a link at "lib" (layer "b/user" links both)`},
		"both exposed to a third module": {[]string{placing("x", "expose = true", "lib"), placing("y", "expose = true", "lib"), grouptest.BuildsX},
			`packfile1.toml:8:18: app-symlinks: layer "a/x" already has a link at "lib" (layer "c/x" links both)`},
		"a volume of another module at a link of the image": {[]string{placing("x", "export = true", "lib"), "[config.image]\nvolumes = [\"/workspace/lib/data\"]\n"},
			`packfile1.toml:4:12: volumes: "/workspace/lib/data" is where layer "a/x" has a link, at "lib"`},
		"a volume at a link that the image does not have": {[]string{placing("x", "", "lib"), "[config.image]\nvolumes = [\"/workspace/lib\"]\n"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var texts []string
			for i, text := range test.modules {
				texts = append(texts, grouptest.WithID(string(rune('a'+i)), text))
			}
			b := newModules(t, texts)
			f := grouptest.Required(b.Detector)
			got := ""
			if _, err := New(b.Builder, b.in, grouptest.Choose(t, b.Detector, grouptest.Candidates(b.Detector), f), f); err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("got %s", got)
			}
		})
	}
}

// excluded returns the patterns that copies out of the app leave out in a state.
func excluded(t *testing.T, st bk.State) (patterns []string) {
	t.Helper()
	def, err := st.Marshal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, data := range def.Def {
		var op pb.Op
		if err := op.Unmarshal(data); err != nil {
			t.Fatal(err)
		}
		for _, a := range op.GetFile().GetActions() {
			patterns = append(patterns, a.GetCopy().GetExcludePatterns()...)
		}
	}
	slices.Sort(patterns)
	return slices.Compact(patterns)
}

func TestRequireScriptsDoNotSeeThePlacesOfTheirOwnModuleAndLaterStepsThoseOfNoModule(t *testing.T) {
	one := grouptest.WithID("one", strings.Replace(placing("x", "require.inline = \"x\"", "lib[1]"), "build", "provide", 1))
	other := grouptest.WithID("other", placing("y", "", "!y"))
	b := newModules(t, []string{one, other, grouptest.WithID("root", grouptest.AsksForX+grouptest.AProcess)})
	for layer, want := range map[string][]string{"one/x": {`lib\[1\]`}, "root/x": nil} {
		asked, err := b.Ask([]fact.Question{{Layer: layer, Kind: fact.Required}})
		if err != nil {
			t.Fatal(err)
		}
		if got := excluded(t, asked[0].State); !slices.Equal(got, want) {
			t.Errorf("%s is asked without %q, want %q", layer, got, want)
		}
	}
	g := choose(t, b, grouptest.Required(b.Detector))
	if got, want := excluded(t, g.WholeApp), []string{`\!y`, `lib\[1\]`}; !slices.Equal(got, want) {
		t.Errorf("the app is without %q, want %q", got, want)
	}
}
