// Package grouptest makes builds for tests: modules from texts of packfiles, images and an app that look like real ones, and
// answers to questions. It is for tests of the rooms from group to image, and no program uses it.
package grouptest

import (
	"fmt"
	"testing"

	bk "github.com/moby/buildkit/client/llb"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/cnb/plan"
	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/group"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/source/live"
	"github.com/packfile/frontend/step"
)

// Input is what a build starts from.
type Input struct {
	container.Input
	Modules []*module.Module
	Distro  group.Distro
}

// New returns a build of modules with these packfiles. The last one is the packfile being built. No group is chosen yet.
func New(t testing.TB, texts []string, change ...func(*Input)) *group.Detector {
	t.Helper()
	local := bk.Local("context", bk.SharedKeyHint("context"))
	in := Input{Input: container.Input{
		Platform: ocispecs.Platform{OS: "linux", Architecture: "amd64"},
		Build:    container.Base{State: bk.Image("build@" + digest.FromString("build").String()), Digest: digest.FromString("build")},
		Tools:    bk.Image("frontend"),
		Native:   container.Native{Platform: ocispecs.Platform{OS: "linux", Architecture: "amd64"}, Tools: bk.Image("frontend")},
		App:      container.App{Tree: bk.Local("context", bk.SessionID("session"), bk.SharedKeyHint("context")), Stable: &local},
		Owner:    llb.Owner{UID: 1000, GID: 1000},
		Sources:  live.Make,
		Project:  "project",
	}}
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
	return &group.Detector{Builder: container.New(in.Input), Modules: in.Modules, Distro: in.Distro}
}

// WithBuildpack adds a buildpack to a build, before all packfiles.
func WithBuildpack(id string, bp module.Buildpack) func(*Input) {
	return func(in *Input) {
		m := &module.Module{
			Packfile: &packfile.Packfile{Config: packfile.Config{ID: id, Version: "1"}}, Buildpack: &bp,
			Filename: id + "/buildpack.toml", Files: bk.Image("buildpacks"), Dir: "/cnb/" + id,
		}
		in.Modules = append([]*module.Module{m}, in.Modules...)
	}
}

// RootFirst makes the packfile being built the first module of the group.
func RootFirst(in *Input) {
	in.Modules = append(in.Modules[len(in.Modules)-1:], in.Modules[:len(in.Modules)-1]...)
}

// Candidates returns all modules of a build.
func Candidates(d *group.Detector) (all []group.Candidate) {
	for _, m := range d.Modules {
		all = append(all, group.Candidate{Module: m})
	}
	return all
}

// Required answers every require script: the layer is wanted as it stands in the packfile.
func Required(d *group.Detector) fact.Facts {
	f := fact.Facts{}
	for _, q := range d.Questions(Candidates(d), f) {
		inquiries, err := d.Ask([]fact.Question{q})
		if err != nil {
			panic(err)
		}
		for _, m := range d.Modules {
			for i := range m.Packfile.Layers {
				if l := &m.Packfile.Layers[i]; m.Subject(l.Name) == q.Layer {
					f[q] = inquiries[0].Answer(q, step.Result{Metadata: group.OwnMetadata(m, l, nil)})
				}
			}
		}
	}
	return f
}

// Refused answers every require script: the layer is not wanted.
func Refused(d *group.Detector) fact.Facts {
	f := Required(d)
	for q, r := range f {
		r.NotWanted = true
		f[q] = r
	}
	return f
}

// Plans answers the bin/detect of every buildpack with a build plan.
func Plans(d *group.Detector, text string) fact.Facts {
	f := fact.Facts{}
	for _, m := range d.Modules {
		if m.Buildpack != nil {
			f[fact.Question{Layer: m.Name(), Kind: fact.Detected}] = fact.Answer{Result: step.Result{Detected: step.Detected{Plan: text}}}
		}
	}
	return f
}

// Choose returns the group of some modules of a build, in this order.
func Choose(t testing.TB, d *group.Detector, members []group.Candidate, f fact.Facts) *group.Group {
	t.Helper()
	chosen, err := d.Try(members, f, &plan.Trials{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	return chosen
}
