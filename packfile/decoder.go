package packfile

import (
	"fmt"
	"strings"

	"github.com/packfile/frontend/text"
)

// decoder reads one file: its tree, and what schemas make of that. It collects all that is wrong on the way.
type decoder struct {
	report
	format    Format
	suggested int // how many words were compared with others; see nearest
}

// newDecoder returns a decoder of a file of a format.
func newDecoder(f Format) *decoder { return &decoder{format: f} }

// maxSuggestions bounds the comparisons with similar words, whose number is the product of wrong and right ones.
const maxSuggestions = 100

// maySuggest says whether nearest still looks: who has to collect candidates can save that.
func (d *decoder) maySuggest() bool { return d.suggested < maxSuggestions }

// nearest returns the candidate that was probably meant by a word, "" when none is near or when there were too many wrong words.
func (d *decoder) nearest(wrong string, candidates []string) string {
	if !d.maySuggest() {
		return ""
	}
	d.suggested++
	return nearest(wrong, candidates)
}

// key is the name of a key as the file writes it.
func (d *decoder) key(name string) string { return d.format.key(name) }

// tree reads a text into a tree. It returns nil, with an error reported, when the text is too large or its syntax broken.
func (d *decoder) tree(what string, data []byte) *node {
	if len(data) > MaxSize {
		first := Range{Position{1, 1}, Position{1, 1}}
		d.fail(first, "", "%s has at most %d MiB, this one has %d bytes", what, MaxSize>>20, len(data))
		return nil
	}
	data = text.Unix(data)
	data = data[:len(data):len(data)] // the TOML parser finds its place by capacity
	src := newSource(data)
	switch {
	case !d.measured(src):
		return nil
	case d.format == YAML:
		return readYAML(what, src, &d.report)
	}
	return readTOML(src, &d.report)
}

// unique reports a name that was there before.
func (d *decoder) unique(seen map[string]Range, what, name string, at Range) {
	if name == "" {
		return
	}
	if first, ok := seen[name]; ok {
		d.fail(at, "", "%s %s is already defined on line %d", what, quote(name), first.Start.Line)
		return
	}
	seen[name] = at
}

// unknown reports a key that the table does not have.
func (d *decoder) unknown(what string, e *entry, names []string) {
	hint := "keys of " + what + ": " + strings.Join(names, ", ")
	if near := d.nearest(e.key, names); near != "" {
		hint = didYouMean(near)
	}
	d.fail(e.keyAt, hint, "unknown key %s in %s", quote(e.key), what)
}

// wrong reports a value of another kind than its key wants.
func (d *decoder) wrong(e *entry, n *node, want, hint string) {
	d.fail(n.at, hint, "%s: expected %s, found %s", e.key, want, n.kind)
}

// example is a key with a value, as a hint shows it.
func (d *decoder) example(key, value string) string {
	if d.format == YAML {
		return fmt.Sprintf("write %s: %s", key, value)
	}
	return fmt.Sprintf("write %s = %s", key, value)
}

// checked applies the checks of a key to one of its strings.
func (d *decoder) checked(e *entry, n *node, checks []check) {
	if strings.IndexByte(n.text, 0) >= 0 {
		d.fail(n.at, "", "%s: %s holds a NUL byte", e.key, quote(n.text))
		return
	}
	for _, check := range checks {
		if problem, hint := check(n.text); problem != "" {
			d.fail(n.at, hint, "%s: %s %s", e.key, quote(n.text), problem)
			return
		}
	}
}

// asText is a value where a string is wanted. In YAML few people know which plain scalars are something else (2.7, true,
// 2020-01-01), so any of them but null is its text there. TOML's strings have quotes: what has none is not meant as one.
func (d *decoder) asText(n *node) *node {
	switch n.kind {
	case integerKind, floatKind, boolKind, dateKind:
		if d.format == YAML {
			return &node{kind: stringKind, text: n.written, at: n.at}
		}
	}
	return n
}

// tooMany says whether an array has more entries than any may have, which is an error at the first too many.
func (d *decoder) tooMany(e *entry) bool {
	items := e.value.items
	if len(items) <= MaxEntries {
		return false
	}
	d.fail(items[MaxEntries].at, "", "%s has at most %d entries, this one has %d", e.key, MaxEntries, len(items))
	return true
}

// strings reads an array of strings and records where each stands.
func (d *decoder) strings(t *Table, name string, e *entry, checks []check) []string {
	n := e.value
	if n.kind != arrayKind {
		hint := ""
		if n.text != "" {
			hint = d.example(e.key, "["+quote(n.text)+"]")
		}
		d.wrong(e, n, "an array of strings", hint)
		return nil
	}
	if d.tooMany(e) {
		return nil
	}
	values := make([]string, 0, len(n.items))
	places := make([]Range, 0, len(n.items))
	for _, item := range n.items {
		if item = d.asText(item); item.kind != stringKind {
			hint := ""
			if item.text != "" {
				hint = "write " + quote(item.text)
			}
			d.wrong(e, item, "an array of strings", hint)
			continue
		}
		d.checked(e, item, checks)
		values = append(values, item.text)
		places = append(places, item.at)
	}
	t.putItems(name, places)
	return values
}
