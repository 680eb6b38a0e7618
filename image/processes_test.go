package image

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packfile/frontend/group/grouptest"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/step"
)

func TestProcessesComeInGroupOrderAndLaterOnesReplaceEarlierOnes(t *testing.T) {
	with := func(id string, processes ...string) string {
		text := ""
		for _, p := range processes {
			kind, isDefault := strings.CutSuffix(p, "!")
			text += fmt.Sprintf("[[processes]]\ntype = %q\ncommand = [%q]\ndefault = %t\n", kind, id, isDefault)
		}
		return grouptest.WithID(id, text)
	}
	root := grouptest.WithID("root", grouptest.BuildsX)
	for what, test := range map[string]struct {
		modules []string
		want    string
		start   string
	}{
		"both are there":               {[]string{with("a", "x"), with("b", "y"), root}, "x:a y:b", ""},
		"the later goes before":        {[]string{with("a", "x", "z"), with("b", "x"), root}, "z:a x:b", ""},
		"web is the default":           {[]string{with("a", "web"), with("b", "x"), root}, "web:a x:b", "web"},
		"the last default counts":      {[]string{with("a", "x!"), with("b", "y!"), with("c", "web"), root}, "x:a y:b web:c", "y"},
		"a later one is none any more": {[]string{with("a", "x!", "y"), with("b", "x"), root}, "y:a x:b", ""},

		"the app's default goes before a module's":      {[]string{with("a", "x!", "web"), with("root", "y!", "z")}, "x:a web:a y:root z:root", "y"},
		"the app's web does":                            {[]string{with("a", "x!"), with("root", "web", "z")}, "x:a web:root z:root", "web"},
		"the app's only one does":                       {[]string{with("a", "x!", "web"), with("root", "y")}, "x:a web:a y:root", "y"},
		"of several of the app it is a module's":        {[]string{with("a", "x!"), with("root", "y", "z")}, "x:a y:root z:root", "x"},
		"a type of the app's is no module's by default": {[]string{with("a", "y!", "web"), with("root", "y", "z")}, "web:a y:root z:root", "web"},
	} {
		t.Run(what, func(t *testing.T) {
			md := newGroup(t, test.modules).undecided(t).metadata()
			var got []string
			for _, p := range md.Processes {
				got = append(got, p.Type+":"+p.Buildpack)
			}
			if strings.Join(got, " ") != test.want || md.DefaultProcessType != test.start {
				t.Errorf("%v, default %q", got, md.DefaultProcessType)
			}
		})
	}
}

func TestLabelsComeInGroupOrderAndThePackfileThatIsBuiltGoesBefore(t *testing.T) {
	labelled := func(id, labels string) string {
		return grouptest.WithID(id, "name = \"name of "+id+"\"\n[config.labels]\n"+labels+grouptest.AProcess)
	}
	b := newGroup(t, []string{labelled("a", "x = \"a\"\ny = \"a\"\nz = \"a\"\n"), labelled("b", "y = \"b\"\nz = \"b\"\n"), labelled("root", "z = \"root\"\n")})
	want := map[string]string{"x": "a", "y": "b", "z": "root", "org.opencontainers.image.title": "name of root"}
	got, err := b.undecided(t).givenLabels()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestLabelsHaveTheBuildArgumentsThatTheirModuleIsGiven(t *testing.T) {
	const labelled = "[config.labels]\n%s = '{{or .Args.A \"none\"}}'\nrequired = '%s'\n" + grouptest.AProcess
	b := newGroup(t, []string{
		grouptest.WithID("given", fmt.Sprintf(labelled, "given", "{{.Args.A}}")), grouptest.WithID("bare", fmt.Sprintf(labelled, "bare", "x")),
		grouptest.WithID("root", "args = []\n"+fmt.Sprintf(labelled, "root", "{{.Args.A}}")),
	})
	b.Args = []step.Variable{{Name: "A", Value: "a"}}
	b.Modules[0].Grant, b.Modules[1].Grant = &module.Grant{Args: []string{"A"}}, &module.Grant{}
	got, err := b.undecided(t).givenLabels()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"given": "a", "bare": "none", "root": "a", "required": "a"}, got); diff != "" {
		t.Error(diff)
	}

	b.Modules[0].Grant.Args = nil
	_, err = b.undecided(t).givenLabels()
	const withheld = `packfile2.toml:0:0: module given needs build argument "A", which it is not given (add args = ["A"] to its entry)`
	if err == nil || err.Error() != withheld {
		t.Errorf("%v, want %s", err, withheld)
	}
	if early := CheckArgs(b.decided(t, nil), b.in); early == nil || early.Error() != withheld {
		t.Errorf("before the build: %v", early)
	}
	b.Args, b.Modules = nil, b.Modules[1:]
	_, err = b.undecided(t).givenLabels()
	if err == nil || !strings.HasPrefix(err.Error(), `packfile2.toml:6:12: label "required": build argument "A" is needed and not given (give it with --build-arg A=…`) {
		t.Error(err)
	}
}

// The order may put the packfile being built before others: its processes win all the same.
func TestAModuleReplacesNoProcessOfTheApp(t *testing.T) {
	own := "[[processes]]\ntype = \"web\"\ncommand = [\"own\"]\n"
	other := "[[processes]]\ntype = \"web\"\ncommand = [\"other\"]\n[[processes]]\ntype = \"evil\"\ncommand = [\"evil\"]\ndefault = true\n"
	b := newGroup(t, []string{grouptest.WithID("a", other), grouptest.WithID("root", own)})
	slices.Reverse(b.Modules)
	md := b.undecided(t).metadata()
	for _, p := range md.Processes {
		if p.Type == "web" && p.Buildpack != "root" {
			t.Errorf("web of %s", p.Buildpack)
		}
	}
	if md.DefaultProcessType != "web" || len(md.Processes) != 2 {
		t.Errorf("default %q of %v", md.DefaultProcessType, md.Processes)
	}
}

func TestVariablesOfTheAppHaveBuildArguments(t *testing.T) {
	b := newGroup(t, []string{"[[config.env.launch]]\nname = \"V\"\nvalue = \"{{.Args.A}}\"\n" + grouptest.AProcess})
	b.Args = []step.Variable{{Name: "A", Value: "a"}}
	files, err := b.undecided(t).launchEnv()
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	for name, content := range files {
		if string(content) != "a" {
			t.Errorf("%s is %q", name, content)
		}
	}
	b.Args = nil
	if err := CheckArgs(b.decided(t, nil), b.in); err == nil || !strings.HasPrefix(err.Error(), `packfile0.toml:3:9: value of V: build argument "A" is needed and not given`) {
		t.Error(err)
	}
}
