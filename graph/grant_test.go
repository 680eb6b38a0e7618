package graph

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/solver/pb"

	"github.com/packfile/frontend/cnb/plan"
	"github.com/packfile/frontend/group/grouptest"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/step"
)

// granting returns a build of the module needy and of an app. The grant is nil when the module is the packfile being built.
func granting(t *testing.T, g *module.Grant, app string) (testGraph, error) {
	t.Helper()
	texts := []string{grouptest.Needy}
	if g != nil {
		texts = append(texts, grouptest.WithID("site", app))
	}
	b := newModules(t, texts, func(in *testInput) { in.Modules[0].Grant = g })
	group, err := b.Try(grouptest.Candidates(b.Detector), grouptest.Required(b.Detector), &plan.Trials{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	graph, err := New(b.Builder, b.in, group, grouptest.Required(b.Detector))
	return testGraph{graph, t, b.Detector}, err
}

func TestAModuleNeedsAGrantForWhatItRequires(t *testing.T) {
	at := node.Range{Start: node.Position{Line: 7, Column: 3}, End: node.Position{Line: 7, Column: 9}}
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
				pe := err.(*node.Error)
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

// secretsOf returns the secrets of the run step of the layer needy/x.
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
	for _, m := range b.Modules {
		got = append(got, m.NotGiven(nil)...)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
