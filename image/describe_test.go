package image

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/solver/pb"

	"github.com/packfile/frontend/graph"
)

// describedBy returns, for each step below the image that describes layers, how many it describes.
func describedBy(t *testing.T, b testGraph) (layers []int) {
	t.Helper()
	for _, data := range marshal(t, b, answers(b)) {
		var op pb.Op
		if err := op.Unmarshal(data); err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, m := range op.GetExec().GetMounts() {
			if strings.HasPrefix(m.Dest, "/packfile/tree/") {
				n++
			}
		}
		if n > 0 {
			layers = append(layers, n)
		}
	}
	slices.Sort(layers)
	return layers
}

func TestOneStepDescribesManyLayers(t *testing.T) {
	imported := func(in *testInput) { in.CacheImported = true }
	rest := 3 // sbom, launcher and launch metadata
	for _, test := range []struct {
		layers int
		change []func(*testInput)
		want   []int
	}{
		{1, nil, []int{1 + rest}},
		{8, nil, []int{8 + rest}},
		{60, nil, []int{60 + rest - graph.MaxDescribed, graph.MaxDescribed}},
		{3, []func(*testInput){imported}, []int{1, 1, 1}}, // the rest has a step of its own, which is not below the image
	} {
		t.Run(fmt.Sprintf("%d with caches to import: %t", test.layers, test.change != nil), func(t *testing.T) {
			if diff := cmp.Diff(test.want, describedBy(t, newBuild(t, manyLayers(test.layers), test.change...))); diff != "" {
				t.Error(diff)
			}
		})
	}
}
