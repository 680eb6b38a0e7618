package packfile

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEveryKeyStandsEveryKindOfValue puts a value of each kind in place of each value of the packfiles in testdata, and
// takes each key out. Nothing may panic, and where a string is replaced by a date there must be an error.
func TestEveryKeyStandsEveryKindOfValue(t *testing.T) {
	at := Range{Position{1, 1}, Position{1, 1}}
	text := &node{kind: stringKind, text: "x", at: at}
	table := &node{kind: tableKind, at: at}
	substitutes := []*node{
		{kind: nullKind, at: at}, text, {kind: integerKind, text: "1", at: at}, {kind: boolKind, text: "true", at: at},
		{kind: dateKind, text: "2024-01-01", at: at}, table, {kind: arrayKind, at: at},
		{kind: arrayKind, at: at, items: []*node{text}}, {kind: arrayKind, at: at, items: []*node{table}},
		{kind: arrayKind, at: at, items: []*node{{kind: nullKind, at: at}}},
	}
	packfiles := func(d *decoder, root *node) { readPackfile(d, root) }
	projects := func(d *decoder, root *node) { readProject(d, root) }
	buildpacks := func(d *decoder, root *node) { readBuildpackTOML(d, root) }
	for name, read := range map[string]func(*decoder, *node){
		"full.toml": packfiles, "full.yaml": packfiles, "old.toml": packfiles, "bad.toml": packfiles,
		"project/full.toml": projects, "project/old.toml": projects, "project/bad.toml": projects,
		"buildpack/composite.toml": buildpacks, "buildpack/several.toml": buildpacks, "buildpack/bad.toml": buildpacks,
	} {
		data := testdata(t, name)
		tree := func() *node {
			return newDecoder(FormatOf(name, data)).tree("a file", data)
		}
		decode := func(what string, root *node) *decoder {
			d := newDecoder(FormatOf(name, data))
			defer func() {
				if p := recover(); p != nil {
					t.Fatalf("%s: %s: %v", name, what, p)
				}
			}()
			read(d, root)
			return d
		}
		// Decoding changes the tree, so each change is made on a new one.
		for i := range spots(tree()) {
			for _, substitute := range substitutes {
				root := tree()
				place := spots(root)[i]
				before := (*place.value).kind
				*place.value = substitute
				d := decode(fmt.Sprintf("%s is %s", place.name, substitute.kind), root)
				if name == "full.toml" && before == stringKind && substitute.kind == dateKind && !place.free {
					require.NotEmpty(t, d.errors(), place.name)
				}
			}
			root := tree()
			place := spots(root)[i]
			if place.table != nil {
				place.table.remove(place.key)
				decode(place.name+" is not there", root)
			}
		}
	}
}

// spot is where one value stands in a tree.
type spot struct {
	name  string
	value **node
	table *node // nil for items
	key   string
	free  bool // below metadata
}

func spots(root *node) []spot {
	var all []spot
	var walk func(n *node, name string, free bool)
	walk = func(n *node, name string, free bool) {
		for i := range n.items {
			name := fmt.Sprintf("%s[%d]", name, i)
			all = append(all, spot{name: name, value: &n.items[i], free: free})
			walk(n.items[i], name, free)
		}
		for i := range n.entries {
			e := &n.entries[i]
			name, free := name+"."+e.key, free || e.key == "metadata"
			all = append(all, spot{name: name, value: &e.value, table: n, key: e.key, free: free})
			walk(e.value, name, free)
		}
	}
	walk(root, "", false)
	return all
}
