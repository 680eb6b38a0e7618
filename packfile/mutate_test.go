package packfile

import (
	"testing"

	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/node/nodetest"
)

func TestEveryKeyOfAPackfileStandsEveryKindOfValue(t *testing.T) {
	for _, name := range []string{"full.toml", "full.yaml", "old.toml", "bad.toml"} {
		nodetest.Mutate(t, name, name == "full.toml", func(d *node.Decoder, root *node.Node) { readPackfile(d, root) })
	}
}
