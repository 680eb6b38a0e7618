package node

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/packfile/frontend/text"
)

// Decoder reads one file: first its tree, then values by schemas. It collects all errors on the way.
type Decoder struct {
	Report
	Format    Format
	suggested int // how many words were compared with others; see DidYouMean
}

// NewDecoder returns a decoder of a file of a format.
func NewDecoder(f Format) *Decoder { return &Decoder{Format: f} }

// maxSuggestions bounds the comparisons with similar words, whose number is the product of wrong and right ones.
const maxSuggestions = 100

// MaySuggest reports whether DidYouMean still looks: if not, the caller need not collect candidates.
func (d *Decoder) MaySuggest() bool { return d.suggested < maxSuggestions }

// DidYouMean returns the hint that suggests the candidate that a mistyped word probably means, "" when none is near or when the
// file has too many wrong words.
func (d *Decoder) DidYouMean(wrong string, candidates []string) string {
	if !d.MaySuggest() {
		return ""
	}
	d.suggested++
	return text.DidYouMean(wrong, candidates)
}

// Key returns the name of a key in the file's format, given its TOML name.
func (d *Decoder) Key(name string) string { return d.Format.key(name) }

// Tree reads a text into a tree. It returns nil, with an error reported, when the text is too large or its syntax broken.
func (d *Decoder) Tree(what string, data []byte) *Node {
	if len(data) > MaxSize {
		first := Range{Position{1, 1}, Position{1, 1}}
		d.Fail(first, "", "%s has at most %d MiB, this one has %d bytes", what, MaxSize>>20, len(data))
		return nil
	}
	data = text.Unix(data)
	data = data[:len(data):len(data)] // the TOML parser finds its place by capacity
	src := newSource(data)
	switch {
	case !d.measured(src):
		return nil
	case d.Format == YAML:
		return readYAML(what, src, &d.Report)
	}
	return readTOML(src, &d.Report)
}

// Unique reports an error when a name is defined already.
func (d *Decoder) Unique(seen map[string]Range, what, name string, at Range) {
	if name == "" {
		return
	}
	if first, ok := seen[name]; ok {
		d.Fail(at, "", "%s %s is already defined on line %d", what, Quote(name), first.Start.Line)
		return
	}
	seen[name] = at
}

// Unknown reports an error for a key that the table does not have, with the nearest key or the list of keys as hint.
func (d *Decoder) Unknown(what string, e *Entry, names []string) {
	hint := cmp.Or(d.DidYouMean(e.Key, names), "keys of "+what+": "+strings.Join(names, ", "))
	d.Fail(e.KeyAt, hint, "unknown key %s in %s", Quote(e.Key), what)
}

// Wrong reports an error for a value of another kind than its key takes.
func (d *Decoder) Wrong(e *Entry, n *Node, want, hint string) {
	d.Fail(n.At, hint, "%s: expected %s, found %s", e.Key, want, n.Kind)
}

// Example returns a key with a value, as a hint shows it.
func (d *Decoder) Example(key, value string) string {
	if d.Format == YAML {
		return fmt.Sprintf("write %s: %s", key, value)
	}
	return fmt.Sprintf("write %s = %s", key, value)
}

// Checked applies checks to a string, which may hold no NUL byte, and reports the first problem as an error.
func (d *Decoder) Checked(e *Entry, n *Node, checks []Check) {
	if strings.IndexByte(n.Text, 0) >= 0 {
		d.Fail(n.At, "", "%s: %s holds a NUL byte", e.Key, Quote(n.Text))
		return
	}
	for _, check := range checks {
		if problem, hint := check(n.Text); problem != "" {
			d.Fail(n.At, hint, "%s: %s %s", e.Key, Quote(n.Text), problem)
			return
		}
	}
}

// AsText returns a value as a string, where a string is expected. Few people know which plain scalars of YAML are
// something else (2.7, true, 2020-01-01), so every plain scalar but null becomes its text. TOML's strings have quotes: a
// value without quotes is not meant as a string, and stays as it is.
func (d *Decoder) AsText(n *Node) *Node {
	switch n.Kind {
	case IntegerKind, FloatKind, BoolKind, DateKind:
		if d.Format == YAML {
			return &Node{Kind: StringKind, Text: n.written, At: n.At}
		}
	}
	return n
}

// tooMany reports whether an array has more than MaxEntries entries, with an error at the first one too many.
func (d *Decoder) tooMany(e *Entry) bool {
	items := e.Value.Items
	if len(items) <= MaxEntries {
		return false
	}
	d.Fail(items[MaxEntries].At, "", "%s has at most %d entries, this one has %d", e.Key, MaxEntries, len(items))
	return true
}

// Strings reads an array of strings and records the place of each.
func (d *Decoder) Strings(t *Table, name string, e *Entry, checks []Check) []string {
	n := e.Value
	if n.Kind != ArrayKind {
		hint := ""
		if n.Text != "" {
			hint = d.Example(e.Key, "["+Quote(n.Text)+"]")
		}
		d.Wrong(e, n, "an array of strings", hint)
		return nil
	}
	if d.tooMany(e) {
		return nil
	}
	values := make([]string, 0, len(n.Items))
	places := make([]Range, 0, len(n.Items))
	for _, item := range n.Items {
		if item = d.AsText(item); item.Kind != StringKind {
			hint := ""
			if item.Text != "" {
				hint = "write " + Quote(item.Text)
			}
			d.Wrong(e, item, "an array of strings", hint)
			continue
		}
		d.Checked(e, item, checks)
		values = append(values, item.Text)
		places = append(places, item.At)
	}
	t.putItems(name, places)
	return values
}
