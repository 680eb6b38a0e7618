package image

import (
	"bytes"
	"testing"

	bk "github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/group/grouptest"
)

func TestTheSameInputGivesTheSameDefinition(t *testing.T) {
	// The order of a map shows after a few tries at the latest.
	var first [][]byte
	for i := range 25 {
		b := newBuild(t, grouptest.Example, func(in *testInput) { in.App.Tree = bk.Local("context", bk.SessionID("session"), bk.LocalUniqueID("x")) })
		got := marshal(t, b, answers(b))
		if i == 0 {
			first = got
			continue
		}
		if !bytes.Equal(bytes.Join(first, nil), bytes.Join(got, nil)) {
			t.Fatalf("definition %d differs from the first", i)
		}
	}
}
