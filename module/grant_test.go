package module

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/step"
	"github.com/packfile/frontend/tree/treetest"
)

// gives returns an entry that lists secrets.
func gives(secrets ...string) packfile.Buildpack { return packfile.Buildpack{Secrets: secrets} }

func moduleOf(name string, entries ...packfile.Buildpack) *Module {
	return &Module{Filename: name, opened: opened{buildpacks: entries, brought: make([][]*Module, len(entries))}}
}

func TestModulesPassOnOnlyWhatTheyAreGiven(t *testing.T) {
	root, a, b, c, d := moduleOf("root", gives("x", "y"), gives()), moduleOf("a", gives("x", "z")), moduleOf("b", gives("x", "y")), moduleOf("c", gives("x")), moduleOf("d")
	root.brought[0], root.brought[1] = []*Module{a, d}, []*Module{b} // d is in the package of a
	a.brought[0], b.brought[0], c.brought[0] = []*Module{c}, []*Module{c}, []*Module{a}
	l := &loader{root: root}
	l.grant()
	for u, want := range map[*Module]string{a: "x y", b: "", c: "x", d: "x y"} {
		if got := strings.Join(u.Grant.Secrets, " "); got != want {
			t.Errorf("%s is given %q, want %q", u.Filename, got, want)
		}
	}
	if root.Grant != nil || strings.Join(c.Grant.Through, " ") != "a" || len(a.Grant.Through) > 0 {
		t.Errorf("%+v, %+v, %+v", root.Grant, c.Grant, a.Grant)
	}
}

// An entry that is read later may give more to a module that has passed on what it had.
func TestWhatAModuleIsGivenLaterIsPassedOnToo(t *testing.T) {
	root, early, late, inner := moduleOf("root", gives(), gives("x")), moduleOf("early", gives("x")), moduleOf("late", gives("x")), moduleOf("inner")
	root.brought[0], root.brought[1] = []*Module{early}, []*Module{late}
	early.brought[0], late.brought[0] = []*Module{inner}, []*Module{early}
	(&loader{root: root}).grant()
	if got := strings.Join(inner.Grant.Secrets, " "); got != "x" {
		t.Errorf("it is given %q", got)
	}
}

