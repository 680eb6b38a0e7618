package container

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	bk "github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/step"
)

// Builder makes the steps of a build for one platform. Its input does not change.
type Builder struct {
	Input
	WholeApp bk.State // the app at step.AppDir, as steps see it

	tmp bk.State // /tmp of every step, whether or not ordinary users may write to the build image's own

	installed *bk.State // see scriptRoot; nil before a step needs it
	installs  sync.Mutex

	mu    sync.Mutex          // for empty
	empty map[string]bk.State // see EmptyDir
}

// New returns the builder of a build. The packfiles must be valid (packfile.Parse).
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

// IsNoCache reports whether the user wants a layer rebuilt: by its own name, or by MODULE/NAME.
func (b *Builder) IsNoCache(m *module.Module, layer string) bool {
	return b.NoCache(layer) || b.NoCache(m.LayerPath(layer))
}

// EmptyDir returns an llb.EmptyDir. All steps share it, so that it is marshalled once.
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

// PlatformEnv returns the platform environment of a script of a module, sorted by name: the build arguments that it sees, and the
// variables that every script has.
func (b *Builder) PlatformEnv(m *module.Module, seen packfile.Args) []step.Variable {
	vars := slices.Clone(b.Env)
	for _, arg := range m.Args(b.Args, seen) {
		if !slices.ContainsFunc(b.Env, func(v step.Variable) bool { return v.Name == arg.Name }) {
			vars = append(vars, arg)
		}
	}
	slices.SortFunc(vars, func(x, y step.Variable) int { return strings.Compare(x.Name, y.Name) })
	return vars
}

// Told returns what a script of a module is told whatever layers it sees.
func (b *Builder) Told(m *module.Module, access packfile.Access, seen packfile.Args, md metadata.Table) step.Given {
	g := step.Given{Metadata: md, Platform: b.PlatformEnv(m, seen)}
	for _, s := range access.Secrets {
		g.Secrets = append(g.Secrets, step.Secret{ID: s.ID, PathAs: s.PathAs, EnvAs: s.EnvAs})
	}
	return g
}
