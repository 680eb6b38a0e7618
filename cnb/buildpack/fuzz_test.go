package buildpack

import (
	"path/filepath"
	"testing"

	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/node/nodetest"
)

func FuzzParse(f *testing.F) {
	nodetest.Seed(f, "*.toml")
	f.Fuzz(func(t *testing.T, data []byte) {
		file := nodetest.CheckParse(t, data, func() (*File, []node.Diagnostic, error) {
			b, err := Parse("buildpack.toml", data)
			return b, nil, err
		})
		if file == nil {
			return
		}
		if len(file.Buildpacks) == 0 {
			t.Fatal("no module")
		}
		for _, b := range file.Buildpacks {
			if !filepath.IsLocal(b.ID) || !filepath.IsLocal(b.Version) || b.Path != "" && !filepath.IsLocal(b.Path) {
				t.Fatalf("%q %q at %q leaves its folder", b.ID, b.Version, b.Path)
			}
		}
	})
}

func FuzzCost(f *testing.F) {
	nodetest.Seed(f, "*.toml")
	f.Fuzz(func(t *testing.T, data []byte) {
		nodetest.CheckCost(t, "a.toml", data, func(data []byte) {
			_, _ = Parse("a.toml", data)
			_, _ = ParsePackage("a.toml", data)
		})
	})
}
