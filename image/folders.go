package image

import (
	"path"
	"slices"
	"strconv"
	"strings"

	bk "github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/llb"
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
	owner := s.runOwner()
	by := []bk.MkdirOption{bk.WithParents(true), bk.WithUIDGID(owner.UID, owner.GID)}
	tree := llb.EmptyDir(step.AppDir, s.Owner, bk.WithCustomName("[internal] app folder")) // so that the layer is never empty
	name := bk.WithCustomName(s.Name("", "folders"))
	if len(inApp) > 0 {
		tree = tree.File(mkdirs(inApp, by), name)
	}
	if len(outside) == 0 {
		tree = llb.Normalize(tree, s.Time, name)
	} else {
		var only, content []string
		for _, dir := range outside {
			pattern := llb.Literal(strings.TrimPrefix(dir, "/"))
			only, content = append(only, pattern), append(content, pattern+"/*")
		}
		made := s.Run.State.File(mkdirs(outside, by), bk.WithCustomName("[internal] folders on the run image"))
		tree = llb.CopyTree(made, llb.Tree{Base: &tree, To: "/", Include: only, Exclude: content, Time: s.Time}, name)
	}
	return []imageLayer{{state: tree, origin: "folders", part: foldersPart}}, nil
}

func mkdirs(dirs []string, opts []bk.MkdirOption) (all *bk.FileAction) {
	for _, dir := range dirs {
		all = all.Mkdir(dir, 0o755, opts...)
	}
	return all
}

// folders returns the folders that an image is to have, sorted: volumes in the app, and what is outside of it. A folder that
// another one is in is left out, since that brings it along.
func (s assembly) folders() (inApp, outside []string) {
	wanted := map[string]bool{}
	for _, p := range s.metadata().Processes {
		if dir := path.Clean(p.WorkingDir); path.IsAbs(dir) && !isBelow(dir, step.AppDir) {
			wanted[dir] = true
		}
	}
	for dir := range s.said().Volumes {
		wanted[dir] = true
	}
	var all []string
	for dir := range wanted {
		if dir != "/" && dir != "/tmp" && !slices.ContainsFunc(othersFolders, func(of string) bool { return isBelow(dir, of) }) {
			all = append(all, dir)
		}
	}
	slices.Sort(all)
	for _, dir := range all {
		switch holds := slices.ContainsFunc(all, func(other string) bool { return other != dir && isBelow(other, dir) }); {
		case holds:
		case isBelow(dir, step.AppDir):
			inApp = append(inApp, dir)
		default:
			outside = append(outside, dir)
		}
	}
	return inApp, outside
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
