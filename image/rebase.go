package image

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	bk "github.com/moby/buildkit/client/llb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/cnb/label"
	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/measure"
	"github.com/packfile/frontend/previous"
)

// Rebased is an app image on another run image: its layers, all by reference, and its config.
type Rebased struct {
	State       bk.State
	Config      *dockerspec.DockerOCIImage
	InlineCache []byte // of the image, so that later builds can use it as the previous one
	// Packages are those that the app image has on its run image. They have to be installed on the new one, see InstallPackages: until
	// then, the rest has none. It is nil when there is nothing to install.
	Packages *layerkey.RunPackages

	app   previous.Source
	run   container.Base
	md    label.LifecycleMetadata
	own   []digest.Digest                 // layers of the app image on top of its run image
	other map[digest.Digest]digest.Digest // layers in place of some of own
	made  map[digest.Digest]bk.State      // those of other
}

// Rebase puts an app image on another run image (platform specification, "rebaser"). It believes the image's labels only as far
// as the image agrees, and fails when they cannot be true. The config is the app image's, apart from what is about the run image.
// The inline cache keeps what it says of deps.
func Rebase(app previous.Source, run container.Base) (*Rebased, error) {
	md, err := lifecycleMetadataOf(app.Config)
	if err != nil {
		return nil, err
	}
	packages := packagesOf(app.Config)
	ours, err := layersOf(md, packages, app.Config.RootFS.DiffIDs)
	if err != nil {
		return nil, err
	}
	if err := rebasable(app.Config, packages, run); err != nil {
		return nil, err
	}
	places, _, err := app.Referenced(nil)
	if err != nil {
		return nil, fmt.Errorf("its layers cannot be taken by reference: %w", err)
	}
	re := &Rebased{
		app: app, run: run, md: md, own: ours, other: map[digest.Digest]digest.Digest{}, made: map[digest.Digest]bk.State{}, Packages: packages,
	}
	for _, id := range ours {
		if _, ok := places[id]; !ok {
			return nil, errors.New("its layers cannot be taken by reference: another tool has rewritten its config since it was built " +
				"(pack rebase still works on it), or it is not in a registry")
		}
	}
	if re.Config, err = rebasedConfig(app.Config, run, md, len(ours)); err != nil || packages != nil {
		return re, err
	}
	return re, re.assemble()
}

// assemble puts the image together, with other layers in place of some of the app image's.
func (re *Rebased) assemble() (err error) {
	states := []bk.State{re.run.State}
	moved := map[digest.Digest]int{}
	cache := re.app.InlineCache
	for i, id := range re.own {
		layer, isOther := re.made[id]
		if isOther {
			if cache, err = llb.Renamed(cache, id, re.other[id]); err != nil {
				return err
			}
			id = re.other[id]
		} else {
			layer = llb.Reference(id, bk.WithCustomName("[rebase] layer "+id.Encoded()[:12]))
		}
		states = append(states, layer)
		if _, ok := moved[id]; !ok { // when layers are equal, a cache has the first
			moved[id] = len(re.run.Config.RootFS.DiffIDs) + i
		}
	}
	re.State = bk.Merge(states, bk.WithCustomName("[rebase] image"))
	re.InlineCache, err = llb.Moved(cache, moved)
	return err
}

// lifecycleMetadataOf returns what the lifecycle's label of an image says.
func lifecycleMetadataOf(img *dockerspec.DockerOCIImage) (md label.LifecycleMetadata, err error) {
	text := img.Config.Labels[label.Lifecycle]
	if text == "" {
		return md, fmt.Errorf("it has no label %s: it is no app image", label.Lifecycle)
	}
	if err := measure.DecodeJSON([]byte(text), measure.Record, &md); err != nil {
		return md, fmt.Errorf("its label %s cannot be read: %w", label.Lifecycle, err)
	}
	return md, nil
}

