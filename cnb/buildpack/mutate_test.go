package buildpack

import (
	"testing"

	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/node/nodetest"
)

func TestEveryKeyOfABuildpackTOMLStandsEveryKindOfValue(t *testing.T) {
	for _, name := range []string{"composite.toml", "several.toml", "bad.toml"} {
		nodetest.Mutate(t, name, false, func(d *node.Decoder, root *node.Node) { readFile(d, root) })
	}
}
