package convert

import (
	"context"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	bk "github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/cnb/launch"
	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/llb"
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
	LauncherPath = lifecycleDir + "/launcher"
)

// platformAPI is the CNB Platform API that the image speaks: the oldest that every lifecycle since 0.17 can rebase.
const platformAPI = "0.12"

// Names of the image's layers that are no layers of the packfile, as they are described.
const (
	sbomPart      = "sbom-" // and the digest of what it tells
	appPart       = "app"
	slicePart     = "slice-" // and its number
	launcherPart  = "launcher"
	metadataPart  = "metadata"
	processesPart = "process-types"
)

// appLayers are the slices, in group order, and the rest of the app. A file is in the first slice that matches it; a folder that matches
// takes all of its files with it.
func (b *Build) appLayers(ctx context.Context, f Facts) ([]imageLayer, error) {
	app, err := b.lockedApp(ctx, nil, f)
	if err != nil {
		return nil, err
	}
	var layers []imageLayer
	var taken []string
	for _, m := range b.modules {
		for _, s := range m.Packfile.Slices {
			slice := b.selectApp(app, s.Paths, taken, "app slice")
			layers = append(layers, imageLayer{state: slice, origin: "app slice", part: slicePart + strconv.Itoa(len(layers))})
			taken = append(taken, s.Paths...)
		}
	}
	rest := app
	switch {
	case len(taken) > 0:
		rest = b.selectApp(app, nil, taken, "app")
	case len(b.apps) > 0 || !b.in.Time.Equal(DefaultTime):
		rest = llb.Normalize(app, b.in.Time, options(b.name("", "app"), b.lockApp()...)...)
	}
	return append(layers, imageLayer{state: rest, origin: "app", part: appPart}), nil
}

// selectApp is the files of the app that globs include and do not exclude. The app's folder is there in any case: no layer
// is empty.
func (b *Build) selectApp(app bk.State, include, exclude []string, name string) bk.State {
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
func (b *Build) launchLayers(context.Context, Facts) ([]imageLayer, error) {
	root := llb.Owner{}
	from, file := b.launcher()
	launcher := bk.Scratch().File(bk.Copy(from, file, LauncherPath, &bk.CopyInfo{
		CreateDestPath: true, CreatedTime: &b.in.Time, Mode: &bk.ChmodOpt{Mode: 0o755},
	}, bk.WithUIDGID(root.UID, root.GID)), bk.WithCustomName(b.name("", "launcher")))

	md := b.metadata()
	data, err := md.TOML()
	if err != nil {
		return nil, err
	}
	metadata := b.layersFiles(map[string][]byte{path.Join(step.LayersDir, launch.MetadataFile): data}, "launch metadata")
	layers := []imageLayer{
		{state: launcher, origin: launcherOrigin, part: launcherPart},
		{state: metadata, origin: "launch metadata", part: metadataPart},
	}
	if len(md.Processes) > 0 {
		links := bk.Mkdir(processDir, 0o755, bk.WithParents(true))
		for _, p := range md.Processes {
			links = links.Symlink(LauncherPath, path.Join(processDir, p.Type))
		}
		tree := bk.Scratch().File(links, bk.WithCustomName(b.name("", "process types")))
		tree = llb.Normalize(tree, b.in.Time, bk.WithCustomName(b.name("", "process types layer")))
		layers = append(layers, imageLayer{state: tree, origin: "process types", part: processesPart})
	}
	return layers, nil
}

// sbomLayer is the SBOM in the place where platforms look for it; no layer when there is nothing to tell. Most images that are
// put together of one build have the same.
func (b *Build) sbomLayer(_ context.Context, f Facts) ([]imageLayer, error) {
	im, _, err := b.SBOM(f)
	if err != nil || len(im.Layers) == 0 {
		return nil, err
	}
	id, err := layerkey.DigestJSON(im)
	if err != nil {
		return nil, err
	}
	if len(b.sbom) == 0 || b.sbom[0].part != sbomPart+id {
		files, err := b.sbomFiles(im, f)
		if err != nil {
			return nil, err
		}
		b.sbom = []imageLayer{{state: b.layersFiles(files, "sbom"), origin: "sbom", part: sbomPart + id}}
	}
	return b.sbom, nil
}

// layersFiles is a layer with files below step.LayersDir. They and their folders have the owner of layers: a folder that
// several layers have is the same in each.
func (b *Build) layersFiles(files map[string][]byte, name string) bk.State {
	by := bk.WithUIDGID(b.in.Owner.UID, b.in.Owner.GID)
	var action *bk.FileAction
	dir := ""
	for _, file := range slices.Sorted(maps.Keys(files)) {
		if d := path.Dir(file); d != dir {
			dir, action = d, action.Mkdir(d, 0o755, bk.WithParents(true), by)
		}
		action = action.Mkfile(file, 0o644, files[file], by)
	}
	tree := bk.Scratch().File(action, bk.WithCustomName(b.name("", name)))
	return llb.Normalize(tree, b.in.Time, bk.WithCustomName(b.name("", name+" layer")))
}

// onTop is a layer with the descriptions of layers below it: a cache export takes along what is below the image, and nothing
// else, not even other outputs of the same steps. Nothing matches the pattern, so that none of it gets into the layer. The
// pattern makes this an operation of few builds: one that all builds share would take each of them along into the cache
// exports of all others, and BuildKit imports none of more than 1 MiB.
func (b *Build) onTop(below *Inquiry, layer bk.State) bk.State {
	if below == nil {
		return layer
	}
	none := &bk.CopyInfo{AllowWildcard: true, AllowEmptyWildcard: true}
	return bk.Scratch().File(bk.Copy(below.State, "/none-"+below.id+"*", "/", none).
		Copy(layer, "/", "/", &bk.CopyInfo{CopyDirContentsOnly: true, CreatedTime: &b.in.Time}),
		bk.WithCustomName(b.name("", "launch metadata layer")))
}
