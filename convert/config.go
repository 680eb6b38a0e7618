package convert

import (
	"path"
	"slices"
	"strconv"
	"strings"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/cnb/launch"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/step"
)

// config is the config of the app image (CNB Platform API, "exporter", outputs): the run image's, with the launcher as
// entrypoint and labels that say what the layers are.
func (b *Build) config(layers []imageLayer, f Facts) (*dockerspec.DockerOCIImage, error) {
	img := b.bareConfig()
	if base := b.in.Run.Config; base != nil {
		img.Config = base.Config
		img.Config.Env = slices.Clone(base.Config.Env)
		img.Platform = base.Platform
	}
	img.Config.Labels = b.givenLabels()
	if err := b.labels(img.Config.Labels, layers, f); err != nil {
		return nil, err
	}
	img.Config.User = b.in.User
	img.Config.WorkingDir = step.AppDir
	img.Config.Cmd = nil
	img.Config.Entrypoint = []string{LauncherPath}
	if p := defaultProcess(b.in.Packfile.Processes); p != "" {
		img.Config.Entrypoint = []string{path.Join(processDir, p)}
	}
	env := &img.Config.Env
	setEnv(env, "CNB_LAYERS_DIR", step.LayersDir)
	setEnv(env, "CNB_APP_DIR", step.AppDir)
	setEnv(env, "CNB_PLATFORM_API", platformAPI)
	setEnv(env, "CNB_DEPRECATION_MODE", "quiet")
	setEnv(env, "PATH", processDir+":"+lifecycleDir+":"+getEnv(*env, "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"))
	img.History = b.history(layers)
	return img, nil
}

// defaultProcess is the type that the image starts, "" when there is none: the one marked default, else web, else the
// only one.
func defaultProcess(ps []packfile.Process) string {
	for _, p := range ps {
		if p.Default {
			return p.Type
		}
	}
	for _, p := range ps {
		if p.Type == "web" {
			return p.Type
		}
	}
	if len(ps) == 1 {
		return ps[0].Type
	}
	return ""
}

// bareConfig is an image config with nothing but what every image must have.
func (b *Build) bareConfig() *dockerspec.DockerOCIImage {
	created := b.in.Time
	return &dockerspec.DockerOCIImage{Image: ocispecs.Image{
		Created:  &created,
		Platform: b.in.Platform,
		RootFS:   ocispecs.RootFS{Type: "layers"},
	}}
}

// metadata is what the launcher reads (CNB Platform API, "metadata.toml").
func (b *Build) metadata() launch.Metadata {
	pf := b.in.Packfile
	id := ModuleID(pf)
	md := launch.Metadata{
		DefaultProcessType: defaultProcess(pf.Processes),
		Buildpacks:         []launch.Buildpack{{ID: id, Version: moduleVersion(pf), API: launchAPI(pf), Homepage: pf.Config.Homepage}},
	}
	for _, p := range pf.Processes {
		md.Processes = append(md.Processes, launch.Process{
			Type: p.Type, Command: p.Command, Args: p.Args, Direct: p.Direct, WorkingDir: p.WorkDir, Buildpack: id,
		})
	}
	for _, s := range pf.Slices {
		md.Slices = append(md.Slices, launch.Slice{Paths: s.Paths})
	}
	return md
}

func moduleVersion(pf *packfile.Packfile) string {
	if pf.Config.Version == "" {
		return "0.0.0"
	}
	return pf.Config.Version
}

// launchAPI is the Buildpack API by whose rules the launcher starts processes. A process that is not direct needs 0.8,
// the last that has shell processes; launchers since 0.18 know none below 0.7.
func launchAPI(pf *packfile.Packfile) string {
	shell := slices.ContainsFunc(pf.Processes, func(p packfile.Process) bool { return !p.Direct })
	minor, err := strconv.Atoi(strings.TrimPrefix(pf.API, "0."))
	switch {
	case err != nil: // no version 0.x, so newer than all that this rule is about
		return pf.API
	case minor < 7:
		return "0.7"
	case shell && minor > 8:
		return "0.8"
	}
	return pf.API
}

func setEnv(env *[]string, name, value string) {
	kv := name + "=" + value
	for i, e := range *env {
		if strings.HasPrefix(e, name+"=") {
			(*env)[i] = kv
			return
		}
	}
	*env = append(*env, kv)
}

func getEnv(env []string, name, fallback string) string {
	for _, e := range env {
		if v, ok := strings.CutPrefix(e, name+"="); ok {
			return v
		}
	}
	return fallback
}
