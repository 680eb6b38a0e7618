package image

import (
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	bk "github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/cnb/launch"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/step"
)

// foldersPart is the name, for descriptions, of the layer with folders that processes need, see folderLayer.
const foldersPart = "folders"

// folderLayer returns a layer with the folders outside of the app that processes work in, and the volumes, and none when there are
// none. Folders that the run image lacks are made, for the user of the app image: a volume could not be written to otherwise. Those
// that it has, and folders above, are in the layer as the run image has them, so that the layer changes none. For that the daemon
// looks into the run image, which it pulls. The layer comes below the app, which may have a volume's folder itself.
func (s assembly) folderLayer() ([]imageLayer, error) {
	inApp, outside := s.folders()
	if len(inApp)+len(outside) == 0 {
		return nil, nil
	}
	// The app's folder is there so that the layer is never empty.
	tree := s.mkdirs(llb.EmptyDir(step.AppDir, s.Owner, bk.WithCustomName("[internal] app folder")), inApp)
	name := bk.WithCustomName(s.Name("", "folders"))
	if len(outside) == 0 {
		tree = llb.Normalize(tree, s.Time, name)
	} else {
		var only, content []string
		for _, f := range outside {
			pattern := llb.Literal(strings.TrimPrefix(f.dir, "/"))
			only, content = append(only, pattern), append(content, pattern+"/*")
		}
		made := s.mkdirs(s.Run.State, outside)
		tree = llb.CopyTree(made, llb.Tree{Base: &tree, To: "/", Include: only, Exclude: content, Time: s.Time}, name)
	}
	return []imageLayer{{state: tree, origin: "folders", part: foldersPart}}, nil
}

// folder is a folder that an image is to have, and the place where a packfile says so.
type folder struct {
	dir string // clean and absolute
	at  module.Place
}

// mkdirs makes folders, and folders above, where there are none. Each is an operation of its own, whose errors have their place.
func (s assembly) mkdirs(tree bk.State, folders []folder) bk.State {
	owner := s.runOwner()
	for _, f := range folders {
		tree = tree.File(bk.Mkdir(f.dir, 0o755, bk.WithParents(true), bk.WithUIDGID(owner.UID, owner.GID)),
			bk.WithCustomName("[internal] folder "+f.dir), f.at.Location())
	}
	return tree
}

// folders returns the folders that an image is to have, sorted: volumes in the app, and what is outside of it. A folder that
// another one is in is left out, since that brings it along.
func (s assembly) folders() (inApp, outside []folder) {
	wanted := map[string]module.Place{}
	for _, m := range s.speakers() {
		if c := m.Packfile.Config.Image; c != nil {
			for i, dir := range c.Volumes {
				wanted[dir] = m.At(c.Item("volumes", i))
			}
		}
		for i := range m.Packfile.Processes {
			p := &m.Packfile.Processes[i]
			if dir := path.Clean(p.WorkDir); path.IsAbs(dir) && !isBelow(dir, step.AppDir) && s.starts(m, p) {
				wanted[dir] = m.At(p.At("working-dir"))
			}
		}
	}
	maps.DeleteFunc(wanted, func(dir string, _ module.Place) bool {
		return dir == "/" || dir == "/tmp" || slices.ContainsFunc(othersFolders, func(of string) bool { return isBelow(dir, of) })
	})
	above := map[string]bool{}
	for dir := range wanted {
		for up := path.Dir(dir); up != "/" && !above[up]; up = path.Dir(up) {
			above[up] = true
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(wanted)) {
		switch {
		case above[dir]:
		case isBelow(dir, step.AppDir):
			inApp = append(inApp, folder{dir, wanted[dir]})
		default:
			outside = append(outside, folder{dir, wanted[dir]})
		}
	}
	return inApp, outside
}

// starts reports whether the image has a process of a module, and not another one of its type.
func (s assembly) starts(m *module.Module, p *packfile.Process) bool {
	return slices.ContainsFunc(s.metadata().Processes, func(l launch.Process) bool { return l.Type == p.Type && l.Buildpack == m.ID() })
}

// othersFolders are folders that an image gets elsewhere, or a container when it is started. /tmp is one as well.
var othersFolders = []string{step.LayersDir, path.Dir(lifecycleDir), "/proc", "/sys", "/dev"}

// isBelow reports whether a clean path is that of a folder, or in it.
func isBelow(name, dir string) bool { return name == dir || strings.HasPrefix(name, dir+"/") }

// runOwner returns the user of the app image in numbers, the owner of layers when it is a name.
func (s assembly) runOwner() llb.Owner {
	user, group, hasGroup := strings.Cut(s.User, ":")
	if !hasGroup {
		group = user
	}
	uid, err := strconv.ParseUint(user, 10, 31)
	gid, groupErr := strconv.ParseUint(group, 10, 31)
	if err != nil || groupErr != nil {
		return s.Owner
	}
	return llb.Owner{UID: int(uid), GID: int(gid)}
}
