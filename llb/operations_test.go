package llb

import (
	"testing"

	bk "github.com/moby/buildkit/client/llb"
)

// operations are those of a definition.
func operations(t *testing.T, def [][]byte) Operations {
	t.Helper()
	ops, err := ParseOperations(def)
	if err != nil {
		t.Fatal(err)
	}
	return ops
}

func TestOperationsOfADefinitionAreFoundByWhatNamesThem(t *testing.T) {
	image := bk.Image("example.com/base")
	def, err := Marshal(t.Context(), image.File(bk.Mkdir("/a", 0o755)).File(bk.Mkdir("/b", 0o755)), bk.LinuxAmd64)
	if err != nil {
		t.Fatal(err)
	}
	ops := operations(t, def.Def)
	if len(ops) != 4 {
		t.Fatalf("%d operations", len(ops))
	}
	var made []string
	for op := ops.Find(ops.Result().Inputs[0].Digest); op.GetFile() != nil; op = ops.Find(op.Inputs[0].Digest) {
		made = append(made, op.GetFile().Actions[0].GetMkdir().GetPath())
		if op.Inputs[0].Digest == ops[0].Digest.String() {
			break
		}
	}
	if len(made) != 2 || made[0] != "/b" || made[1] != "/a" {
		t.Errorf("from the result on there are %q", made)
	}
	if got := ops.Find(ops[0].Digest.String()).GetSource().GetIdentifier(); got != "docker-image://example.com/base:latest" {
		t.Errorf("the first is %q", got)
	}
	if op := ops.Find("sha256:none"); op != nil {
		t.Errorf("there is %v", op)
	}
}

func TestWhatIsNoDefinitionHasNoOperations(t *testing.T) {
	ops, err := ParseOperations([][]byte{nil, []byte("no operation")})
	if err == nil || ops != nil || ops.Result() != nil {
		t.Errorf("%v, %v", ops, err)
	}
}
