package llb

import (
	"context"
	"errors"

	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/llbbuild"
	"github.com/moby/buildkit/solver/pb"
	"google.golang.org/protobuf/proto"
)

// ErrEmptyView is returned for a keyed view of an empty tree. Such a nested build has no definition, and sent to the
// daemon it would crash it (seen with BuildKit v0.33.1), taking every other running build with it.
var ErrEmptyView = errors.New("the context is empty")

// KeyedView is the tree that content describes, known to BuildKit's cache by key alone: what was seen when the key was
// first met is seen ever after, and as long as the key stays, nothing of the content is looked at, hashed or sent.
//
// The content is a nested build (a BuildOp) whose definition must be the same in every build that has the same key:
//
//   - key is the LocalUniqueID of local sources in it. Without it two builds that run at the same time would share one
//     source and see each other's files.
//   - local sources in it must not name their session, and the definition carries no source map: both differ from one
//     build to the next.
//
// With noCache the content is looked at again. The nested build itself is left as it is: what it reads from the client is
// new in every build anyway, and an operation that ignores the cache does not share what the rest of the build has read.
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

// MarshalDeterministic gives equal messages equal bytes; maps make the plain encoding differ from call to call.
func MarshalDeterministic(m proto.Message) ([]byte, error) {
	return proto.MarshalOptions{Deterministic: true}.Marshal(m)
}
