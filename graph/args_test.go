package graph

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/group/grouptest"
	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/step"
)

// withArgs gives a build the arguments A and B.
func withArgs(a, b string) func(*testInput) {
	return func(in *testInput) { in.Args = []step.Variable{{Name: "A", Value: a}, {Name: "B", Value: b}} }
}

func TestOnlyArgumentsThatTheStepSeesCountForAKey(t *testing.T) {
	const (
		run   = "[layers.build.run]\ninline = \"x\"\n"
		env   = "[[layers.build.env.launch]]\nname = \"V\"\nvalue = \"%s\"\n"
		layer = "%s[[layers]]\nname = \"x\"\n[layers.build]\n%s"
	)
	key := func(text string, change ...func(*testInput)) (string, []string) {
		b := newBuild(t, text, change...)
		r := b.recipe(t, named(b, "x"), answers(b))
		var seen []string
		for _, v := range r.task.Platform {
			seen = append(seen, v.Name)
		}
		return r.record.Key, seen
	}
	for name, test := range map[string]struct {
		config, section string
		seen            string
		counts          string // of the arguments, those that change the key
	}{
		"without a list":                         {"", run, "A B", "A B"},
		"with a list":                            {"", "args = [\"A\"]\n" + run, "A", "A"},
		"with a list for all":                    {"[config]\nargs = [\"B\"]\n", run, "B", "B"},
		"with both":                              {"[config]\nargs = [\"B\"]\n", "args = [\"A\"]\n" + run, "A B", "A B"},
		"with an empty list":                     {"", "args = []\n" + run, "", ""},
		"in a template alone":                    {"", "args = [\"A\", \"B\"]\n" + fmt.Sprintf(env, "{{.Args.A}}"), "", "A"},
		"in a template that makes nothing of it": {"", "args = [\"A\"]\n" + fmt.Sprintf(env, "{{if .Args.A}}x{{end}}"), "", ""},
		// As it was before there were lists.
		"without a list and without a script": {"", fmt.Sprintf(env, "x"), "", "A B"},
	} {
		t.Run(name, func(t *testing.T) {
			text := fmt.Sprintf(layer, test.config, test.section)
			base, seen := key(text, withArgs("1", "1"))
			if got := strings.Join(seen, " "); got != test.seen {
				t.Errorf("the step sees %q, want %q", got, test.seen)
			}
			var counts []string
			for name, change := range map[string]func(*testInput){"A": withArgs("2", "1"), "B": withArgs("1", "2")} {
				if other, _ := key(text, change); other != base {
					counts = append(counts, name)
				}
			}
			slices.Sort(counts)
			if got := strings.Join(counts, " "); got != test.counts {
				t.Errorf("what counts is %q, want %q", got, test.counts)
			}
		})
	}
}

// A list of what is given anyway changes no key, and no key of a packfile without lists changes for the sake of them.
func TestAListOfAllArgumentsChangesNoKey(t *testing.T) {
	key := func(text string) string {
		b := newBuild(t, text, withArgs("1", "2"))
		return b.recipe(t, named(b, "user"), answers(b)).record.Key
	}
	if key(grouptest.Example) != key(strings.Replace(grouptest.Example, "[config]\n", "[config]\nargs = [\"A\", \"B\", \"C\"]\n", 1)) {
		t.Error("the key has the list")
	}
}

