package convert

import (
	"context"
	"path"
	"strings"
	"time"

	bk "github.com/moby/buildkit/client/llb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/step"
)

// Where things stand in the frontend's own image.
const (
	toolsStepDir  = "/step"     // packfile-step and get-dep
	toolsLauncher = "/launcher" // the launcher, for /cnb/lifecycle
)

// Where the launcher stands in an app image (CNB Platform API, "launcher").
const (
	lifecycleDir = "/cnb/lifecycle"
	processDir   = "/cnb/process"
	launcherPath = lifecycleDir + "/launcher"
)

// platformAPI is the CNB Platform API that the image speaks: the oldest that every lifecycle since 0.17 can rebase.
const platformAPI = "0.12"

// Image is the content of an image. Its config is what Config says.
type Image struct {
	State bk.State
	Base  *dockerspec.DockerOCIImage // config of the run image, nil when it has none
	Left  *Inquiry                   // what has to be found out before Config can be asked; nil for nothing

	layers []imageLayer
}

// imageLayer is one OCI layer with the origin that its history names.
type imageLayer struct {
	state  bk.State
	origin string
}

// Image puts the app image together. All layers must be decided.
func (b *Build) Image(ctx context.Context, f Facts) (*Image, error) {
	var layers []imageLayer
	for _, l := range b.layers {
		if f.status(l) == dropped || !l.Export {
			continue
		}
		o, err := b.output(ctx, l, f)
		if err != nil {
			return nil, err
		}
		layers = append(layers, imageLayer{b.timed(o, l), "layer " + l.Name})
	}
	app, err := b.appLayers(ctx, f)
	if err != nil {
		return nil, err
	}
	layers = append(layers, app...)
	left, err := b.descriptions(ctx, f)
	if err != nil {
		return nil, err
	}
	more, err := b.launchLayers(left)
	if err != nil {
		return nil, err
	}
	layers = append(layers, more...)

	states := make([]bk.State, len(layers))
	for i, l := range layers {
		states[i] = l.state
	}
	return &Image{
		State:  b.in.Layering.Merge(b.in.Run.State, states, b.in.Time, options(b.name("", "image"), b.layers...)...),
		Base:   b.in.Run.Config,
		Left:   left,
		layers: layers,
	}, nil
}

// Config is the config of a finished image. With no target all layers must be described.
func (b *Build) Config(img *Image, f Facts) (*dockerspec.DockerOCIImage, error) {
	if b.in.Target != "" {
		return b.bareConfig(), nil
	}
	label, err := b.label(f)
	if err != nil {
		return nil, err
	}
	return b.config(img.layers, label), nil
}

// Layer is the content of one layer alone, at the root: what --target exports.
func (b *Build) Layer(ctx context.Context, f Facts) (*Image, error) {
	l := b.byName[b.in.Target]
	if f.status(l) == dropped {
		return nil, b.fail(l.Range(), "layer %q is not created this time: its require or test step exited with %d", l.Name, step.NotWanted)
	}
	o, err := b.output(ctx, l, f)
	if err != nil {
		return nil, err
	}
	content := llb.CopyTree(o.raw, llb.Tree{From: b.layerDir(l.Name), To: "/", Time: b.in.Time}, options(b.name(l.Name, "content"), l)...)
	return &Image{State: content}, nil
}

// appLayers are the slices and the rest of the app. A file is in the first slice that matches it; a folder that matches
// takes all of its files with it.
func (b *Build) appLayers(ctx context.Context, f Facts) ([]imageLayer, error) {
	app, err := b.lockedApp(ctx, nil, f)
	if err != nil {
		return nil, err
	}
	var layers []imageLayer
	var taken []string
	for _, s := range b.in.Packfile.Slices {
		layers = append(layers, imageLayer{b.appPart(app, s.Paths, taken, "app slice"), "app slice"})
		taken = append(taken, s.Paths...)
	}
	rest := app
	switch {
	case len(taken) > 0:
		rest = b.appPart(app, nil, taken, "app")
	case len(b.apps) > 0 || !b.in.Time.Equal(DefaultTime):
		rest = llb.Normalize(app, b.in.Time, options(b.name("", "app"), b.lockApp()...)...)
	}
	return append(layers, imageLayer{rest, "app"}), nil
}

