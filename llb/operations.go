package llb

import (
	"fmt"
	"slices"

	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
)

// Operation is one operation of a definition.
type Operation struct {
	*pb.Op
	Digest digest.Digest // by which other operations name it as their input
}

// Operations is a definition decoded: an operation comes after its inputs, and the last one only says which is the result.
type Operations []Operation

// ParseOperations decodes and hashes all of a definition (Def of llb.Definition and pb.Definition). It fails on bytes that are no
// operation.
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

// Result returns what only says which operation is the result: the last one. It is nil when there is none.
func (ops Operations) Result() *pb.Op {
	if len(ops) == 0 {
		return nil
	}
	return ops[len(ops)-1].Op
}