// layersOf returns the app image's own layers: those on top of the run image. The first is that of its packages, when it has any.
func layersOf(l label.LifecycleMetadata, packages *layerkey.RunPackages, diffIDs []digest.Digest) ([]digest.Digest, error) {
	all := append(slices.Clone(l.App), l.Config, l.Launcher)
	if packages != nil {
		all = append(all, label.Layer{SHA: packages.DiffID})
	}
	if l.SBOM != nil {
		all = append(all, *l.SBOM)
	}
	if l.ProcessTypes.SHA != "" {
		all = append(all, l.ProcessTypes)
	}
	for _, bp := range l.Buildpacks {
		for _, layer := range bp.Layers {
			all = append(all, label.Layer{SHA: layer.SHA})
		}
	}
	named := map[digest.Digest]bool{}
	for _, layer := range all {
		named[digest.Digest(layer.SHA)] = true
	}
	base := len(diffIDs) - len(all)
	changed := base < 1 || diffIDs[base-1].String() != l.RunImage.TopLayer
	if !changed && packages != nil {
		changed = diffIDs[base].String() != packages.DiffID
	}
	if !changed {
		for _, id := range diffIDs[base:] {
			changed = changed || !named[id] || id.Validate() != nil
		}
	}
	if changed {
		return nil, fmt.Errorf("its layers are not those that its label %s names: it was changed after it was built", label.Lifecycle)
	}
	return diffIDs[base:], nil
}

// Labels that an app image takes over from its run image.
const (
	baseLabels  = "io.buildpacks.base."
	stackLabels = "io.buildpacks.stack."
)

// rebasable fails when an app image cannot be put on a run image (platform specification, "rebaser"). An image with packages says
// so for other tools.
func rebasable(app *dockerspec.DockerOCIImage, packages *layerkey.RunPackages, run container.Base) error {
	switch {
	case app.Config.Labels[label.Rebasable] == "false" && (packages == nil || packages.Fixed):
		return fmt.Errorf("its label %s says that it cannot be rebased", label.Rebasable)
	case topLayer(run) == "":
		return errors.New("the new run image has no layers")
	}
	for _, c := range []struct{ what, app, run string }{
		{"operating system", app.OS, run.Config.OS},
		{"architecture", app.Architecture, run.Config.Architecture},
		{"distribution", app.Config.Labels[baseLabels+"distro.name"], run.Config.Config.Labels[baseLabels+"distro.name"]},
		{"version of the distribution", app.Config.Labels[baseLabels+"distro.version"], run.Config.Config.Labels[baseLabels+"distro.version"]},
	} {
		if c.app != c.run {
			return fmt.Errorf("it was made for %s %q, and the new run image has %q: build it again", c.what, c.app, c.run)
		}
	}
	// A run image for a lesser processor is fine: amd64 for an app of amd64/v2.
	if of, on := platforms.Normalize(app.Platform), platforms.Normalize(run.Config.Platform); !platforms.Only(of).Match(on) {
		return fmt.Errorf("it was made for %s, and the new run image is for %s: build it again", platforms.Format(of), platforms.Format(on))
	}
	return nil
}

// rebasedConfig returns the config of an app image with a new run image. layers is how many of the image's layers are its own.
func rebasedConfig(app *dockerspec.DockerOCIImage, run container.Base, md label.LifecycleMetadata, layers int) (*dockerspec.DockerOCIImage, error) {
	img := *app
	img.RootFS = ocispecs.RootFS{Type: app.RootFS.Type}
	said, err := saidIn(app.Config.Labels)
	if err != nil {
		return nil, err
	}
	fromRunImage(&img.Config, &run.Config.Config)
	said.addTo(&img.Config)
	img.Config.OnBuild = nil // an image of an earlier frontend has those of its run image
	img.Config.Labels = maps.Clone(app.Config.Labels)
	ofRunImage := func(name, _ string) bool {
		return strings.HasPrefix(name, baseLabels) || strings.HasPrefix(name, stackLabels)
	}
	maps.DeleteFunc(img.Config.Labels, ofRunImage)
	for name, value := range run.Config.Config.Labels {
		if ofRunImage(name, value) {
			img.Config.Labels[name] = value
		}
	}
	md.RunImage = runImage(run)
	md.Stack.RunImage.Image = run.Name
	if err := label.Set(img.Config.Labels, label.Lifecycle, md); err != nil {
		return nil, err
	}
	own := slices.DeleteFunc(slices.Clone(app.History), func(h ocispecs.History) bool { return h.EmptyLayer })
	if len(own) < layers {
		return nil, errors.New("it has fewer history entries than layers")
	}
	img.History = append(baseHistory(run.Config, app.Created), own[len(own)-layers:]...)
	return &img, nil
}
