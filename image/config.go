package image

import (
	"errors"
	"path"
	"slices"
	"strings"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/step"
)

// config returns the config of the app image (CNB Platform API, "exporter", outputs): the run image's, with the launcher as
// entrypoint and labels that describe the layers.
func (d assembly) config(layers []imageLayer) (*dockerspec.DockerOCIImage, error) {
	img := d.bareConfig()
	if base := d.Run.Config; base != nil {
		img.Config = base.Config
		img.Config.Env = slices.Clone(base.Config.Env)
		img.Platform = base.Platform
		if v := d.Platform.Variant; v != "" {
			img.Variant = v // the run image may be for a lesser processor
		}
	}
	img.Config.OnBuild = nil // instructions for images of Dockerfiles, which would run when somebody builds on the app image
	//lint:ignore SA1019 it says how an entrypoint is written that is not the app image's
	img.Config.ArgsEscaped = false
	var err error
	if img.Config.Labels, err = d.givenLabels(); err != nil {
		return nil, err
	}
	own := d.said()
	own.addTo(&img.Config)
	if err := errors.Join(d.labels(img.Config.Labels, layers), own.record(img.Config.Labels)); err != nil {
		return nil, err
	}
	img.Config.User = d.User
	img.Config.WorkingDir = step.AppDir
	img.Config.Cmd = nil
	img.Config.Entrypoint = []string{LauncherPath}
	if p := d.metadata().DefaultProcessType; p != "" {
		img.Config.Entrypoint = []string{path.Join(processDir, p)}
	}
	env := &img.Config.Env
	setEnv(env, "CNB_LAYERS_DIR", step.LayersDir)
	setEnv(env, "CNB_APP_DIR", step.AppDir)
	setEnv(env, "CNB_PLATFORM_API", platformAPI)
	setEnv(env, "CNB_DEPRECATION_MODE", "quiet")
	setEnv(env, "PATH", processDir+":"+lifecycleDir+":"+getEnv(*env, "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"))
	img.History = d.history(layers)
	return img, nil
}

// bareConfig returns an image config with only what every image must have.
func (d assembly) bareConfig() *dockerspec.DockerOCIImage {
	created := d.Time
	return &dockerspec.DockerOCIImage{Image: ocispecs.Image{
		Created:  &created,
		Platform: d.Platform,
		RootFS:   ocispecs.RootFS{Type: "layers"},
	}}
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