// appPart is the files of the app that globs include and do not exclude. The app's folder is there in any case: no layer
// is empty.
func (b *Build) appPart(app bk.State, include, exclude []string, name string) bk.State {
	inApp := func(globs []string) (paths []string) {
		for _, g := range globs {
			paths = append(paths, path.Join(strings.TrimPrefix(step.AppDir, "/"), g))
		}
		return paths
	}
	folder := llb.EmptyDir(step.AppDir, b.in.Owner, bk.WithCustomName("[internal] app folder"))
	return llb.CopyTree(app, llb.Tree{
		Base: &folder, To: "/", Include: inApp(include), Exclude: inApp(exclude), Time: b.in.Time,
	}, options(b.name("", name), b.lockApp()...)...)
}

// launchLayers are the launcher, the launch metadata and the links by which processes are started.
func (b *Build) launchLayers(left *Inquiry) ([]imageLayer, error) {
	root := llb.Owner{}
	launcher := bk.Scratch().File(bk.Copy(b.in.Tools, toolsLauncher, launcherPath, &bk.CopyInfo{
		CreateDestPath: true, CreatedTime: &b.in.Time, Mode: &bk.ChmodOpt{Mode: 0o755},
	}, bk.WithUIDGID(root.UID, root.GID)), bk.WithCustomName(b.name("", "launcher")))

	data, err := b.metadata().TOML()
	if err != nil {
		return nil, err
	}
	config := path.Join(step.LayersDir, "config")
	metadata := bk.Scratch().File(bk.Mkdir(config, 0o755, bk.WithParents(true)).
		Mkfile(path.Join(config, "metadata.toml"), 0o644, data), bk.WithCustomName(b.name("", "launch metadata")))
	layers := []imageLayer{
		{launcher, launcherOrigin},
		{b.onTop(left, metadata), "launch metadata"},
	}
	if len(b.in.Packfile.Processes) > 0 {
		links := bk.Mkdir(processDir, 0o755, bk.WithParents(true))
		for _, p := range b.in.Packfile.Processes {
			links = links.Symlink(launcherPath, path.Join(processDir, p.Type))
		}
		tree := bk.Scratch().File(links, bk.WithCustomName(b.name("", "process types")))
		layers = append(layers, imageLayer{llb.Normalize(tree, b.in.Time, bk.WithCustomName(b.name("", "process types layer"))), "process types"})
	}
	return layers, nil
}

// onTop is a normalised tree with the descriptions of layers below it: a cache export takes along what is below the image,
// and nothing else, not even other outputs of the same steps. Nothing matches the pattern, so that none of it gets into the
// tree. The pattern makes this an operation of few builds: one that all builds share would take each of them along into the
// cache exports of all others, and BuildKit imports none of more than 1 MiB.
func (b *Build) onTop(left *Inquiry, tree bk.State) bk.State {
	name := bk.WithCustomName(b.name("", "launch metadata layer"))
	if left == nil {
		return llb.Normalize(tree, b.in.Time, name)
	}
	none := &bk.CopyInfo{AllowWildcard: true, AllowEmptyWildcard: true}
	return bk.Scratch().File(bk.Copy(left.State, "/none-"+left.id+"*", "/", none).
		Copy(tree, "/", "/", &bk.CopyInfo{CopyDirContentsOnly: true, CreatedTime: &b.in.Time}), name)
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

// What the history of an image says of our layers, and of the one that every image has.
const (
	historyComment = "packfile"
	launcherOrigin = "launcher"
)

// history has one entry for each layer of the run image and one for each of ours. BuildKit would name operations and
// the time when they ran, and the image would not be a function of its inputs.
func (b *Build) history(layers []imageLayer) []ocispecs.History {
	var history []ocispecs.History
	if base := b.in.Run.Config; base != nil {
		full := 0
		for _, h := range base.History {
			if !h.EmptyLayer {
				full++
			}
		}
		if full == len(base.RootFS.DiffIDs) {
			history = append(history, base.History...)
		} else {
			for range base.RootFS.DiffIDs {
				history = append(history, ocispecs.History{Created: utc(b.in.Time), CreatedBy: "run image"})
			}
		}
	}
	for _, l := range layers {
		history = append(history, ocispecs.History{Created: utc(b.in.Time), CreatedBy: l.origin, Comment: historyComment})
	}
	return history
}

func utc(t time.Time) *time.Time {
	t = t.UTC()
	return &t
}
