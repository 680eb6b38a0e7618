package image

import (
	"strings"
	"testing"

	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"

	"github.com/packfile/frontend/source"
)

// The decision where a dep comes from lies outside: a build from a kit has no network.
func TestADepComesFromWhereTheBuildIsGivenIt(t *testing.T) {
	const sum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	var wanted []source.Wanted
	b := newBuild(t, `[[layers]]
name = "a"
export = true
[layers.build.run]
inline = "get-dep tool"
[[layers.build.deps]]
name = "tool"
version = "1"
uri = "https://example.com/tool"
sha = "`+sum+`"
`, func(in *testInput) {
		in.Sources = func(s source.Source) (bk.State, error) {
			wanted = append(wanted, s.Wanted())
			return bk.Local("kit"), nil
		}
	})
	kit := false
	for _, data := range marshal(t, b, answers(b)) {
		var op pb.Op
		if err := op.Unmarshal(data); err != nil {
			t.Fatal(err)
		}
		id := op.GetSource().GetIdentifier()
		if strings.HasPrefix(id, "https://") {
			t.Errorf("%s is asked for", id)
		}
		kit = kit || id == "local://kit"
	}
	if !kit {
		t.Error("the dep of the kit is not used")
	}
	for _, w := range wanted {
		if w.Kind != source.FileKind || w.Digest.Encoded() != sum || w.At.Filename != "packfile0.toml" || w.At.Start.Line != 9 {
			t.Errorf("%+v", w)
		}
	}
}
