package llb

import (
	"path"
	"time"

	bk "github.com/moby/buildkit/client/llb"
)

// Symlink is a symbolic link. Both paths are absolute.
type Symlink struct {
	Path, Target string
}

// Symlinks returns a tree with nothing but symbolic links and the folders that they are in, all of owner and with the time t. No
// link may be inside of another.
func Symlinks(links []Symlink, owner Owner, t time.Time, opts ...bk.ConstraintsOpt) bk.State {
	by := bk.WithUIDGID(owner.UID, owner.GID)
	var action *bk.FileAction
	made := map[string]bool{}
	for _, link := range links {
		if dir := path.Dir(link.Path); !made[dir] {
			made[dir] = true
			action = action.Mkdir(dir, 0o755, bk.WithParents(true), by)
		}
		action = action.Symlink(link.Target, link.Path, by)
	}
	return Normalize(bk.Scratch().File(action, bk.WithCustomName("[internal] new symbolic links")), t, opts...)
}
