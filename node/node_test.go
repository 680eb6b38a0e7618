package node

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// outline returns a tree as text: what each value is, and where it and its key stand.
func outline(n *Node) string {
	at := func(r Range) string { return fmt.Sprintf("%d:%d-%d", r.Start.Line, r.Start.Column, r.End.Column) }
	var b strings.Builder
	var write func(n *Node, depth int)
	write = func(n *Node, depth int) {
		fmt.Fprintf(&b, "%s %q %s\n", n.Kind, n.Text, at(n.At))
		for _, item := range n.Items {
			b.WriteString(strings.Repeat("  ", depth+1) + "- ")
			write(item, depth+1)
		}
		for _, e := range n.Entries {
			b.WriteString(strings.Repeat("  ", depth+1) + e.Key + " " + at(e.KeyAt) + ": ")
			write(e.Value, depth+1)
		}
	}
	write(n, 0)
	return b.String()
}

func TestATreeSaysWhereEveryKeyAndValueStands(t *testing.T) {
	for _, test := range []struct {
		format     Format
		text, want string
	}{
		{TOML, "a = 1 # c\n[b.c]\nd = ['x', true]\n", `a table "" 1:1-9
  a 1:1-1: an integer "1" 1:5-5
  b 2:2-2: a table "" 2:2-2
    c 2:4-4: a table "" 2:2-4
      d 3:1-1: an array "" 3:5-15
        - a string "x" 3:6-8
        - a boolean "true" 3:11-14
`},
		{YAML, "a: 1 # c\nb:\n  c:\n    d: [x, true]\n", `a table "" 1:1-8
  a 1:1-1: an integer "1" 1:4-8
  b 2:1-1: a table "" 2:1-1
    c 3:3-3: a table "" 3:3-3
      d 4:5-5: an array "" 4:8-16
        - a string "x" 4:9-16
        - a boolean "true" 4:12-16
`},
	} {
		d := NewDecoder(test.format)
		root := d.Tree("a file", []byte(test.text))
		require.NoError(t, d.Err("file"))
		require.Equal(t, test.want, outline(root))
	}
}

// fruit is what the schema in these tests fills.
type fruit struct {
	Table
	Name   string
	Colors []string
	Ripe   bool
	Seeds  []fruit
}

var fruitSchema, seedSchema *Schema[fruit]

func init() {
	keys := []Key[fruit]{
		Required(String("name", func(f *fruit) *string { return &f.Name }, Word)),
		Strings("all-colors", func(f *fruit) *[]string { return &f.Colors }),
		Boolean("ripe", func(f *fruit) *bool { return &f.Ripe }),
	}
	seedSchema = Define(Schema[fruit]{What: "a seed", Keys: keys, Open: true})
	fruitSchema = Define(Schema[fruit]{
		What:  "a fruit",
		Start: func(f *fruit) { f.Ripe = true },
		Keys:  append(keys, Tables("seeds", seedSchema, func(f *fruit) *[]fruit { return &f.Seeds })),
	})
}

func readFruit(format Format, text string) (f fruit, err error) {
	d := NewDecoder(format)
	if root := d.Tree("a fruit", []byte(text)); root != nil {
		Read(d, fruitSchema, root, &f)
	}
	return f, d.Err("fruit")
}

func TestASchemaFillsAValueThatKnowsItsPlaces(t *testing.T) {
	for format, text := range map[Format]string{
		TOML: "name = 'plum'\nall-colors = ['blue',\n 'red']\nseeds = [{ name = 'a', weight = 1 }]\n",
		YAML: "name: plum\nallColors: [blue,\n red]\nseeds: [{ name: a, weight: 1 }]\n",
	} {
		f, err := readFruit(format, text)
		require.NoError(t, err)
		require.Equal(t, "plum", f.Name)
		require.Equal(t, []string{"blue", "red"}, f.Colors)
		require.True(t, f.Ripe, "what holds when a key is not given")
		require.Len(t, f.Seeds, 1)
		require.Equal(t, Position{Line: 3, Column: 2}, f.Item("all-colors", 1).Start)
		require.Equal(t, f.At("all-colors"), f.Item("all-colors", 2), "an element that is not there stands where the list does")
		require.Equal(t, 4, f.Seeds[0].At("name").Start.Line)
		require.Equal(t, f.Range(), f.At("ripe"), "a key that is not there stands where its table does")
		require.True(t, f.Has("name"))
		require.False(t, f.Has("ripe"))
		require.True(t, f.IsList("all-colors"))
		require.False(t, f.IsList("name"))
	}
}

func TestEverythingThatIsWrongIsSaidAtOnceInTheWordsOfTheFormat(t *testing.T) {
	_, err := readFruit(TOML, "nam = 'plum'\nallColors = []\nripe = 'yes'\nseeds = [{ name = 'a b' }, 1]\n")
	require.EqualError(t, err, `fruit:1:1: unknown key "nam" in a fruit (did you mean "name"?)
fruit:1:1: a fruit needs "name"
fruit:2:1: unknown key "allColors" in a fruit (did you mean "all-colors"?)
fruit:3:8: ripe: expected a boolean, found a string (write ripe = true)
fruit:4:19: name: "a b" holds white space
fruit:4:28: a seed is a table, found an integer`)
	_, err = readFruit(YAML, "name: plum\nall-colors: []\nripe: 'yes'\nseeds: {}\n")
	require.EqualError(t, err, `fruit:2:1: unknown key "all-colors" in a fruit (did you mean "allColors"?)
fruit:3:7: ripe: expected a boolean, found a string (write ripe: true)
fruit:4:8: seeds: expected an array of tables, found a table (write each as an element of a list: - name: …)`)
}

func TestManyErrorsAreCounted(t *testing.T) {
	var text strings.Builder
	for i := range 600 {
		fmt.Fprintf(&text, "k%d = 1\n", i)
	}
	_, err := readFruit(TOML, "name = 'a'\n"+text.String())
	var e *Error
	require.ErrorAs(t, err, &e)
	require.Len(t, e.Diagnostics, maxDiagnostics+1)
	require.Equal(t, "100 more errors are not shown", e.Diagnostics[maxDiagnostics].Text())
}

// Comparing every wrong word with every right one would take time in proportion to their product.
func TestOnlyTheFirstWrongWordsAreComparedWithOthers(t *testing.T) {
	d := NewDecoder(TOML)
	for range maxSuggestions {
		require.True(t, d.MaySuggest())
		require.Equal(t, `did you mean "name"?`, d.DidYouMean("nam", []string{"name"}))
	}
	require.False(t, d.MaySuggest())
	require.Empty(t, d.DidYouMean("nam", []string{"name"}))
}

func TestATableOfManyKeysFindsThemAfterChanges(t *testing.T) {
	table := &Node{Kind: TableKind}
	for i := range 2 * indexed {
		table.Add(Entry{Key: fmt.Sprint("k", i), Value: &Node{}})
	}
	require.NotNil(t, table.Find("k3"))
	removed, ok := table.Remove("k3")
	require.True(t, ok)
	require.Equal(t, "k3", removed.Key)
	require.Nil(t, table.Find("k3"))
	table.Rename(table.Find("k4"), "k3")
	require.Nil(t, table.Find("k4"))
	require.NotNil(t, table.Find("k3"))
	_, ok = table.Remove("k4")
	require.False(t, ok)
}
