package packfile

import (
	"fmt"
	"strings"
	"testing"
)

// large is a packfile of n layers with about 15 lines each, where every layer links the one above.
func large(n int) []byte {
	var b strings.Builder
	b.WriteString("# syntax=packfile/frontend:1\napi = \"0.10\"\n[[caches]]\nname = \"cache\"\n")
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
`, i, i, i, i, map[bool]string{true: "cache", false: fmt.Sprintf("layer-%d", i-1)}[i == 0])
	}
	return []byte(b.String())
}

func BenchmarkParseTOML(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		data := large(n)
		b.Run(fmt.Sprintf("%d layers", n), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if _, _, err := Parse("packfile.toml", data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
