package group_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/cnb/buildpack"
	"github.com/packfile/frontend/cnb/plan"
	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/group"
	"github.com/packfile/frontend/group/grouptest"
	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/step"
)

func TestWhatBuildpacksAreFor(t *testing.T) {
	ubuntu := func(version string) []buildpack.Distro { return []buildpack.Distro{{Name: "ubuntu", Version: version}} }
	image := map[string]string{"io.buildpacks.base.distro.name": "ubuntu", "io.buildpacks.base.distro.version": "24.04"}
	for _, test := range []struct {
		name    string
		targets []buildpack.Target
		for32   bool // the build is for linux/arm/v7, and not linux/arm64
		labels  map[string]string
		file    group.Distro
		failed  string
	}{
		{name: "anything"},
		{name: "a target that says nothing", targets: []buildpack.Target{{}}},
		{name: "the system", targets: []buildpack.Target{{OS: "linux"}}},
		{name: "another system", targets: []buildpack.Target{{OS: "windows"}}, failed: "it is not for linux/arm64"},
		{name: "the architecture", targets: []buildpack.Target{{Arch: "arm64"}}},
		{name: "the architecture by another name", targets: []buildpack.Target{{Arch: "aarch64"}}},
		{name: "another architecture", targets: []buildpack.Target{{OS: "linux", Arch: "amd64"}}, failed: "it is not for linux/arm64"},
		{name: "its variant", targets: []buildpack.Target{{Arch: "arm64", Variant: "v8"}}},
		{name: "one of several variants", for32: true, targets: []buildpack.Target{{Arch: "arm", Variant: "v6"}, {Arch: "arm", Variant: "v7"}}},
		{name: "another variant", for32: true, targets: []buildpack.Target{{Arch: "arm", Variant: "v6"}}, failed: "it is not for linux/arm/v7"},
		{name: "a distribution where the image says none", targets: []buildpack.Target{{Distros: ubuntu("18.04")}},
			failed: "it is not for linux/arm64 with a distribution that is not known: the build image has neither labels nor an os-release file that say it"},
		{name: "a distribution of any name where the image says none", targets: []buildpack.Target{{Distros: []buildpack.Distro{{}}}},
			failed: "it is not for linux/arm64 with a distribution that is not known: the build image has neither labels nor an os-release file that say it"},
		{name: "that or any where the image says none", targets: []buildpack.Target{{Distros: ubuntu("18.04")}, {OS: "linux"}}},
		{name: "the distribution that a file of the image says", file: group.Distro{Name: "ubuntu", Version: "24.04"},
			targets: []buildpack.Target{{Distros: ubuntu("24.04")}}},
		{name: "another than a file of the image says", file: group.Distro{Name: "debian", Version: "12"},
			targets: []buildpack.Target{{Distros: ubuntu("22.04")}}, failed: "it is not for linux/arm64 with debian 12"},
		{name: "a version where the image says only a name", file: group.Distro{Name: "ubuntu"},
			targets: []buildpack.Target{{Distros: ubuntu("22.04")}}},
		{name: "what labels say, whatever the file says", file: group.Distro{Name: "debian", Version: "12"}, labels: image,
			targets: []buildpack.Target{{Distros: ubuntu("24.04")}}},
		{name: "the distribution", labels: image, targets: []buildpack.Target{{Distros: ubuntu("24.04")}}},
		{name: "the distribution in any version", labels: image, targets: []buildpack.Target{{Distros: ubuntu("")}}},
		{name: "one of several distributions", labels: image, targets: []buildpack.Target{{Distros: append(ubuntu("22.04"), ubuntu("24.04")...)}}},
		{name: "no distribution in particular", labels: image, targets: []buildpack.Target{{OS: "linux"}}},
		{name: "another version of the distribution", labels: image, targets: []buildpack.Target{{Distros: ubuntu("18.04")}},
			failed: "it is not for linux/arm64 with ubuntu 24.04"},
		{name: "another distribution", labels: map[string]string{"io.buildpacks.base.distro.name": "a\x1b[m"}, targets: []buildpack.Target{{Distros: ubuntu("")}},
			failed: `it is not for linux/arm64 with "a\x1b[m"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := grouptest.New(t, []string{grouptest.Provider}, grouptest.WithBuildpack("acme/app", module.Buildpack{Targets: test.targets}), func(in *grouptest.Input) {
				in.Platform = ocispecs.Platform{OS: "linux", Architecture: "arm64"}
				if test.for32 {
					in.Platform = ocispecs.Platform{OS: "linux", Architecture: "arm"}
				}
				in.Build.Config = &dockerspec.DockerOCIImage{}
				in.Build.Config.Config.Labels, in.Distro = test.labels, test.file
			})
			app := grouptest.Candidates(b)[:1]
			if got := b.Part(app[0], fact.Facts{}).Failed; got != test.failed {
				t.Errorf("got %q, want %q", got, test.failed)
			}
			if asked := len(b.Questions(app, nil)) > 0; asked != (test.failed == "") {
				t.Errorf("asked: %t", asked)
			}
		})
	}
}

func TestAnswersOfBinDetect(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer step.Result
		failed string
	}{
		{"yes", step.Result{Detected: step.Detected{Plan: "[[provides]]\nname = 'x'"}}, ""},
		{"yes, without a plan", step.Result{}, ""},
		{"no", step.Result{Detected: step.Detected{ExitCode: 100}}, "its bin/detect said no"},
		{"an error", step.Result{Detected: step.Detected{ExitCode: 1}}, "its bin/detect failed with exit code 1"},
		{"no answer", step.Result{Detected: step.Detected{Failed: "bin/detect was killed"}}, "its bin/detect was killed"},
		{"a plan that is none", step.Result{Detected: step.Detected{Plan: "\n[[provides]"}}, "its build plan: invalid TOML at line 2, column 11: "},
		{"a plan of other things", step.Result{Detected: step.Detected{Plan: "provides = 1"}}, "its build plan: provides is no array of tables"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, optional := range []bool{false, true} {
				b := grouptest.New(t, []string{"[[processes]]\ntype = 'a'\ncommand = ['a']"}, grouptest.WithBuildpack("acme/app", module.Buildpack{}))
				members := grouptest.Candidates(b)
				members[0].Optional = optional
				f := fact.Facts{{Layer: members[0].Module.Name(), Kind: fact.Detected}: {Result: test.answer}}
				if got := b.Part(members[0], f).Failed; !strings.HasPrefix(got, test.failed) || (got == "") != (test.failed == "") {
					t.Errorf("got %q, want %q", got, test.failed)
				}
				if test.failed == "" {
					continue
				}
				g, err := b.Try(members, f, &plan.Trials{Limit: 10})
				if optional != (err == nil) || optional && len(g.Modules) != 1 {
					t.Errorf("optional %t: %+v, %v", optional, g, err)
				}
			}
		})
	}
}

func TestMetadataOfABuildPlanIsText(t *testing.T) {
	b := grouptest.New(t, []string{grouptest.Provider}, grouptest.WithBuildpack("acme/app", module.Buildpack{}))
	f := grouptest.Plans(b, `
requires = [{name = "a", metadata = {s = "1\n\u001b", b = true, i = 0x10, f = 1.10, g = 2.0, h = inf, t = {u = 1, v = {w = "x"}}}}, {name = "b"}]
[[or]]
[[or.requires]]
name = "c"
[or.requires.metadata]
d = 1979-05-27
e = 07:32:00
f = 1979-05-27T07:32:00
g = 1979-05-27T07:32:00+01:00
h = ["a", "b\n", 1, [true], {x = 1, y = ["z"]}]
i = []
[[or.requires.metadata.j]]
k = 1
`)
	got := b.Part(grouptest.Candidates(b)[0], f).Plan
	want := plan.Plan{
		Requires: []plan.Require{
			{Name: "a", Metadata: metadata.Table{"s": "1\n\x1b", "b": "true", "i": "16", "f": "1.1", "g": "2.0", "h": "inf",
				"t": metadata.Table{"u": "1", "v": metadata.Table{"w": "x"}}}},
			{Name: "b", Metadata: metadata.Table{}},
		},
		Or: []plan.Plan{{Requires: []plan.Require{{Name: "c", Metadata: metadata.Table{
			"d": "1979-05-27", "e": "07:32:00", "f": "1979-05-27T07:32:00", "g": "1979-05-27T07:32:00+01:00",
			"h": `['a', "b\n", 1, [true], {x = 1, y = ['z']}]`, "i": "[]", "j": "[{k = 1}]",
		}}}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWarningsAboutBuildPlans(t *testing.T) {
	b := grouptest.New(t, []string{grouptest.Provider}, grouptest.WithBuildpack("acme/app", module.Buildpack{}), grouptest.WithBuildpack("acme/other", module.Buildpack{}))
	f := grouptest.Plans(b, "[[requests]]\nname = 'node'")
	qs := b.Questions(grouptest.Candidates(b), fact.Facts{})
	if len(qs) != 2 {
		t.Fatalf("questions %v", qs)
	}
	got := b.PlanWarnings(qs[:1], f)
	if len(got) != 1 || got[0].Module.Name() != "acme/other@1" || !strings.Contains(got[0].Message, "[[requests]]") {
		t.Errorf("got %+v", got)
	}
}

// detectOps returns the spec and the operation of the step that runs bin/detect.
func detectOps(t *testing.T, b *group.Detector) (spec step.Spec, exec *pb.ExecOp, md bk.OpMetadata) {
	t.Helper()
	in, err := b.Ask(b.Questions(grouptest.Candidates(b), fact.Facts{}))
	if err != nil || len(in) != 1 || in[0].Files[fact.Question{Layer: "acme/app@1", Kind: fact.Detected}] != container.ResultPath {
		t.Fatalf("%v, %d inquiries", err, len(in))
	}
	def, err := in[0].State.Marshal(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, dt := range def.Def {
		var op pb.Op
		if err := op.Unmarshal(dt); err != nil {
			t.Fatal(err)
		}
		if e := op.GetExec(); e != nil {
			exec, md = e, bk.NewOpMetadata(def.Metadata[digest.FromBytes(dt)].ToPB())
		}
		for _, action := range op.GetFile().GetActions() {
			if mk := action.GetMkfile(); mk != nil && mk.Path == "/"+step.SpecFile {
				if err := json.Unmarshal(mk.Data, &spec); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	return spec, exec, md
}

func TestTheStepThatRunsBinDetect(t *testing.T) {
	args := []step.Variable{{Name: "BP_A", Value: "1"}}
	b := grouptest.New(t, []string{"[config]\nnetwork = 'none'\n" + grouptest.Provider[len("[config]\n"):]},
		grouptest.WithBuildpack("acme/app", module.Buildpack{ClearEnv: true}), func(in *grouptest.Input) {
			in.Args = args
			in.Platform.Architecture, in.Platform.Variant = "arm", "v7"
			in.Build.Config = &dockerspec.DockerOCIImage{}
			in.Build.Config.Config.Labels = map[string]string{"io.buildpacks.base.distro.name": "ubuntu", "io.buildpacks.base.distro.version": "24.04"}
			in.NoCache = func(name string) bool { return name == "acme/app" }
		})
	spec, exec, md := detectOps(t, b)
	if name := md.Description["llb.customname"]; !md.IgnoreCache || name != "[acme/app] detect" {
		t.Errorf("%q is cached", name)
	}
	want := step.Spec{
		Contract: step.Contract, Task: step.Detect{Platform: args, Program: step.Program{Dir: "/cnb/buildpacks/acme_app/1", ClearEnv: true, Env: []step.Variable{
			{Name: "CNB_TARGET_OS", Value: "linux"}, {Name: "CNB_TARGET_ARCH", Value: "arm"}, {Name: "CNB_TARGET_ARCH_VARIANT", Value: "v7"},
			{Name: "CNB_TARGET_DISTRO_NAME", Value: "ubuntu"}, {Name: "CNB_TARGET_DISTRO_VERSION", Value: "24.04"},
			{Name: "CNB_EXEC_ENV", Value: "production"},
		}}},
	}
	if diff := cmp.Diff(want, spec); diff != "" {
		t.Error(diff)
	}
	if exec.Meta.User != "1000:1000" || exec.Meta.Cwd != step.AppDir || exec.Network != pb.NetMode_NONE {
		t.Errorf("user %s, folder %s, network %s", exec.Meta.User, exec.Meta.Cwd, exec.Network)
	}
	mounts := map[string]string{}
	for _, m := range exec.Mounts {
		kind := "discarded"
		switch {
		case m.Readonly:
			kind = "read-only"
		case m.Output >= 0:
			kind = "output"
		}
		if m.MountType == pb.MountType_BIND {
			mounts[m.Dest] = kind + " " + m.Selector
		}
	}
	wantMounts := map[string]string{
		"/": "output ", "/tmp": "discarded /tmp", step.BinDir: "read-only /step", step.SpecDir: "read-only ", step.OutDir: "output /out",
		step.AppDir: "read-only " + step.AppDir, "/cnb/buildpacks/acme_app/1": "read-only /cnb/acme/app", step.PlatformDir: "discarded /platform",
	}
	if diff := cmp.Diff(wantMounts, mounts); diff != "" {
		t.Error(diff)
	}
}
