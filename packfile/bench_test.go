package packfile

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/packfile/frontend/node/nodetest"
)

// large is a packfile of n layers with about 15 lines each, where every layer links the one above.
func large(n int) []byte {
	var b strings.Builder
	b.WriteString("# syntax=registry.example.com/packfile/frontend:1\napi = \"0.10\"\n[[caches]]\nname = \"cache\"\n")
	for i := range n {
		fmt.Fprintf(&b, `
[[layers]]
name = "layer-%d"
export = true
version = "1.%d"
[layers.build]
inputs = ["src/%d/*.go", "go.mod"]
[layers.build.run]
inline = """
make -C src/%d
cp out "$LAYER"
"""
[[layers.build.deps]]
name = "tool"
uri = "https://example.com/{{.version}}/tool.tgz"
sha = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
[[layers.build.links]]
name = %q
path-as = "INPUT"
`, i, i, i, i, above(i))
	}
	return []byte(b.String())
}

// largeYAML is the same packfile in YAML.
func largeYAML(n int) []byte {
	var b strings.Builder
	b.WriteString("# syntax=registry.example.com/packfile/frontend:1\napi: \"0.10\"\ncaches:\n- name: cache\nlayers:\n")
	for i := range n {
		fmt.Fprintf(&b, `
- name: layer-%d
  export: true
  version: "1.%d"
  build:
    inputs: ["src/%d/*.go", go.mod]
    run:
      inline: |
        make -C src/%d
        cp out "$LAYER"
    deps:
    - name: tool
      uri: https://example.com/{{.version}}/tool.tgz
      sha: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
    links:
    - name: %s
      pathAs: INPUT
`, i, i, i, i, above(i))
	}
	return []byte(b.String())
}

// above is what layer i links.
func above(i int) string {
	if i == 0 {
		return "cache"
	}
	return fmt.Sprintf("layer-%d", i-1)
}

func BenchmarkParse(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		for filename, data := range map[string][]byte{"packfile.toml": large(n), "packfile.yaml": largeYAML(n)} {
			b.Run(fmt.Sprintf("%s of %d layers", filename, n), func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(len(data)))
				for b.Loop() {
					if _, _, err := Parse(filename, data); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func TestLargePackfilesSayTheSameInBothFormats(t *testing.T) {
	fromTOML, _, err := Parse("packfile.toml", large(50))
	require.NoError(t, err)
	fromYAML, _, err := Parse("packfile.yaml", largeYAML(50))
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(fromTOML, fromYAML, nodetest.NoPlaces))
}
