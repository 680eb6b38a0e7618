package image

import (
	"fmt"
	"slices"
	"testing"

	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/group/grouptest"
)

// The permissions of a checkout come from a umask: nothing is made from files of the client that keeps their permissions.
func TestNoCopyOfACheckoutKeepsItsPermissions(t *testing.T) {
	text := grouptest.Example + `
[[layers]]
name = "dep"
export = true
version = "1"
[layers.build.run]
inline = "x"
[[layers.build.deps]]
name = "tool"
version = "1"
uri = "https://grouptest.Example.com/tool"
sha = "` + digest.FromString("tool").Encoded() + `"
`
	b := newBuild(t, text, func(in *testInput) {
		in.Root.Files = bk.Local("dockerfile")
		in.Root.Offline = map[string]bool{"tool@1": true}
	})
	ops := map[string]*pb.Op{}
	var all []*pb.Op
	for _, data := range marshal(t, b, answers(b)) {
		op := &pb.Op{}
		if err := op.UnmarshalVT(data); err != nil {
			t.Fatal(err)
		}
		ops[digest.FromBytes(data).String()] = op
		all = append(all, op)
	}
	var copies []string
	for _, op := range all {
		for _, action := range op.GetFile().GetActions() {
			c := action.GetCopy()
			if c == nil || int(action.SecondaryInput) >= len(op.Inputs) {
				continue
			}
			source := ops[op.Inputs[action.SecondaryInput].Digest].GetSource().GetIdentifier()
			if source == "local://context" || source == "local://dockerfile" {
				copies = append(copies, fmt.Sprintf("%s %s %o", source, c.ModeStr, c.Mode))
			}
		}
	}
	slices.Sort(copies)
	want := []string{"local://context " + container.AppMode + " 0", "local://dockerfile  644"}
	if got := slices.Compact(copies); !slices.Equal(got, want) {
		t.Errorf("copies are %q, want %q", got, want)
	}
}
