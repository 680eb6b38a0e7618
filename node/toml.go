package node

import (
	"bytes"
	"errors"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// definition is how a document defined a table or array; it decides what the document may still add.
type definition uint8

const (
	byValue  definition = iota // an inline table or array: closed
	byPath                     // named on the way to another header: its own header may follow
	byHeader                   // [header] or [[header]]
	byDots                     // a dotted key: only dotted keys of the same table add to it
)

// tomlReader builds the tree of a TOML file.
//
// The library's parser decides what a line means. tomlReader decides which lines go together, because the library's own
// check looks through all keys of the document for each key. FuzzTOML compares the verdicts.
type tomlReader struct {
	*Report
	src    *source
	parser unstable.Parser
	root   *Node
	table  *Node // that key-value lines go to
}

// readTOML reads a whole document. It returns nil when the syntax is broken, because the missing rest of a broken text
// would only give false errors.
func readTOML(src *source, r *Report) *Node {
	t := &tomlReader{Report: r, src: src, root: &Node{Kind: TableKind, defined: byHeader, At: src.restOfLine(0)}}
	t.table = t.root
	t.parser.Reset(src.data)
	for t.parser.NextExpression() {
		switch e := t.parser.Expression(); e.Kind {
		case unstable.Table, unstable.ArrayTable:
			t.header(e)
		case unstable.KeyValue:
			t.keyValue(t.table, e, 1)
		}
	}
	err := t.parser.Error()
	if err == nil {
		return t.root
	}
	at := src.restOfLine(max(len(src.data)-1, 0))
	if perr := (*unstable.ParserError)(nil); errors.As(err, &perr) {
		raw := t.parser.Range(perr.Highlight)
		at = src.span(int(raw.Offset), int(raw.Offset+raw.Length))
	}
	t.Fail(at, "", "invalid TOML: %s", err)
	return nil
}

// header opens the table that a [header] or [[header]] names. After an invalid header, it drops the lines below it.
func (t *tomlReader) header(e *unstable.Node) {
	var parts []*unstable.Node
	for it := e.Key(); it.Next(); {
		parts = append(parts, it.Node())
	}
	first, last := parts[0], parts[len(parts)-1]
	whole := t.src.span(int(first.Raw.Offset), int(last.Raw.Offset+last.Raw.Length))
	t.table = &Node{Kind: TableKind, defined: byHeader, At: whole}
	if len(parts) > maxDepth {
		t.Fail(whole, "", "tables nest more than %d deep", maxDepth)
		return
	}

	parent := t.root
	for _, part := range parts[:len(parts)-1] {
		if parent = t.step(parent, part, byPath); parent == nil {
			return
		}
	}
	name, at := string(last.Data), t.at(last)
	found := parent.Find(name)
	switch {
	case found == nil && e.Kind == unstable.Table:
		parent.Add(Entry{Key: name, KeyAt: at, Value: t.table})
	case found == nil:
		array := &Node{Kind: ArrayKind, defined: byHeader, At: whole, Items: []*Node{t.table}}
		parent.Add(Entry{Key: name, KeyAt: at, Value: array})
	case e.Kind == unstable.Table && found.Value.Kind == TableKind && found.Value.defined == byPath:
		found.Value.defined, found.Value.At = byHeader, whole
		found.KeyAt = at
		t.table = found.Value
	case e.Kind == unstable.ArrayTable && found.Value.Kind == ArrayKind && found.Value.defined == byHeader:
		found.Value.Items = append(found.Value.Items, t.table)
	case found.Value.Kind == ArrayKind && found.Value.defined == byHeader:
		t.Fail(at, "write [[…]]", "invalid TOML: %s is an array of tables since line %d", Quote(name), line(found))
	default:
		t.defined(at, found)
	}
}

// step goes one part down a header or dotted key, making the table when it is not there. It returns nil, with an error
// reported, when something else stands there.
func (t *tomlReader) step(parent *Node, part *unstable.Node, as definition) *Node {
	name, at := string(part.Data), t.at(part)
	found := parent.Find(name)
	if found == nil {
		child := &Node{Kind: TableKind, defined: as, At: at}
		parent.Add(Entry{Key: name, KeyAt: at, Value: child})
		return child
	}
	value := found.Value
	switch {
	case as == byDots && value.defined == byDots:
		return value
	case as == byPath && value.Kind == ArrayKind && value.defined == byHeader:
		return value.Items[len(value.Items)-1]
	case as == byPath && value.Kind == TableKind && value.defined != byValue:
		return value
	}
	t.defined(at, found)
	return nil
}

// keyValue adds the value of a key, dotted or not, to a table.
func (t *tomlReader) keyValue(table *Node, e *unstable.Node, depth int) {
	it := e.Key()
	it.Next()
	for !it.IsLast() {
		if depth++; depth > maxDepth {
			t.Fail(t.at(it.Node()), "", "tables nest more than %d deep", maxDepth)
			return
		}
		if table = t.step(table, it.Node(), byDots); table == nil {
			return
		}
		it.Next()
	}
	last := it.Node()
	name, at := string(last.Data), t.at(last)
	if found := table.Find(name); found != nil {
		t.defined(at, found)
		return
	}
	// An array's node has no range of its own: a value begins after the "=" and ends where its line does.
	start := int(last.Raw.Offset + last.Raw.Length)
	start += bytes.IndexByte(t.src.data[start:], '=') + 1
	for t.src.data[start] == ' ' || t.src.data[start] == '\t' {
		start++
	}
	value := t.value(e.Value(), t.src.span(start, int(e.Raw.Offset+e.Raw.Length)), depth)
	table.Add(Entry{Key: name, KeyAt: at, Value: value})
}

// value turns a value into a node.
func (t *tomlReader) value(e *unstable.Node, at Range, depth int) *Node {
	n := &Node{At: at}
	if (e.Kind == unstable.Array || e.Kind == unstable.InlineTable) && depth >= maxDepth {
		t.Fail(at, "", "values nest more than %d deep", maxDepth)
		return n
	}
	switch e.Kind {
	case unstable.Array:
		n.Kind = ArrayKind
		for it := e.Children(); it.Next(); {
			item, itemAt := it.Node(), at
			if item.Raw.Length > 0 {
				itemAt = t.at(item)
			}
			n.Items = append(n.Items, t.value(item, itemAt, depth+1))
		}
	case unstable.InlineTable:
		n.Kind = TableKind
		for it := e.Children(); it.Next(); {
			t.keyValue(n, it.Node(), depth+1)
		}
		close(n)
	case unstable.String:
		n.Kind, n.Text = StringKind, string(e.Data)
	case unstable.Bool:
		n.Kind, n.Text = BoolKind, string(e.Data)
	default:
		n.Kind, n.Text = DateKind, string(e.Data)
		switch e.Kind {
		case unstable.Integer:
			n.Kind = IntegerKind
		case unstable.Float:
			n.Kind = FloatKind
		}
		// The parser only finds where numbers and dates end; the library checks them when it decodes.
		var check struct{ V any }
		if err := toml.Unmarshal([]byte("V = "+n.Text), &check); err != nil {
			t.Fail(at, "", "invalid TOML: %s", strings.TrimPrefix(err.Error(), "toml: "))
		}
	}
	return n
}

// close marks the tables that dotted keys made inside an inline table: nothing can be added to them from outside.
func close(inline *Node) {
	for _, e := range inline.Entries {
		if e.Value.Kind == TableKind && e.Value.defined == byDots {
			e.Value.defined = byValue
			close(e.Value)
		}
	}
}

// at returns where a node of the parser stands.
func (t *tomlReader) at(e *unstable.Node) Range {
	return t.src.span(int(e.Raw.Offset), int(e.Raw.Offset+e.Raw.Length))
}

// defined reports a key that is there already.
func (t *tomlReader) defined(at Range, found *Entry) {
	t.Fail(at, "", "invalid TOML: %s is already defined on line %d", Quote(found.Key), line(found))
}

func line(e *Entry) int { return e.KeyAt.Start.Line }
