package image

import (
	"context"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	bk "github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/cnb/launch"
	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/graph"
	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/pattern"
	"github.com/packfile/frontend/step"
)

// toolsLauncher is the path of the launcher, for /cnb/lifecycle, in the frontend's own image.
const toolsLauncher = "/launcher"

// Paths of the launcher in an app image (CNB Platform API, "launcher").
const (
	lifecycleDir = "/cnb/lifecycle"
	processDir   = "/cnb/process"
	LauncherPath = lifecycleDir + "/launcher"
)

// platformAPI is the CNB Platform API that the image speaks: the oldest that every lifecycle since 0.17 can rebase.
const platformAPI = "0.12"

// Names, for descriptions, of the image's layers that are not layers of the packfile.
const (
	sbomPart      = "sbom-" // and the digest of its content
	appPart       = "app"
	slicePart     = "slice-" // and its number
	symlinksPart  = "app-symlinks"
	launcherPart  = "launcher"
	metadataPart  = "metadata"
	processesPart = "process-types"
)

// appLayers returns the slices, in group order, and the rest of the app, as far as config.app chooses them. A file belongs to the
// first slice that matches it. A folder that matches takes all of its files with it.
func (s assembly) appLayers(ctx context.Context) ([]imageLayer, error) {
	app, err := s.LockedApp(ctx, nil)
	if err != nil {
		return nil, err
	}
	chosen := pattern.FromAll(s.Root.Packfile.Config.App)
	var layers []imageLayer
	var taken []string
	for _, m := range s.Modules {
		for _, part := range m.Packfile.Slices {
			if len(chosen) > 0 {
				app, chosen = s.selectApp(app, chosen, nil, "app of the image"), nil
			}
			if pattern.Excludes(part.Paths) && len(taken) > 0 { // in one list, they would take away from other slices
				app, taken = s.selectApp(app, nil, taken, "app without slices"), nil
			}
			slice := s.selectApp(app, part.Paths, taken, "app slice")
			layers = append(layers, imageLayer{state: slice, origin: "app slice", part: slicePart + strconv.Itoa(len(layers))})
			taken = append(taken, part.Paths...)
		}
	}
	rest := app
	switch {
	case len(chosen) > 0 || len(taken) > 0:
		rest = s.selectApp(app, chosen, taken, "app")
	case s.changesApp() || !s.AppTime.Equal(container.DefaultTime):
		rest = llb.Normalize(app, s.AppTime, graph.Options(s.Name("", "app"), s.LockApp...)...)
	}
	return append(layers, imageLayer{state: rest, origin: "app", part: appPart}), nil
}

// changesApp reports whether a layer of the build changes the app.
func (s assembly) changesApp() bool {
	return slices.ContainsFunc(s.LockApp, func(l *graph.Layer) bool { return !s.Dropped(l) })
}

// symlinksLayer returns a layer with the symbolic links that lead from the app into layers of the image. It returns none when there
// are no such links.
func (s assembly) symlinksLayer(ctx context.Context) ([]imageLayer, error) {
	links := graph.Symlinks(slices.DeleteFunc(slices.Clone(s.Layers), func(l *graph.Layer) bool { return !l.Export || s.Dropped(l) }))
	if links == nil {
		return nil, nil
	}
	var like *bk.State
	if s.changesApp() {
		app, err := s.LockedApp(ctx, nil)
		if err != nil {
			return nil, err
		}
		like = &app
	}
	tree := llb.Symlinks(links, like, s.Owner, s.AppTime, graph.Options(s.Name("", "app symlinks layer"), s.LockApp...)...)
	return []imageLayer{{state: tree, origin: "app symlinks", part: symlinksPart}}, nil
}

// selectApp returns the files of the app that a list includes and another does not. It always keeps the app's folder: no layer is
// empty.
func (s assembly) selectApp(app bk.State, include, exclude []string, name string) bk.State {
	inApp := func(globs []string) (paths []string) {
		for _, g := range pattern.ForCopy(globs) {
			rest, _ := pattern.CutExclusion(g)
			paths = append(paths, pattern.Like(g, path.Join(strings.TrimPrefix(step.AppDir, "/"), rest)))
		}
		return paths
	}
	folder := llb.EmptyDir(step.AppDir, s.Owner, bk.WithCustomName("[internal] app folder"))
	return llb.CopyTree(app, llb.Tree{
		Base: &folder, To: "/", Include: inApp(include), Exclude: inApp(exclude), Time: s.AppTime,
	}, graph.Options(s.Name("", name), s.LockApp...)...)
}