func TestATestSeesItsArgumentsBesidesThoseOfItsSection(t *testing.T) {
	const text = "[[layers]]\nname = \"x\"\n[layers.build]\nargs = [\"A\"]\nrun.inline = \"x\"\ntest = { inline = \"x\", args = [\"B\"] }\n"
	b := newBuild(t, text, withArgs("1", "1"))
	l := named(b, "x")
	seen := b.Told(l.Module, packfile.Access{}, l.Module.Packfile.TestArgs(l.Layer), nil).Platform
	if diff := cmp.Diff([]step.Variable{{Name: "A", Value: "1"}, {Name: "B", Value: "1"}}, seen); diff != "" {
		t.Error(diff)
	}
	st, err := Steps{b.decided(t, nil)}.test(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	def, err := st.Marshal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(def.Def, func(op []byte) bool { return strings.Contains(string(op), `"B"`) }) {
		t.Error("the step is not told of its own argument")
	}
}

func TestVariablesOfAProjectAreSeenByEveryStep(t *testing.T) {
	b := newBuild(t, "[config]\nargs = []\n"+grouptest.BuildsX, withArgs("1", "1"), func(in *testInput) {
		in.Env = []step.Variable{{Name: "P", Value: "p"}, {Name: "B", Value: "given"}}
	})
	r := b.recipe(t, named(b, "x"), answers(b))
	if diff := cmp.Diff([]step.Variable{{Name: "B", Value: "given"}, {Name: "P", Value: "p"}}, r.task.Platform); diff != "" {
		t.Error(diff)
	}
}

func TestAModuleHasTheArgumentsOfItsGrant(t *testing.T) {
	const needs = grouptest.BuildsX + "[[layers.build.env.launch]]\nname = \"V\"\nvalue = \"%s\"\n"
	recipe := func(grant *module.Grant, value string) (*recipe, error) {
		b := newGroup(t, []string{grouptest.WithID("m", fmt.Sprintf(needs, value)), grouptest.WithID("site", grouptest.AProcess)}, withArgs("1", "2"),
			func(in *testInput) { in.Modules[0].Grant = grant })
		return b.decided(t, answers(b)).recipe(layerOf(t, b, "m/x"))
	}
	for _, test := range []struct {
		grant *module.Grant
		value string
		want  string // what the step sees, or the error
	}{
		{&module.Grant{Args: []string{"A", "C"}}, "{{.Args.A}}", "A"},
		{&module.Grant{}, "x", ""},
		{&module.Grant{}, "{{or .Args.A `none`}}", ""},
		{&module.Grant{Args: []string{"A"}}, "{{.Args.B}}", `packfile1.toml:0:0: module m needs build argument "B", which it is not given (add args = ["B"] to its entry)`},
		{&module.Grant{}, "{{.Args.C}}", "packfile0.toml:9:9: layer \"x\": value of V: build argument \"C\" is needed and not given " +
			"(give it with --build-arg C=…, or write {{or .Args.C \"…\"}} for a default)"},
	} {
		r, err := recipe(test.grant, test.value)
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			for _, v := range r.task.Platform {
				got += v.Name
			}
			if keyed := len(r.record.Parts.PlatformEnv); keyed != len(r.task.Platform) {
				t.Errorf("%d arguments are in the key, the step sees %q", keyed, got)
			}
		}
		if got != test.want {
			t.Errorf("%+v: %q\ngot  %s\nwant %s", *test.grant, test.value, got, test.want)
		}
	}
}

func TestARecordNamesTheArgumentsOfTemplates(t *testing.T) {
	b := newBuild(t, grouptest.BuildsX+"[[layers.build.deps]]\nname = \"n-{{.Args.A}}\"\nuri = \"https://a.example/{{.Args.B}}\"\n"+
		"[[layers.build.env.both]]\nname = \"V\"\nvalue = \"{{.Args.B}}\"\n", withArgs("1", "2"))
	r := b.recipe(t, named(b, "x"), answers(b))
	want := map[string][]string{layerkey.DepPart("n-1"): {"A", "B"}, layerkey.EnvPart("env", "V"): {"B"}}
	if diff := cmp.Diff(want, r.record.Args); diff != "" {
		t.Error(diff)
	}
	if r := newBuild(t, grouptest.BuildsX, withArgs("1", "2")).recipe(t, named(newBuild(t, grouptest.BuildsX), "x"), fact.Facts{}); r.record.Args != nil {
		t.Errorf("%v", r.record.Args)
	}
}
