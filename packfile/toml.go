package packfile

import (
	"bytes"
	"errors"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// definition is how a TOML table or array came to be; it decides what may still be added to it.
type definition uint8

const (
	byValue  definition = iota // an inline table or array: closed
	byPath                     // named on the way to another header: its own header may follow
	byHeader                   // [header] or [[header]]
	byDots                     // a dotted key: only dotted keys of the same table add to it
)

// tomlReader builds the tree of a TOML packfile.
//
// The library's parser decides what a line means; which lines go together is decided here, because the library's own
// check looks through all keys of the document for each key. FuzzParseTOML compares the verdicts.
type tomlReader struct {
	*report
	src    *source
	parser unstable.Parser
	root   *node
	table  *node // that key-value lines go to
}

// readTOML reads a whole document. It returns nil when the syntax is broken, because what a broken text leaves out would
// only bring up errors that are not there.
func readTOML(src *source, r *report) *node {
	t := &tomlReader{report: r, src: src, root: &node{kind: tableKind, defined: byHeader, at: src.restOfLine(0)}}
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
	t.fail(at, "", "invalid TOML: %s", err)
	return nil
}

// header opens the table that a [header] or [[header]] names. After a header that does not fit, the lines below it go
// nowhere.
func (t *tomlReader) header(e *unstable.Node) {
	var parts []*unstable.Node
	for it := e.Key(); it.Next(); {
		parts = append(parts, it.Node())
	}
	first, last := parts[0], parts[len(parts)-1]
	whole := t.src.span(int(first.Raw.Offset), int(last.Raw.Offset+last.Raw.Length))
	t.table = &node{kind: tableKind, defined: byHeader, at: whole}
	if len(parts) > maxDepth {
		t.fail(whole, "", "tables nest more than %d deep", maxDepth)
		return
	}

	parent := t.root
	for _, part := range parts[:len(parts)-1] {
		if parent = t.step(parent, part, byPath); parent == nil {
			return
		}
	}
	name, at := string(last.Data), t.at(last)
	found := parent.find(name)
	switch {
	case found == nil && e.Kind == unstable.Table:
		parent.add(entry{key: name, keyAt: at, value: t.table})
	case found == nil:
		array := &node{kind: arrayKind, defined: byHeader, at: whole, items: []*node{t.table}}
		parent.add(entry{key: name, keyAt: at, value: array})
	case e.Kind == unstable.Table && found.value.kind == tableKind && found.value.defined == byPath:
		found.value.defined, found.value.at = byHeader, whole
		found.keyAt = at
		t.table = found.value
	case e.Kind == unstable.ArrayTable && found.value.kind == arrayKind && found.value.defined == byHeader:
		found.value.items = append(found.value.items, t.table)
	case found.value.kind == arrayKind && found.value.defined == byHeader:
		t.fail(at, "write [[…]]", "invalid TOML: %s is an array of tables since line %d", quote(name), line(found))
	default:
		t.defined(at, found)
	}
}

// step goes one part down a header or dotted key, making the table when it is not there. It returns nil, with an error
// reported, when something else stands there.
func (t *tomlReader) step(parent *node, part *unstable.Node, as definition) *node {
	name, at := string(part.Data), t.at(part)
	found := parent.find(name)
	if found == nil {
		child := &node{kind: tableKind, defined: as, at: at}
		parent.add(entry{key: name, keyAt: at, value: child})
		return child
	}
	value := found.value
	switch {
	case as == byDots && value.defined == byDots:
		return value
	case as == byPath && value.kind == arrayKind && value.defined == byHeader:
		return value.items[len(value.items)-1]
	case as == byPath && value.kind == tableKind && value.defined != byValue:
		return value
	}
	t.defined(at, found)
	return nil
}

// keyValue adds a possibly dotted key to a table.
func (t *tomlReader) keyValue(table *node, e *unstable.Node, depth int) {
	it := e.Key()
	it.Next()
	for !it.IsLast() {
		if depth++; depth > maxDepth {
			t.fail(t.at(it.Node()), "", "tables nest more than %d deep", maxDepth)
			return
		}
		if table = t.step(table, it.Node(), byDots); table == nil {
			return
		}
		it.Next()
	}
	last := it.Node()
	name, at := string(last.Data), t.at(last)
	if found := table.find(name); found != nil {
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
	table.add(entry{key: name, keyAt: at, value: value})
}

// value turns a value into a node.
func (t *tomlReader) value(e *unstable.Node, at Range, depth int) *node {
	n := &node{at: at}
	if (e.Kind == unstable.Array || e.Kind == unstable.InlineTable) && depth >= maxDepth {
		t.fail(at, "", "values nest more than %d deep", maxDepth)
		return n
	}
	switch e.Kind {
	case unstable.Array:
		n.kind = arrayKind
		for it := e.Children(); it.Next(); {
			item, itemAt := it.Node(), at
			if item.Raw.Length > 0 {
				itemAt = t.at(item)
			}
			n.items = append(n.items, t.value(item, itemAt, depth+1))
		}
	case unstable.InlineTable:
		n.kind = tableKind
		for it := e.Children(); it.Next(); {
			t.keyValue(n, it.Node(), depth+1)
		}
		close(n)
	case unstable.String:
		n.kind, n.text = stringKind, string(e.Data)
	case unstable.Bool:
		n.kind, n.text = boolKind, string(e.Data)
	default:
		n.kind, n.text = dateKind, string(e.Data)
		switch e.Kind {
		case unstable.Integer:
			n.kind = integerKind
		case unstable.Float:
			n.kind = floatKind
		}
		// The parser only finds where numbers and dates end; the library checks them when it decodes.
		var check struct{ V any }
		if err := toml.Unmarshal([]byte("V = "+n.text), &check); err != nil {
			t.fail(at, "", "invalid TOML: %s", strings.TrimPrefix(err.Error(), "toml: "))
		}
	}
	return n
}

// close marks the tables that dotted keys made inside an inline table: nothing can be added to them from outside.
func close(inline *node) {
	for _, e := range inline.entries {
		if e.value.kind == tableKind && e.value.defined == byDots {
			e.value.defined = byValue
			close(e.value)
		}
	}
}

// at is where a node of the parser stands.
func (t *tomlReader) at(e *unstable.Node) Range {
	return t.src.span(int(e.Raw.Offset), int(e.Raw.Offset+e.Raw.Length))
}

// defined reports a key that is there already.
func (t *tomlReader) defined(at Range, found *entry) {
	t.fail(at, "", "invalid TOML: %s is already defined on line %d", quote(found.key), line(found))
}

func line(e *entry) int { return e.keyAt.Start.Line }
