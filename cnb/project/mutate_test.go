package project

import (
	"testing"

	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/node/nodetest"
)

func TestEveryKeyOfAProjectDescriptorStandsEveryKindOfValue(t *testing.T) {
	for _, name := range []string{"full.toml", "old.toml", "bad.toml"} {
		nodetest.Mutate(t, name, false, func(d *node.Decoder, root *node.Node) { readProject(d, root) })
	}
}
