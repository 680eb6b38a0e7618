package container

import (
	"fmt"
	"sync"

	bk "github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/step"
)

// Builder makes the steps of a build for one platform. What it starts from does not change.
type Builder struct {
	Input
	WholeApp bk.State // the app at step.AppDir, as steps see it

	tmp bk.State // /tmp of every step, whether or not the build image has one that an ordinary user may write to

	mu    sync.Mutex          // for empty
	empty map[string]bk.State // see EmptyDir
}

// New begins a build. The packfiles must be valid (packfile.Parse).
func New(in Input) *Builder {
	if in.NoCache == nil {
		in.NoCache = func(string) bool { return false }
	}
	b := &Builder{
		Input: in,
		tmp:   bk.Scratch().File(bk.Mkdir("/tmp", 0o1777), bk.WithCustomName("[internal] new /tmp")),
		empty: map[string]bk.State{},
	}
	b.WholeApp = llb.CopyTree(in.App.Tree, b.AppCopy(nil), bk.WithCustomName(b.Name("", "app")))
	return b
}

// IsNoCache says whether the user wants a layer made again: by its own name, or by MODULE/NAME.
func (b *Builder) IsNoCache(m *module.Module, layer string) bool {
	return b.NoCache(layer) || b.NoCache(m.LayerPath(layer))
}

// EmptyDir is llb.EmptyDir, marshalled once for all steps that have it.
func (b *Builder) EmptyDir(dir string, owner llb.Owner, name string) bk.State {
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

// Told is what a script is told, whatever it sees of layers.
func (b *Builder) Told(access packfile.Access, metadata map[string]any) step.Given {
	g := step.Given{Metadata: metadata, Platform: b.Args}
	for _, s := range access.Secrets {
		g.Secrets = append(g.Secrets, step.Secret{ID: s.ID, PathAs: s.PathAs, EnvAs: s.EnvAs})
	}
	return g
}
