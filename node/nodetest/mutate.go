package nodetest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/packfile/frontend/node"
)

// Mutate replaces each value of a file of testdata by a value of each kind, removes each key, and reads every result. It
// fails when that panics. With strict, every string of the file must be a string: a date in its place must be an error.
func Mutate(t *testing.T, name string, strict bool, read func(*node.Decoder, *node.Node)) {
	at := node.Range{Start: node.Position{Line: 1, Column: 1}, End: node.Position{Line: 1, Column: 1}}
	text := &node.Node{Kind: node.StringKind, Text: "x", At: at}
	table := &node.Node{Kind: node.TableKind, At: at}
	substitutes := []*node.Node{
		{Kind: node.NullKind, At: at}, text, {Kind: node.IntegerKind, Text: "1", At: at}, {Kind: node.BoolKind, Text: "true", At: at},
		{Kind: node.DateKind, Text: "2024-01-01", At: at}, table, {Kind: node.ArrayKind, At: at},
		{Kind: node.ArrayKind, At: at, Items: []*node.Node{text}}, {Kind: node.ArrayKind, At: at, Items: []*node.Node{table}},
		{Kind: node.ArrayKind, At: at, Items: []*node.Node{{Kind: node.NullKind, At: at}}},
	}
	data := Data(t, name)
	grow := func() *node.Node { return node.NewDecoder(node.FormatOf(name, data)).Tree("a file", data) }
	decode := func(what string, root *node.Node) *node.Decoder {
		d := node.NewDecoder(node.FormatOf(name, data))
		defer func() {
			if p := recover(); p != nil {
				t.Fatalf("%s: %s: %v", name, what, p)
			}
		}()
		read(d, root)
		return d
	}
	// Decoding may change the tree, so each change is made on a new one.
	for i := range spots(grow()) {
		for _, substitute := range substitutes {
			root := grow()
			place := spots(root)[i]
			before := (*place.value).Kind
			*place.value = substitute
			d := decode(fmt.Sprintf("%s is %s", place.name, substitute.Kind), root)
			if strict && before == node.StringKind && substitute.Kind == node.DateKind && !place.free {
				require.NotEmpty(t, d.Errors(), place.name)
			}
		}
		root := grow()
		place := spots(root)[i]
		if place.table != nil {
			place.table.Remove(place.key)
			decode(place.name+" is not there", root)
		}
	}
}

// spot is where one value stands in a tree.
type spot struct {
	name  string
	value **node.Node
	table *node.Node // nil for items
	key   string
	free  bool // below metadata
}

func spots(root *node.Node) []spot {
	var all []spot
	var walk func(n *node.Node, name string, free bool)
	walk = func(n *node.Node, name string, free bool) {
		for i := range n.Items {
			name := fmt.Sprintf("%s[%d]", name, i)
			all = append(all, spot{name: name, value: &n.Items[i], free: free})
			walk(n.Items[i], name, free)
		}
		for i := range n.Entries {
			e := &n.Entries[i]
			name, free := name+"."+e.Key, free || e.Key == "metadata"
			all = append(all, spot{name: name, value: &e.Value, table: n, key: e.Key, free: free})
			walk(e.Value, name, free)
		}
	}
	walk(root, "", false)
	return all
}
