package frontend

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/client/llb"
	gw "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/frontend/subrequests"
	"github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/frontend/subrequests/outline"
	"github.com/moby/buildkit/frontend/subrequests/targets"
	"github.com/moby/buildkit/solver/errdefs"

	"github.com/packfile/frontend/graph"
	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/text"
)

// ask makes a subrequest of the build of a packfile.
func ask(t *testing.T, name, packfile string) *gw.Result {
	t.Helper()
	res, asked, err := answerSubrequest(t.Context(), buildOf(t, &fakeGateway{opts: map[string]string{"requestid": name}}, packfile))
	if err != nil || !asked {
		t.Fatalf("%s: %t, %v", name, asked, err)
	}
	return res
}

// decoded returns the answer for programs.
func decoded[T any](t *testing.T, res *gw.Result) (answer T) {
	t.Helper()
	if err := json.Unmarshal(res.Metadata["result.json"], &answer); err != nil {
		t.Fatalf("%v\n%s", err, res.Metadata["result.json"])
	}
	return answer
}

const manyParts = `
[config]
id = "acme/app"
name = "The app"
shell = "/bin/sh"
[[caches]]
name = "downloads"
[[layers]]
name = "first"
export = true
[layers.require]
inline = "true"
shell = "/bin/sh"
ssh = ["default"]
[layers.build.run]
inline = "true"
[[layers.build.secrets]]
id = "token"
env-as = "TOKEN"
[[layers.build.secrets]]
id = "maybe"
env-as = "MAYBE"
required = false
[[layers]]
name = "only-required"
[layers.require]
`