// launchLayers returns the launcher, the launch metadata, and the links that start processes.
func (s assembly) launchLayers() ([]imageLayer, error) {
	root := llb.Owner{}
	from, file := s.launcher()
	launcher := bk.Scratch().File(bk.Copy(from, file, LauncherPath, &bk.CopyInfo{
		CreateDestPath: true, CreatedTime: &s.Time, Mode: &bk.ChmodOpt{Mode: 0o755},
	}, bk.WithUIDGID(root.UID, root.GID)), bk.WithCustomName(s.Name("", "launcher")))

	md := s.metadata()
	data, err := md.TOML()
	if err != nil {
		return nil, err
	}
	files, err := s.launchEnv()
	if err != nil {
		return nil, err
	}
	files[path.Join(step.LayersDir, launch.MetadataFile)] = data
	metadata := s.layersFiles(files, "launch metadata")
	layers := []imageLayer{
		{state: launcher, origin: launcherOrigin, part: launcherPart},
		{state: metadata, origin: "launch metadata", part: metadataPart},
	}
	if len(md.Processes) > 0 {
		links := bk.Mkdir(processDir, 0o755, bk.WithParents(true))
		for _, p := range md.Processes {
			links = links.Symlink(LauncherPath, path.Join(processDir, p.Type))
		}
		tree := bk.Scratch().File(links, bk.WithCustomName(s.Name("", "process types")))
		tree = llb.Normalize(tree, s.Time, bk.WithCustomName(s.Name("", "process types layer")))
		layers = append(layers, imageLayer{state: tree, origin: "process types", part: processesPart})
	}
	return layers, nil
}

// sbomLayer returns a layer with the SBOM in the place where platforms look for it. It returns none when there is nothing to
// tell. It takes the layer over from before when the SBOM is the same, as it mostly is.
func (s assembly) sbomLayer(before *Image) ([]imageLayer, error) {
	im, _ := s.sbom()
	if len(im.Layers)+len(im.Debs) == 0 {
		return nil, nil
	}
	id, err := layerkey.DigestJSON(im)
	if err != nil {
		return nil, err
	}
	part := sbomPart + id
	if before != nil {
		for _, l := range before.layers {
			if l.part == part {
				return []imageLayer{l}, nil
			}
		}
	}
	files, err := sbomFiles(sbomModules(s.Decisions), im, s.Time)
	if err != nil {
		return nil, err
	}
	return []imageLayer{{state: s.layersFiles(files, "sbom"), origin: "sbom", part: part}}, nil
}

// layersFiles returns a layer with files below step.LayersDir. The files and their folders belong to the owner of layers: a
// folder that several layers have is the same in each.
func (s assembly) layersFiles(files map[string][]byte, name string) bk.State {
	return layersFiles(files, s.Owner, s.Time, s.Name("", name), s.Name("", name+" layer"))
}

// layersFiles returns a layer with files below step.LayersDir, which have a time and, as their folders, an owner. made and normal are
// the names of its vertices.
func layersFiles(files map[string][]byte, owner llb.Owner, t time.Time, made, normal string) bk.State {
	by := bk.WithUIDGID(owner.UID, owner.GID)
	var action *bk.FileAction
	dir := ""
	for _, file := range slices.Sorted(maps.Keys(files)) {
		if d := path.Dir(file); d != dir {
			dir, action = d, action.Mkdir(d, 0o755, bk.WithParents(true), by)
		}
		action = action.Mkfile(file, 0o644, files[file], by)
	}
	return llb.Normalize(bk.Scratch().File(action, bk.WithCustomName(made)), t, bk.WithCustomName(normal))
}

// onTop returns a layer with the descriptions of layers below it, so that a cache export takes them along: it takes what is below
// the image, and nothing else, not even other outputs of the same steps. The pattern matches nothing, so that no description gets
// into the layer. The pattern also makes this an operation of few builds: if all builds shared it, each would get into the cache
// exports of all others, and BuildKit imports no cache of more than 1 MiB.
func (s assembly) onTop(below *descriptions, layer bk.State) bk.State {
	if below == nil {
		return layer
	}
	none := &bk.CopyInfo{AllowWildcard: true, AllowEmptyWildcard: true}
	return bk.Scratch().File(bk.Copy(below.State, "/none-"+below.id+"*", "/", none).
		Copy(layer, "/", "/", &bk.CopyInfo{CopyDirContentsOnly: true, CreatedTime: &s.Time}),
		bk.WithCustomName(s.Name("", "launch metadata layer")))
}
