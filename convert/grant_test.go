package convert

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/solver/pb"

	"github.com/packfile/frontend/cnb/plan"
	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/group/grouptest"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/step"
)

// needy is a module whose layer names secrets and an agent.
const needy = `[config]
id = "needy"
version = "1"
[[layers]]
name = "x"
export = true
[layers.build]
secrets = [{ id = "token", env-as = "TOKEN" }, { id = "extra", path-as = "EXTRA", required = false }, { id = "ca-certificates", path-as = "CA" }]
ssh = ["default"]
[layers.build.run]
inline = "x"
`

// granting is a build of the module needy and of an app. The grant is nil for the module as the packfile that is built.
func granting(t *testing.T, g *module.Grant, app string) (testGraph, error) {
	t.Helper()
	texts := []string{needy}
	if g != nil {
		texts = append(texts, grouptest.WithID("site", app))
	}
	b := newModules(t, texts, func(in *Input) { in.Modules[0].Grant = g })
	group, err := b.Try(candidates(b), required(b), &plan.Trials{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	graph, err := b.Graph(group, required(b))
	return testGraph{graph}, err
}

func TestAModuleNeedsAGrantForWhatItRequires(t *testing.T) {
	at := packfile.Range{Start: packfile.Position{Line: 7, Column: 3}, End: packfile.Position{Line: 7, Column: 9}}
	for name, test := range map[string]struct {
		grant *module.Grant
		want  []string
	}{
		"the packfile that is built has everything": {nil, nil},
		"all that it requires":                      {&module.Grant{Secrets: []string{"token"}, SSH: []string{"default"}}, nil},
		"no agent": {&module.Grant{Secrets: []string{"token"}, At: at}, []string{
			`module needy@1 needs ssh agent "default", which it is not given (add ssh = ["default"] to its entry)`}},
		"nothing": {&module.Grant{Secrets: []string{"extra"}, At: at, Through: []string{"modules/a/packfile.toml"}}, []string{
			`module needy@1 needs secret "token", which it is not given (add secrets = ["token"] to its entry, and to the one in modules/a/packfile.toml)`,
			`module needy@1 needs ssh agent "default", which it is not given (add ssh = ["default"] to its entry, and to the one in modules/a/packfile.toml)`}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := granting(t, test.grant, grouptest.AProcess)
			var got []string
			if err != nil {
				pe := err.(*packfile.Error)
				for _, d := range pe.Diagnostics {
					got = append(got, d.Text())
					if d.Range != at || pe.Filename != "packfile1.toml" {
						t.Errorf("%s at %v of %s", d.Text(), d.Range, pe.Filename)
					}
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// secretsOf are the secrets of the run step of the layer needy/x.
func secretsOf(t *testing.T, b testGraph) (ids []string, key string) {
	t.Helper()
	p := b.recipe(t, layerOf(t, b, "needy/x"), answers(b))
	out, err := b.Exec(p.run)
	if err != nil {
		t.Fatal(err)
	}
	def, err := out[step.OutDir].Marshal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, data := range def.Def {
		var op pb.Op
		if err := op.Unmarshal(data); err != nil {
			t.Fatal(err)
		}
		for _, m := range op.GetExec().GetMounts() {
			if m.MountType == pb.MountType_SECRET {
				ids = append(ids, m.SecretOpt.ID)
			}
		}
	}
	slices.Sort(ids)
	return ids, p.record.Key
}

func TestASecretThatIsNotGivenIsInNoStepAndInNoKey(t *testing.T) {
	b, err := granting(t, &module.Grant{Secrets: []string{"token", "extra"}, SSH: []string{"default"}}, grouptest.AProcess)
	if err != nil {
		t.Fatal(err)
	}
	all, key := secretsOf(t, b)
	if b, err = granting(t, &module.Grant{Secrets: []string{"token"}, SSH: []string{"default"}}, grouptest.AProcess); err != nil {
		t.Fatal(err)
	}
	some, same := secretsOf(t, b)
	if strings.Join(all, " ") != "ca-certificates ca-certificates extra token" || strings.Join(some, " ") != "ca-certificates ca-certificates token" || key != same {
		t.Errorf("given %v, and %v; keys equal: %v", all, some, key == same)
	}
	want := []string{`module needy@1 is not given secret "extra"`}
	var got []string
	for _, m := range b.modules {
		got = append(got, m.NotGiven()...)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTheNetworkOfTheAppIsACeilingForModules(t *testing.T) {
	network := func(app, module, script string) string {
		text := strings.Replace(needy, "[[layers]]", module+"\n[[layers]]", 1)
		b := newGroup(t, []string{text, grouptest.WithID("site", app+grouptest.AProcess)})
		p := container.Process{Module: layerOf(t, b, "needy/x").module, Network: script}
		p.Spec.Task = step.Require{}
		return b.Network(p).String()
	}
	const none, open = "network = \"none\"\n", "network = \"default\"\n"
	for name, test := range map[string]struct{ app, module, script, want string }{
		"the app says nothing":               {"", "", "", "UNSET"},
		"a module may have none":             {"", none, "", "NONE"},
		"a script of it may have one":        {"", none, "default", "UNSET"},
		"the app has none":                   {none, "", "", "NONE"},
		"a module of an app that has none":   {none, open, "", "NONE"},
		"a script of an app that has none":   {none, "", "default", "NONE"},
		"an app that has one is no ceiling":  {open, none, "", "NONE"},
		"nor one for a script that has none": {open, open, "none", "NONE"},
	} {
		if got := network(test.app, test.module, test.script); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}
