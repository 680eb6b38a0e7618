package llb

import (
	"fmt"
	"slices"

	"context"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
)

// CustomName is where a definition has the names of operations (llb.WithCustomName).
const CustomName = "llb.customname"

// Operation is one operation of a definition.
type Operation struct {
	*pb.Op
	Digest digest.Digest // by which other operations name it as their input
}

// Operations is a decoded definition: an operation comes after its inputs, and the last one only names the result.
type Operations []Operation

// ParseOperations decodes and hashes all operations of a definition (Def of llb.Definition and pb.Definition). It fails
// on bytes that are no operation.
func ParseOperations(def [][]byte) (Operations, error) {
	ops := make(Operations, len(def))
	for i, data := range def {
		ops[i] = Operation{new(pb.Op), digest.FromBytes(data)}
		if err := ops[i].Unmarshal(data); err != nil {
			return nil, fmt.Errorf("operation %d of a definition: %w", i+1, err)
		}
	}
	return ops, nil
}

// Find returns the operation with a digest, nil when there is none.
func (ops Operations) Find(dgst string) *pb.Op {
	i := slices.IndexFunc(ops, func(op Operation) bool { return op.Digest.String() == dgst })
	if i < 0 {
		return nil
	}
	return ops[i].Op
}

// Result returns the last operation, which only names the result; nil when there is none.
func (ops Operations) Result() *pb.Op {
	if len(ops) == 0 {
		return nil
	}
	return ops[len(ops)-1].Op
}

// OperationsOf returns the operations of a state, without the one that only says which is the result. It is ErrEmptyView when there
// are none.
func OperationsOf(ctx context.Context, st llb.State) (Operations, error) {
	def, err := Marshal(ctx, st)
	if err != nil {
		return nil, err
	}
	ops, err := ParseOperations(def.Def)
	if err != nil {
		return nil, err
	}
	if len(ops) < 2 {
		return nil, ErrEmptyView
	}
	return ops[:len(ops)-1], nil
}

// DefinitionDigest tells apart states that have no digest of their own, as results of a build (inputs of bake). Sources of the client
// are told apart by name, or by digest if they have one: their session is another one in every build.
func DefinitionDigest(ctx context.Context, st llb.State) (digest.Digest, error) {
	def, err := Marshal(ctx, st)
	if err != nil {
		return "", err
	}
	ops, err := ParseOperations(def.Def)
	if err != nil {
		return "", err
	}
	digester := digest.Canonical.Digester()
	index := map[string]string{}
	for i, op := range ops {
		index[op.Digest.String()] = fmt.Sprintf("op:%d", i)
		for _, in := range op.Inputs {
			in.Digest = index[in.Digest]
		}
		if src := op.GetSource(); src != nil {
			delete(src.Attrs, pb.AttrLocalSessionID)
			delete(src.Attrs, pb.AttrLocalUniqueID)
			delete(src.Attrs, pb.AttrOCILayoutSessionID)
		}
		canonical, err := MarshalDeterministic(op.Op)
		if err != nil {
			return "", err
		}
		digester.Hash().Write(canonical)
	}
	return digester.Digest(), nil
}
