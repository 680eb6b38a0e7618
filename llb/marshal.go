package llb

import (
	"context"
	"sync"

	bk "github.com/moby/buildkit/client/llb"
)

var marshalling sync.Mutex

// Marshal turns a state into a definition. No state is marshalled in another way: client/llb sorts the mounts of an exec operation
// without a lock, and of states that share one and are marshalled at the same time, what is counted meanwhile is the wrong output
// (seen with BuildKit v0.33.1 as "invalid response from exec need 3 index but 3 results received").
func Marshal(ctx context.Context, st bk.State, opts ...bk.ConstraintsOpt) (*bk.Definition, error) {
	marshalling.Lock()
	defer marshalling.Unlock()
	return st.Marshal(ctx, opts...)
}
