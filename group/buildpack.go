package group

import (
	"cmp"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	bk "github.com/moby/buildkit/client/llb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/cnb/buildpack"
	"github.com/packfile/frontend/cnb/plan"
	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/step"
	"github.com/packfile/frontend/text"
)

// Labels with which an image says which distribution it is (Platform API 0.12, "Build Image").
const (
	labelDistroName    = "io.buildpacks.base.distro.name"
	labelDistroVersion = "io.buildpacks.base.distro.version"
)

// execEnv is what the image is built for (Buildpack API 0.12, "Execution Environment"). The default is the only value here.
const execEnv = "production"

// Distro is the distribution of an operating system in an image.
type Distro struct{ Name, Version string }

// LabelledDistro returns the distribution that labels of an image name; fields that they leave out are empty.
func LabelledDistro(img container.Base) (d Distro) {
	if cfg := img.Config; cfg != nil {
		d.Name, d.Version = cfg.Config.Labels[labelDistroName], cfg.Config.Labels[labelDistroVersion]
	}
	return d
}

// distro returns the distribution of the build image, empty when it names none.
func (d *Detector) distro() Distro { return cmp.Or(LabelledDistro(d.Build), d.Distro) }

// fits reports whether a buildpack can run on the target, by the rules of the lifecycle (its platform.TargetSatisfiedForBuild).
// What one side leaves out fits anything, but an image without a distribution fits no target that names one.
func (d *Detector) fits(bp *module.Buildpack) bool {
	like := func(x, y string) bool { return x == "" || y == "" || x == y }
	p, distro := platforms.Normalize(d.Platform), d.distro()
	return len(bp.Targets) == 0 || slices.ContainsFunc(bp.Targets, func(t buildpack.Target) bool {
		of := platforms.Normalize(ocispecs.Platform{OS: cmp.Or(t.OS, p.OS), Architecture: t.Arch, Variant: t.Variant})
		return of.OS == p.OS && like(of.Architecture, p.Architecture) && like(of.Variant, p.Variant) &&
			(len(t.Distros) == 0 || distro != (Distro{}) && slices.ContainsFunc(t.Distros, func(d buildpack.Distro) bool {
				return like(d.Name, distro.Name) && like(d.Version, distro.Version)
			}))
	})
}

// unfit returns why the buildpack cannot run on the target. It is for buildpacks that do not fit.
func (d *Detector) unfit(bp *module.Buildpack) string {
	why := "it is not for " + container.PlatformString(d.Platform)
	distro := d.distro()
	switch shown := strings.TrimSpace(shortIfAny(distro.Name) + " " + shortIfAny(distro.Version)); {
	case shown != "":
		why += " with " + shown
	case slices.ContainsFunc(bp.Targets, func(t buildpack.Target) bool { return len(t.Distros) > 0 }):
		why += " with a distribution that is not known: the build image has neither labels nor an os-release file that say it"
	}
	return why
}

func shortIfAny(s string) string {
	if s == "" {
		return ""
	}
	return text.Short(s)
}

// questionOf returns the question that a buildpack's bin/detect answers.
func questionOf(m *module.Module) fact.Question {
	return fact.Question{Layer: m.Name(), Kind: fact.Detected}
}

// buildpackMember is a buildpack as a member of a group.
type buildpackMember struct {
	Candidate
	d *Detector
}

func (b buildpackMember) questions() []fact.Question {
	if !b.d.fits(b.Module.Buildpack) {
		return nil
	}
	return []fact.Question{questionOf(b.Module)}
}

func (b buildpackMember) part(f fact.Facts) plan.Member {
	member := plan.Member{Name: b.Module.Name(), Optional: b.Optional}
	if !b.d.fits(b.Module.Buildpack) {
		member.Failed = b.d.unfit(b.Module.Buildpack)
		return member
	}
	d := f[questionOf(b.Module)].Detection()
	member.Plan, member.Failed = d.Plan, d.Failed
	return member
}

func (b buildpackMember) warnings(f fact.Facts) []string {
	return f[questionOf(b.Module)].Detection().Warnings
}

// PlanWarning is a warning about the build plan of a buildpack.
type PlanWarning struct {
	Module  *module.Module
	Message string
}

// PlanWarnings returns the warnings about the answers to some questions.
func (d *Detector) PlanWarnings(qs []fact.Question, f fact.Facts) (all []PlanWarning) {
	for _, m := range d.Modules {
		of := d.member(Candidate{Module: m})
		if !slices.ContainsFunc(of.questions(), func(q fact.Question) bool { return slices.Contains(qs, q) }) {
			continue
		}
		for _, w := range of.warnings(f) {
			all = append(all, PlanWarning{m, w})
		}
	}
	return all
}

// Wanted splits what a buildpack requires of a layer into the table without flags, and the flags. It drops names that cannot be
// in a packfile: these are between buildpacks.
func Wanted(table metadata.Table) (md metadata.Table, export, expose bool) {
	md = table.Without(func(name string) bool { return metadata.CheckWritten(name) != "" })
	flag := func(name string) bool {
		value := md.Text(name)
		if value == "true" || value == "false" {
			delete(md, name)
		}
		return value == "true"
	}
	return md, flag(launchFlag), flag(buildFlag)
}

// ask returns the state with the answer of bin/detect.
func (b buildpackMember) ask(fact.Question) (bk.State, error) {
	m, d := b.Module, b.d
	p := container.Process{
		Subject: m.ID(), Module: m, Files: container.Files{Module: m}, Name: string(fact.Detected), At: []module.Place{m.At(m.Packfile.Config.At("id"))},
		NoCache: d.NoCache(m.ID()),
	}
	p.Spec.Task = step.Detect{
		Program:  step.Program{Dir: m.BuildpackDir(), ClearEnv: m.Buildpack.ClearEnv, Env: d.programEnv()},
		Platform: d.PlatformEnv(m, packfile.Args{}),
	}
	platform := llb.EmptyDir(step.PlatformDir, d.Owner, bk.WithCustomName("[internal] new platform folder"))
	p.Mount(container.AppMount(d.WholeApp, llb.ReadOnly))
	p.Mount(llb.Mount{Dest: m.BuildpackDir(), Tree: m.Files, Source: m.Dir, Kind: llb.ReadOnly})
	p.Mount(llb.Mount{Dest: step.PlatformDir, Tree: platform, Source: step.PlatformDir, Kind: llb.Discarded})
	out, err := d.Exec(p)
	return out[step.OutDir], err
}

// programEnv returns what programs of buildpacks are told about the target, whatever their API.
func (d *Detector) programEnv() []step.Variable {
	p, distro := platforms.Normalize(d.Platform), d.distro()
	return []step.Variable{
		{Name: "CNB_TARGET_OS", Value: p.OS},
		{Name: "CNB_TARGET_ARCH", Value: p.Architecture},
		{Name: "CNB_TARGET_ARCH_VARIANT", Value: p.Variant},
		{Name: "CNB_TARGET_DISTRO_NAME", Value: distro.Name},
		{Name: "CNB_TARGET_DISTRO_VERSION", Value: distro.Version},
		{Name: "CNB_EXEC_ENV", Value: execEnv},
	}
}
