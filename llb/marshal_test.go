package llb

import (
	"fmt"
	"sync"
	"testing"

	bk "github.com/moby/buildkit/client/llb"
)

func TestStatesThatShareAStepAreMarshalledWithTheRightOutputs(t *testing.T) {
	const outputs = 20
	for range 1000 {
		// Mounts in the wrong order, so that they have to be sorted.
		es := bk.Image("build").Run(bk.Args([]string{"x"}))
		states := make([]bk.State, outputs)
		for i := range outputs {
			out := es.AddMount(fmt.Sprintf("/%c", 'z'-i), bk.Scratch())
			states[i] = bk.Scratch().File(bk.Copy(out, "/", "/"))
		}
		var wg sync.WaitGroup
		start := make(chan struct{})
		for i, st := range states {
			wg.Go(func() {
				<-start
				def, err := Marshal(t.Context(), st)
				if err != nil {
					t.Error(err)
					return
				}
				// Outputs are counted in the order of mounts, after the root's.
				if got, want := copied(t, def), int64(outputs-i); got != want {
					t.Errorf("output %d is copied in place of %d", got, want)
				}
			})
		}
		close(start)
		wg.Wait()
	}
}

// copied is which output of the step the copy takes.
func copied(t *testing.T, def *bk.Definition) int64 {
	ops, err := ParseOperations(def.Def)
	if err != nil { // not fatal: this is no goroutine of the test
		t.Error(err)
		return -1
	}
	for _, op := range ops {
		if op.GetFile() != nil {
			return op.Inputs[0].Index
		}
	}
	t.Error("no copy in the definition")
	return -1
}