func TestWhatAnEntryGivesAndNobodyNamesIsWarnedOf(t *testing.T) {
	named := moduleOf("named", gives("passed"))
	named.Packfile = &packfile.Packfile{Layers: []packfile.Layer{{Require: &packfile.Require{Access: packfile.Access{
		Secrets: []packfile.Secret{{ID: "own"}}, SSH: []string{"default"},
	}}}}}
	silent := moduleOf("silent")
	silent.Packfile = new(packfile.Packfile)
	bp := packfile.Buildpack{URI: "m", Secrets: []string{"own", "passed", "other", "other"}, SSH: []string{"default", "key"}}
	for _, test := range []struct {
		modules []*Module
		want    string
	}{
		{[]*Module{named, silent}, "other key"},
		{[]*Module{silent}, "own passed other default key"},
		{nil, "own passed other default key"},
	} {
		var got []string
		for _, d := range unusedGrants(bp, test.modules) {
			_, id, _ := strings.Cut(d.Message, `"`)
			id, _, _ = strings.Cut(id, `"`)
			got = append(got, id)
			if d.Rule != packfile.UnusedGrant.Name {
				t.Errorf("%+v", d)
			}
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}

func TestArgumentsAndContextsArePassedOnAsSecretsAre(t *testing.T) {
	entry := packfile.Buildpack{Args: []string{"A", "B"}, Contexts: []string{"c", "d"}}
	root, outer, inner := moduleOf("root", entry), moduleOf("outer", packfile.Buildpack{Args: []string{"B", "X"}, Contexts: []string{"d", "x"}}), moduleOf("inner")
	root.brought[0], outer.brought[0] = []*Module{outer}, []*Module{inner}
	(&loader{root: root}).grant()
	for m, want := range map[*Module]string{root: "A B X c d x", outer: "A B c d", inner: "B d"} {
		var got []string
		for _, name := range []string{"A", "B", "X"} {
			if m.HasArg(name) {
				got = append(got, name)
			}
		}
		for _, name := range []string{"c", "d", "x"} {
			if m.HasContext(name) {
				got = append(got, name)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s is given %q, want %q", m.Filename, got, want)
		}
	}
}

// The Buildpack API has a platform environment for all.
func TestABuildpackHasAllArgumentsUntilAListSaysWhich(t *testing.T) {
	for name, test := range map[string]struct {
		config, entry []string
		want          string
	}{
		"no list":                 {nil, nil, "A B C"},
		"its entry lists one":     {nil, []string{"A"}, "A"},
		"its entry lists none":    {nil, []string{}, ""},
		"the packfile lists one":  {[]string{"B"}, nil, "B"},
		"the packfile lists none": {[]string{}, nil, ""},
		"both list one":           {[]string{"B"}, []string{"A"}, "A B"},
	} {
		root, m := moduleOf("root", packfile.Buildpack{Args: test.entry}), moduleOf("m")
		root.Packfile, m.Buildpack = &packfile.Packfile{Config: packfile.Config{Args: test.config}}, &Buildpack{}
		root.brought[0] = []*Module{m}
		(&loader{root: root, modules: []*Module{root, m}}).grant()
		var got []string
		for _, v := range m.Args([]step.Variable{{Name: "A"}, {Name: "B"}, {Name: "C"}}, packfile.Args{}) {
			got = append(got, v.Name)
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s: it has %q, want %q", name, got, test.want)
		}
	}
}

func TestAnArgumentThatIsGivenInVainIsWarnedOf(t *testing.T) {
	parsed := func(text string) *Module {
		pf, _, err := packfile.Parse("packfile.toml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return &Module{Packfile: pf}
	}
	const layer = "[[layers]]\nname = 'a'\n"
	entry := packfile.Buildpack{URI: "m", Args: []string{"A", "B"}, Contexts: []string{"c"}}
	for name, test := range map[string]struct {
		m    *Module
		want string
	}{
		"a section that sees all":  {parsed(layer + "build = {}"), "c"},
		"a section that lists one": {parsed(layer + "build.args = ['A']"), "B c"},
		"a label":                  {parsed("config.labels.a = '{{.Args.B}}'"), "A c"},
		"nothing":                  {parsed(""), "A B c"},
		"a module of its own":      {moduleOf("m", packfile.Buildpack{Args: []string{"A"}, Contexts: []string{"c"}}), "B"},
		"a dep that is a context":  {parsed(layer + "build = { args = [], deps = [{ name = 'x', uri = 'context:c' }] }"), "A B"},
		"a dep that may be one":    {parsed(layer + "build = { args = [], deps = [{ name = 'x', uri = 'context:{{.v}}' }] }"), "A B"},
		"a buildpack":              {&Module{Packfile: new(packfile.Packfile), Buildpack: &Buildpack{}}, "c"},
	} {
		if test.m.Packfile == nil {
			test.m.Packfile = new(packfile.Packfile)
		}
		var got []string
		for _, d := range unusedGrants(entry, []*Module{test.m}) {
			got = append(got, strings.Split(d.Message, `"`)[1])
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func TestModulesHaveABudget(t *testing.T) {
	var none *budget
	if err := none.spend(mostOfModules); err != nil {
		t.Error("the packfile that is built has none:", err)
	}
	b, half := new(budget), mostOfModules
	half.Bytes, half.Values = half.Bytes/2, half.Values/2
	for i := range 2 {
		if err := b.spend(half); err != nil {
			t.Error(i, err)
		}
	}
	half.Bytes, half.Values = 0, 1
	if err := b.spend(half); err == nil || !strings.Contains(err.Error(), "1000000 keys and values") {
		t.Error(err)
	}
}

func TestWhatIsGivenInVainIsWarnedOfInTheFileThatGivesIt(t *testing.T) {
	const gives = "[[buildpacks]]\nuri = %q\nsecrets = [%q]\n"
	w := &fakeWorld{
		root:   in("a", treetest.Files{"packfile.toml": module("a", "1", fmt.Sprintf(gives, "https://example.com/b.git", "inner"))}),
		remote: map[string]treetest.Files{"https://example.com/b.git": {"packfile.toml": module("b", "1", "")}},
	}
	found, err := w.load(t, fmt.Sprintf(gives, "a", "outer"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(w.warned)
	if len(w.warned) != 2 || !strings.HasPrefix(w.warned[0], "a/packfile.toml: ") || !strings.Contains(w.warned[0], `"inner"`) ||
		!strings.HasPrefix(w.warned[1], "packfile.toml: ") || !strings.Contains(w.warned[1], `"outer"`) {
		t.Errorf("%q", w.warned)
	}
	for i, m := range found.All[:2] { // the packfile being built, and a
		if len(m.Warnings) != 1 || m.Warnings[0].Rule != packfile.UnusedGrant.Name {
			t.Errorf("%d: %+v", i, m.Warnings)
		}
	}
}
