package image

import (
	"testing"

	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/container"
)

// stepsOf returns the digests of the steps of an image, by the names of their vertices, and the platforms that they run on.
func stepsOf(t *testing.T, b testGraph) (digests map[string]digest.Digest, platforms map[string]string) {
	t.Helper()
	digests, platforms = map[string]digest.Digest{}, map[string]string{}
	for _, in := range b.image(t, answers(b)).Left {
		def, err := in.State.Marshal(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, dt := range def.Def {
			var op pb.Op
			if err := op.Unmarshal(dt); err != nil {
				t.Fatal(err)
			}
			if op.GetExec() != nil {
				id := digest.FromBytes(dt)
				name := def.Metadata[id].Description["llb.customname"]
				digests[name], platforms[name] = id, container.PlatformString(op.Platform.Spec())
			}
		}
	}
	return digests, platforms
}

func TestStepsWithoutScriptsAreTheSameForEveryPlatform(t *testing.T) {
	const text = `
[[layers]]
name = "plain"
export = true
[layers.build]
inputs = ["x"]
[[layers.build.env.launch]]
name = "A"
value = "{{.Layer}}"
[[layers]]
name = "own"
[[layers.build.env.both]]
name = "A"
value = "{{.TARGETARCH}}"
[[layers]]
name = "script"
[layers.build.test]
match = ["x"]
[layers.build.run]
inline = "x"
[[layers.build.links]]
name = "plain"
`
	unique := func(in *testInput) { in.App.Tree = bk.Local("context", bk.SessionID("s"), bk.LocalUniqueID("x")) }
	amd, onAMD := stepsOf(t, newBuild(t, text, unique))
	arm, onARM := stepsOf(t, newBuild(t, text, unique, func(in *testInput) {
		in.Platform = ocispecs.Platform{OS: "linux", Architecture: "arm64"}
		in.Tools = bk.Image("frontend", bk.Platform(in.Platform))
	}))
	for name, same := range map[string]bool{
		"[plain] run": true, "[own] run": false, "[script] run": false, "[plain] match": true, "[script] match": true,
	} {
		if amd[name] == "" || arm[name] == "" {
			t.Fatalf("no step %s: there are %v", name, amd)
		}
		if (amd[name] == arm[name]) != same {
			t.Errorf("%s is the same for both platforms: %t, want %t", name, !same, same)
		}
	}
	for name, on := range onARM {
		if want := map[bool]string{true: "linux/arm64", false: "linux/amd64"}[name == "[script] run"]; on != want || onAMD[name] != "linux/amd64" {
			t.Errorf("%s runs on %s and, for the other platform, on %s", name, onAMD[name], on)
		}
	}
}
