package llb

import (
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	bk "github.com/moby/buildkit/client/llb"
)

// Symlink is a symbolic link. Both paths are absolute.
type Symlink struct {
	Path, Target string
}

// Symlinks returns a tree with nothing but symbolic links of owner and the folders that they are in, all with the time t. The folders
// are as in a tree like, as far as that has them, and of owner otherwise. like is nil for none. No link may be inside of another. The
// operation fails where like has a file in the place of a folder, or anything in the place of a link.
func Symlinks(links []Symlink, like *bk.State, owner Owner, t time.Time, opts ...bk.ConstraintsOpt) bk.State {
	var dirs []string
	for _, link := range links {
		dirs = append(dirs, path.Dir(link.Path))
	}
	slices.Sort(dirs)
	dirs = slices.Compact(dirs)
	by := bk.WithUIDGID(owner.UID, owner.GID)
	var action *bk.FileAction
	for _, dir := range dirs {
		action = action.Mkdir(dir, 0o755, bk.WithParents(true), by)
	}
	for _, link := range links {
		action = action.Symlink(link.Target, link.Path, by)
	}
	base := bk.Scratch()
	if like != nil {
		base = folders(*like, dirs, t, opts...)
	}
	tree := base.File(action, append(opts[:len(opts):len(opts)], bk.WithCustomName("[internal] new symbolic links"))...)
	return Normalize(tree, t, opts...)
}

// folders returns a tree with some folders of src and those above them, as far as src has them, and nothing of what else is in them.
func folders(src bk.State, dirs []string, t time.Time, opts ...bk.ConstraintsOpt) bk.State {
	all := map[string]bool{}
	for _, dir := range dirs {
		for ; dir != "/"; dir = path.Dir(dir) {
			all[dir] = true
		}
	}
	var include, exclude []string
	// A folder comes before what is in it, so that the last pattern about a path is that of the nearest folder.
	for _, dir := range slices.Sorted(maps.Keys(all)) {
		name := Literal(strings.TrimPrefix(dir, "/"))
		if include = append(include, name); len(exclude) > 0 {
			exclude = append(exclude, "!"+name)
		}
		exclude = append(exclude, name+"/*")
	}
	return CopyTree(src, Tree{To: "/", Include: include, Exclude: exclude, Time: t}, opts...)
}