func TestWhatCanBeAskedIsTheTable(t *testing.T) {
	res := ask(t, "frontend.subrequests.describe", "")
	var names []string
	for i, r := range decoded[[]subrequests.Request](t, res) {
		names = append(names, r.Name)
		if diff := cmp.Diff(subrequestTable()[i].request, r); diff != "" {
			t.Error(diff)
		}
		if r.Version == "" || r.Description == "" || r.Type != subrequests.TypeRPC || len(r.Metadata) < 2 {
			t.Errorf("%s says too little: %+v", r.Name, r)
		}
		if line := strings.TrimPrefix(r.Name, "frontend.") + " "; !strings.Contains(string(res.Metadata["result.txt"]), line) {
			t.Errorf("people are not told of %s:\n%s", line, res.Metadata["result.txt"])
		}
	}
	want := []string{
		"frontend.lint", "frontend.outline", "frontend.targets", "frontend.packfile.explain", "frontend.packfile.plan", "frontend.packfile.test", "frontend.subrequests.describe",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsInNoRowCannotBeAsked(t *testing.T) {
	for _, name := range []string{"frontend.packfile.verify", "lint", ""} {
		res, asked, err := answerSubrequest(t.Context(), buildOf(t, &fakeGateway{opts: map[string]string{"requestid": name}}, ""))
		if unsupported, ok := errors.AsType[*errdefs.UnsupportedSubrequestError](err); res != nil || !asked || !ok || unsupported.Name != name {
			t.Errorf("%q: %v, %t, %v", name, res, asked, err)
		}
	}
	if res, asked, err := answerSubrequest(t.Context(), buildOf(t, &fakeGateway{}, "")); res != nil || asked || err != nil {
		t.Errorf("a build is taken for a question: %v, %t, %v", res, asked, err)
	}
}

func TestTheAnswerHasTheVersionOfItsRow(t *testing.T) {
	for _, row := range subrequestTable() {
		if strings.HasPrefix(row.call, "packfile.") {
			continue // these ask the daemon
		}
		if got := string(ask(t, row.request.Name, "").Metadata["version"]); got != row.request.Version {
			t.Errorf("%s answers in version %q, not %q", row.call, got, row.request.Version)
		}
	}
}

func TestCheckTellsOfEachWarningAndWhereItIs(t *testing.T) {
	clean := ask(t, "frontend.lint", "")
	if status := string(clean.Metadata["result.statuscode"]); status != "0" {
		t.Errorf("without warnings the exit status is %q", status)
	}
	res := ask(t, "frontend.lint", "\n[[caches]]\nname = \"unused\"\n")
	results := decoded[lint.LintResults](t, res)
	if status := string(res.Metadata["result.statuscode"]); status != "1" || len(results.Warnings) != 1 {
		t.Fatalf("status %s, %+v", status, results.Warnings)
	}
	w := results.Warnings[0]
	if w.RuleName == "" || w.Detail == "" || len(w.Location.Ranges) != 1 || w.Location.Ranges[0].Start.Line < 2 || results.Sources[w.Location.SourceIndex].Filename != "packfile.toml" {
		t.Errorf("%+v", w)
	}
}

func TestCheckTellsOfModulesWithTheirOwnSources(t *testing.T) {
	b := buildOf(t, &fakeGateway{opts: map[string]string{"requestid": "frontend.lint"}}, "")
	warning := node.Diagnostic{Message: "of a module", Rule: "SomeRule"}
	for _, name := range []string{"quiet.toml", "a\x1b[2J.toml"} {
		m := &module.Module{Packfile: &packfile.Packfile{}, Filename: name, Source: llb.NewSourceMap(nil, name, "TOML", nil)}
		b.modules.All = append(b.modules.All, m)
	}
	b.modules.All[2].Warnings = []node.Diagnostic{warning}
	res, _, err := answerSubrequest(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	results := decoded[lint.LintResults](t, res)
	if len(results.Warnings) != 1 || len(results.Sources) != 2 || results.Warnings[0].Location.SourceIndex != 1 {
		t.Fatalf("%+v", results)
	}
	// docker buildx prints the strings of the JSON as they are.
	if name := results.Sources[1].Filename; text.Visible(name) != name || !strings.HasPrefix(name, "a") {
		t.Errorf("the source is %q", name)
	}
	if data := string(results.Sources[1].Data); text.Visible(data) != data {
		t.Errorf("its text is %q", data)
	}
}

func TestTargetsAreTheImageEachLayerThatIsBuiltAndTheRebase(t *testing.T) {
	var names []string
	for _, target := range decoded[targets.List](t, ask(t, "frontend.targets", manyParts)).Targets {
		names = append(names, target.Name)
		if target.Default != (target.Name == "") || (target.Location != nil) != (target.Name == "first") {
			t.Errorf("%+v", target)
		}
	}
	if diff := cmp.Diff([]string{"", "first", "rebase"}, names); diff != "" {
		t.Error(diff)
	}
}

func TestTheImageWithItsTestsIsATargetWhenThereAreAny(t *testing.T) {
	const test = "[[tests]]\nname = 'a'\ncommand = 'a'\n"
	for text, want := range map[string][]string{
		test: {"", "test", "rebase"},
		test + "[[layers]]\nname = 'test'\n[layers.build]\n": {"", "test", "rebase"}, // the layer
		"": {"", "rebase"},
	} {
		var names []string
		for _, target := range decoded[targets.List](t, ask(t, "frontend.targets", text)).Targets {
			names = append(names, target.Name)
		}
		if diff := cmp.Diff(want, names); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
	b := buildOf(t, &fakeGateway{opts: map[string]string{"requestid": "frontend.packfile.test"}}, test)
	b.ui.Target = "layer"
	if _, _, err := answerSubrequest(t.Context(), b); err == nil || err.Error() != "tests are about the image: leave out --target layer" {
		t.Errorf("a target: %v", err)
	}
}

// moduleOf returns a module that a packfile describes.
func moduleOf(t *testing.T, text string) *module.Module {
	t.Helper()
	pf, _, err := packfile.Parse("packfile.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return &module.Module{Packfile: pf}
}

func TestTargetsOfSeveralModulesHaveTheirIDs(t *testing.T) {
	root, other := moduleOf(t, manyParts), moduleOf(t, strings.Replace(manyParts, "acme/app", "acme/tool", 1))
	list := targetsOf([]*module.Module{other, root}, root).Targets
	if len(list) != 4 || list[1].Name != "acme/tool/first" || list[1].Location != nil || list[2].Name != "acme/app/first" || list[2].Location == nil {
		t.Errorf("%+v", list)
	}
}

func TestTheOutlineIsWhatABuildMayBeGiven(t *testing.T) {
	o := decoded[outline.Outline](t, ask(t, "frontend.outline", manyParts))
	if o.Description != "The app" || len(o.Secrets) != 2 || len(o.SSH) != 1 || len(o.Cache) != 1 {
		t.Fatalf("%+v", o)
	}
	if s := o.Secrets[0]; s.Name != "token" || !s.Required || s.Location == nil || s.Location.Ranges[0].Start.Line == 0 {
		t.Errorf("%+v", s)
	}
	if s := o.Secrets[1]; s.Name != "maybe" || s.Required {
		t.Errorf("%+v", s)
	}
	if o.SSH[0].Name != "default" || o.Cache[0].ID != "downloads" {
		t.Errorf("%+v, %+v", o.SSH, o.Cache)
	}
}

func TestTheOutlineSaysWhichModuleIsGivenWhat(t *testing.T) {
	root, other := moduleOf(t, "[config]\nname = \"The app\"\n"), moduleOf(t, strings.Replace(manyParts, "acme/app", "acme/tool", 1))
	other.Grant = &module.Grant{Secrets: []string{"token"}}
	o := outlineOf("first", []*module.Module{other, root}, root)
	want := `The app; ssh agent "default" is for module acme/tool, which is not given it; secret "token" is for module acme/tool, which is given it; ` +
		`secret "maybe" is for module acme/tool, which is not given it`
	if o.Name != "first" || o.Description != want {
		t.Errorf("%q: %s", o.Name, o.Description)
	}
	for _, s := range o.Secrets {
		if s.Location != nil {
			t.Errorf("secret %s of a module has a place in the packfile", s.Name)
		}
	}
}

func TestTheOutlineHasArgumentsOnceWithTheirFirstPlace(t *testing.T) {
	const text = "[config]\nid = \"acme/%s\"\nargs = [\"A\"]\n[config.labels]\na = \"{{.Args.B}}{{.Args.A}}\"\n"
	root, other := moduleOf(t, fmt.Sprintf(text, "app")), moduleOf(t, fmt.Sprintf(text, "tool")+"b = \"{{.Args.C}}\"\n")
	other.Grant = &module.Grant{Args: []string{"A"}}
	o := outlineOf("", []*module.Module{root, other}, root)
	var got []string
	for _, arg := range o.Args {
		at := "nowhere"
		if arg.Location != nil {
			at = fmt.Sprint(arg.Location.Ranges[0].Start.Line)
		}
		got = append(got, arg.Name+":"+at+arg.Value)
	}
	if diff := cmp.Diff([]string{"A:3", "B:5", "C:nowhere"}, got); diff != "" {
		t.Error(diff)
	}
	want := `build argument "A" is for module acme/tool, which is given it; build argument "B" is for module acme/tool, which is not given it; ` +
		`build argument "C" is for module acme/tool, which is not given it`
	if o.Description != want {
		t.Error(o.Description)
	}
}

func TestAPlanIsShownAsTables(t *testing.T) {
	p := resolvedPlan{
		Warnings: []string{"what bin/detect wrote is odd"},
		Platforms: []platformPlan{{
			Platform: "linux/amd64",
			Modules:  []planModule{{ID: "acme/node", Version: "1.2", From: "node/packfile.toml"}, {ID: "packfile", From: "packfile.toml"}},
			Entries: []planEntry{{Name: "node", Providers: []string{"acme/node@1.2"}, Requires: []planRequire{
				{By: "packfile", From: "acme/node@1.2", Metadata: metadata.Table{"version": "20", "b": metadata.Table{}}},
				{By: "acme/node@1.2", From: "acme/node@1.2"},
			}}},
			Failed: []failedTrial{{Modules: []failedModule{{Module: "acme/go", Optional: true, Why: "it requires go"}, {Module: "packfile"}}}},
		}},
	}
	want := `WARNING: what bin/detect wrote is odd

GROUP   MODULE               WHY NOT
1       acme/go (optional)   it requires go
        packfile             -

MODULE          FROM
acme/node@1.2   node/packfile.toml
packfile        packfile.toml

LAYER   MADE BY         REQUIRED BY     WITH
node    acme/node@1.2   packfile        b={…} version=20
        acme/node@1.2   acme/node@1.2   
`
	res, err := p.ToResult()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(res.Metadata["result.txt"])); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(p, decoded[resolvedPlan](t, res)); diff != "" {
		t.Error(diff)
	}
	p.Platforms = append(p.Platforms, platformPlan{Platform: "linux/arm64"})
	if shown := string(p.text()); !strings.Contains(shown, "\nlinux/arm64\n\n") || !strings.Contains(shown, "linux/amd64\n\nGROUP") {
		t.Errorf("platforms are not told apart:\n%s", shown)
	}
}

func TestAnExplanationIsShownAsATable(t *testing.T) {
	e := explanation{Previous: "docker-image://example.com/app", Platforms: []platformExplanation{{"linux/amd64", []graph.Explanation{
		{Layer: "node", Version: strings.Repeat("0123456789abcdef", 4), Action: graph.Reused},
		{Layer: "modules", Action: "built", Why: "user 0:0 -> 1000:1000"},
	}}}}
	want := `LAYER     VERSION         ACTION   WHY
node      0123456789ab…   reused   
modules                   built    user 0:0 -> 1000:1000
`
	if diff := cmp.Diff(want, string(e.text())); diff != "" {
		t.Error(diff)
	}
	e.Previous, e.Warnings = "", []string{"pattern x matches nothing"}
	if shown := string(e.text()); !strings.HasPrefix(shown, "No previous image was named") || !strings.Contains(shown, "WARNING: pattern x matches nothing\n\nLAYER") {
		t.Errorf("%s", shown)
	}
}

// docker buildx prints the strings that it finds in the JSON of these.
func TestWhatIsPrintedGivesTheTerminalNoOrders(t *testing.T) {
	const orders = "\x1b[2J\u202e\r"
	for _, row := range subrequestTable() {
		if strings.HasPrefix(row.call, "packfile.") {
			continue // these ask the daemon
		}
		b := buildOf(t, &fakeGateway{opts: map[string]string{"requestid": row.request.Name}}, manyParts)
		b.pf.Config.Name = orders
		b.pf.Layers[0].Name = orders
		b.pf.Layers[0].Provide.Secrets[0].ID = orders
		b.root.Warnings = []node.Diagnostic{{Message: orders, Rule: orders}}
		res, _, err := answerSubrequest(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		var walk func(any)
		walk = func(value any) {
			switch value := value.(type) {
			case string:
				if text.Visible(value) != value {
					t.Errorf("%s: %q is printed", row.call, value)
				}
			case map[string]any:
				for key, v := range value {
					if key != "data" { // bytes in base64
						walk(v)
					}
				}
			case []any:
				for _, v := range value {
					walk(v)
				}
			}
		}
		walk(decoded[any](t, res))
	}
}
