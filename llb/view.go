package llb

import (
	"context"
	"errors"

	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/llbbuild"
	"github.com/moby/buildkit/solver/pb"
	"google.golang.org/protobuf/proto"
)

// ErrEmptyView is the error for a keyed view of an empty tree. Such a nested build has no definition. It would crash the
// daemon, and every other running build with it (seen with BuildKit v0.33.1).
var ErrEmptyView = errors.New("the context is empty")

// KeyedView returns the tree of content, known to BuildKit's cache by key alone: the builder keeps the tree that it saw
// when it first met the key. As long as the key stays, it reads, hashes and sends nothing of the content.
//
// The content is a nested build (a BuildOp) whose definition must be the same in every build that has the same key:
//
//   - key is the LocalUniqueID of local sources in it. Without it two builds that run at the same time would share one
//     source and see each other's files.
//   - local sources in it must not name their session, and the definition carries no source map: both differ from one
//     build to the next.
//
// With noCache the builder reads the content again. The nested build itself stays as it is: its local sources are read in
// every build anyway, and an operation that ignores the cache does not share them with the rest of the build.
func KeyedView(ctx context.Context, key string, content bk.State, noCache bool, opts ...bk.ConstraintsOpt) (bk.State, error) {
	if content.Output() == nil {
		return bk.State{}, ErrEmptyView
	}
	def, err := Marshal(ctx, content, append([]bk.ConstraintsOpt{bk.LocalUniqueID(key)}, opts...)...)
	if err != nil {
		return bk.State{}, err
	}
	if len(def.Def) == 0 {
		return bk.State{}, ErrEmptyView
	}
	pbDef := def.ToPB()
	pbDef.Source = nil
	data, err := MarshalDeterministic(pbDef)
	if err != nil {
		return bk.State{}, err
	}
	file := bk.Scratch().File(
		bk.Mkfile(pb.LLBDefaultDefinitionFile, 0o644, data).Mkfile("key", 0o644, []byte(key)), opts...)
	build := make([]llbbuild.BuildOption, 0, len(opts)+1)
	for _, o := range opts {
		build = append(build, llbbuild.WithConstraints(o))
	}
	if noCache {
		build = append(build, llbbuild.WithConstraints(bk.IgnoreCache))
	}
	return file.With(llbbuild.Build(build...)), nil
}

// MarshalDeterministic encodes a message; equal messages give equal bytes. With maps, the plain encoding differs from
// call to call.
func MarshalDeterministic(m proto.Message) ([]byte, error) {
	return proto.MarshalOptions{Deterministic: true}.Marshal(m)
}
