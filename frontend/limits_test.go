package frontend

import (
	"strings"
	"testing"

	gw "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
)

func TestWhatIsTooLargeForOneMessageIsSaid(t *testing.T) {
	const most = 16 << 20
	for _, size := range []int{most - 1<<20, most} {
		want := size == most
		graph := &pb.Definition{Def: [][]byte{make([]byte, size/2), make([]byte, size/2)}}
		if err := checkDefinition(graph); (err != nil) != want || want && !strings.Contains(err.Error(), "this build's graph has 16777") {
			t.Errorf("a graph of %d bytes: %v", size, err)
		}
		res := gw.NewResult()
		res.AddMeta("containerimage.config/linux/amd64", make([]byte, size/2))
		res.AddMeta("containerimage.config/linux/arm64", make([]byte, size/2))
		if err := checkResult(res); (err != nil) != want || want && !strings.Contains(err.Error(), "configs of the images have 16777") {
			t.Errorf("configs of %d bytes: %v", size, err)
		}
	}
}
