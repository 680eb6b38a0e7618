package convert

import (
	"fmt"
	"sync"

	bk "github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/module"
)

// Build is what a build for one platform starts from: which modules there are, and what its steps are made of. It finds out
// which modules take part (Try); a Graph is what these come down to.
type Build struct {
	in  Input
	app bk.State // the whole app at step.AppDir, as steps see it
	tmp bk.State // /tmp of every step, whether or not the build image has one that an ordinary user may write to

	mu    sync.Mutex
	empty map[string]bk.State // see emptyDir
}

// New begins a build. The packfiles must be valid (packfile.Parse).
func New(in Input) *Build {
	if in.NoCache == nil {
		in.NoCache = func(string) bool { return false }
	}
	b := &Build{
		in:    in,
		tmp:   bk.Scratch().File(bk.Mkdir("/tmp", 0o1777), bk.WithCustomName("[internal] new /tmp")),
		empty: map[string]bk.State{},
	}
	b.app = llb.CopyTree(in.App.Tree, b.appCopy(nil), bk.WithCustomName(b.name("", "app")))
	return b
}

// noCache says whether the user wants a layer made again: by its own name, or by MODULE/NAME.
func (b *Build) noCache(m *module.Module, layer string) bool {
	return b.in.NoCache(layer) || b.in.NoCache(m.LayerPath(layer))
}

// emptyDir is llb.EmptyDir, marshalled once for all steps that have it.
func (b *Build) emptyDir(dir string, owner llb.Owner, name string) bk.State {
	key := fmt.Sprint(dir, owner)
	b.mu.Lock()
	defer b.mu.Unlock()
	st, ok := b.empty[key]
	if !ok {
		st = llb.EmptyDir(dir, owner, bk.WithCustomName("[internal] "+name))
		b.empty[key] = st
	}
	return st
}
