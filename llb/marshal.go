package llb

import (
	"context"
	"sync"

	bk "github.com/moby/buildkit/client/llb"
)

var marshalling sync.Mutex

// Marshal turns a state into a definition. Marshal every state by it: client/llb sorts the mounts of an exec operation
// without a lock. When two states share an operation and are marshalled at the same time, a definition can name the wrong
// output (seen with BuildKit v0.33.1 as "invalid response from exec need 3 index but 3 results received").
func Marshal(ctx context.Context, st bk.State, opts ...bk.ConstraintsOpt) (*bk.Definition, error) {
	marshalling.Lock()
	defer marshalling.Unlock()
	return st.Marshal(ctx, opts...)
}
