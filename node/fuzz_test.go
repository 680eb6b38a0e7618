package node

import (
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
	"go.yaml.in/yaml/v3"

	"github.com/packfile/frontend/text"
)

// FuzzTOML compares the tree of a text, and whether there is one, with what the library makes of it.
func FuzzTOML(f *testing.F) {
	f.Add([]byte("# c\na = 1 # d\n[b.c]\n'd e' = [1.5, 'x', {y = 2024-01-01}]\n[[f]]\ng = true\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		d := NewDecoder(TOML)
		root := d.Tree("a file", data)
		for _, d := range d.Errors() {
			if strings.Contains(d.Message, "nest more than") {
				return // a limit of ours
			}
		}
		var want map[string]any
		err := toml.Unmarshal(text.Unix(data), &want)
		if (err != nil) != (d.Failures() > 0) {
			t.Fatalf("the library says %v, the tree says %v", err, d.Errors())
		}
		if err == nil {
			checkTree(t, root, want)
		}
	})
}

// FuzzYAML compares the tree of a text with what the library makes of it, if we do not refuse more than the library.
func FuzzYAML(f *testing.F) {
	f.Add([]byte("# c\na: 1 # d\nb: {c: [1.5, x, 2024-01-01]}\nf:\n- g: true\n  h: |\n    i\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		d := NewDecoder(YAML)
		root := d.Tree("a file", data)
		var want map[string]any
		if d.Failures() > 0 || root.Kind != TableKind || yaml.Unmarshal(text.Unix(data), &want) != nil {
			return
		}
		checkTree(t, root, map[string]any(want))
	})
}

// checkTree compares a tree with what a library decodes the same text to.
func checkTree(t *testing.T, n *Node, want any) {
	t.Helper()
	switch want := want.(type) {
	case map[string]any:
		if n.Kind != TableKind || len(n.Entries) != len(want) {
			t.Fatalf("%s of %d keys, want %v", n.Kind, len(n.Entries), want)
		}
		for _, e := range n.Entries {
			v, ok := want[e.Key]
			if !ok {
				t.Fatalf("key %q, want %v", e.Key, want)
			}
			checkTree(t, e.Value, v)
		}
	case map[any]any: // YAML keys that are no strings; here they are their text
		if n.Kind != TableKind || len(n.Entries) != len(want) {
			t.Fatalf("%s of %d keys, want %v", n.Kind, len(n.Entries), want)
		}
	case []any:
		if n.Kind != ArrayKind || len(n.Items) != len(want) {
			t.Fatalf("%s of %d items, want %v", n.Kind, len(n.Items), want)
		}
		for i, item := range n.Items {
			checkTree(t, item, want[i])
		}
	case string:
		if n.Kind != StringKind || n.Text != strings.ReplaceAll(want, "\r\n", "\n") && n.Text != want {
			t.Fatalf("%s %q, want %q", n.Kind, n.Text, want)
		}
	case bool:
		if n.Kind != BoolKind || (n.Text == "true") != want {
			t.Fatalf("%s %q, want %v", n.Kind, n.Text, want)
		}
	case int, int64, uint64:
		if n.Kind != IntegerKind {
			t.Fatalf("%s, want %v", n.Kind, want)
		}
	case float64:
		if n.Kind != FloatKind {
			t.Fatalf("%s, want %v", n.Kind, want)
		}
	case nil:
		if n.Kind != NullKind {
			t.Fatalf("%s, want nothing", n.Kind)
		}
	default:
		if n.Kind != DateKind {
			t.Fatalf("%s, want %v", n.Kind, want)
		}
	}
}
