package packfile

import (
	"fmt"
	"strings"
)

// A schema describes the tables that fill a T: their keys, and what must hold between them. It is the one place where
// the keys of a table are listed: reading, "did you mean" and the list of valid keys come from it.
type schema[T any] struct {
	what   string // one such table, as messages call it
	keys   []key[T]
	start  func(v *T)             // sets what holds when a key is not given; may be nil
	finish func(d *decoder, v *T) // checks keys against each other; may be nil
	open   bool                   // other keys are not ours to check

	names  [2][]string       // of all keys, as TOML and as YAML write them
	byName [2]map[string]int // index in keys
}

// key describes one key of a table by its TOML name; the YAML name follows from it.
type key[T any] struct {
	name     string
	required bool
	read     func(d *decoder, v *T, e *entry)
}

// must makes a key one that has to be given.
func must[T any](k key[T]) key[T] {
	k.required = true
	return k
}

// define completes a schema.
func define[T any](s schema[T]) *schema[T] {
	for format := range s.names {
		s.byName[format] = make(map[string]int, len(s.keys))
		for i, k := range s.keys {
			name := spelling(format).of(k.name)
			s.names[format] = append(s.names[format], name)
			s.byName[format][name] = i
		}
	}
	return &s
}

// spelling is how a format writes keys of several words.
type spelling int

const (
	kebabCase spelling = iota // TOML
	camelCase                 // YAML
)

func (s spelling) of(name string) string {
	words := strings.Split(name, "-")
	if s == kebabCase || len(words) == 1 {
		return name
	}
	for i, word := range words[1:] {
		words[i+1] = strings.ToUpper(word[:1]) + word[1:]
	}
	return strings.Join(words, "")
}

// located is a pointer to a T that knows where its keys stand.
type located[T any] interface {
	*T
	table() *Table
}

// read fills v from a table. It says whether there was one.
func read[T any, P located[T]](d *decoder, s *schema[T], n *node, v *T) bool {
	if n.kind != tableKind && n.kind != nullKind {
		d.fail(n.at, "", "%s is a table, found %s", s.what, n.kind)
		return false
	}
	t := P(v).table()
	*t = Table{self: n.at, keys: make([]keyPlace, 0, min(len(n.entries), len(s.keys)))}
	if s.start != nil {
		s.start(v)
	}
	for i := range n.entries {
		e := &n.entries[i]
		k, ok := s.byName[d.spelling][e.key]
		if !ok {
			if !s.open {
				d.unknown(s.what, e, s.names[d.spelling])
			}
			continue
		}
		t.keys = append(t.keys, keyPlace{s.keys[k].name, e.value.at})
		s.keys[k].read(d, v, e)
	}
	for i, k := range s.keys {
		if k.required && !t.Has(k.name) {
			d.fail(t.self, "", "%s needs %q", s.what, s.names[d.spelling][i])
		}
	}
	if s.finish != nil {
		s.finish(d, v)
	}
	return true
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
	if d.spelling == camelCase {
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

// str is a key that holds a string.
func str[T any](name string, field func(*T) *string, checks ...check) key[T] {
	return key[T]{name: name, read: func(d *decoder, v *T, e *entry) {
		n := d.asText(e.value)
		if n.kind != stringKind {
			hint := ""
			if n.text != "" {
				hint = d.example(e.key, quote(n.text))
			}
			d.wrong(e, n, "a string", hint)
			return
		}
		*field(v) = n.text
		d.checked(e, n, checks)
	}}
}

// asText is a value where a string is wanted. In YAML few people know which plain scalars are something else (2.7, true,
// 2020-01-01), so any of them but null is its text there. TOML's strings have quotes: what has none is not meant as one.
func (d *decoder) asText(n *node) *node {
	switch n.kind {
	case integerKind, floatKind, boolKind, dateKind:
		if d.spelling == camelCase {
			return &node{kind: stringKind, text: n.written, at: n.at}
		}
	}
	return n
}

// boolean is a key that holds true or false.
func boolean[T any](name string, field func(*T) *bool) key[T] {
	return key[T]{name: name, read: func(d *decoder, v *T, e *entry) {
		if e.value.kind != boolKind {
			hint := ""
			switch strings.ToLower(e.value.text) {
			case "true", "yes", "on", "1":
				hint = d.example(e.key, "true")
			case "false", "no", "off", "0":
				hint = d.example(e.key, "false")
			}
			d.wrong(e, e.value, "a boolean", hint)
			return
		}
		*field(v) = e.value.text == "true"
	}}
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

// list is a key that holds strings.
func list[T any, P located[T]](name string, field func(*T) *[]string, checks ...check) key[T] {
	return key[T]{name: name, read: func(d *decoder, v *T, e *entry) {
		*field(v) = d.strings(P(v).table(), name, e, checks)
	}}
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
	if t.items == nil {
		t.items = map[string][]Range{}
	}
	t.items[name] = places
	return values
}

// sub is a key that holds a table.
func sub[T, U any, P located[U]](name string, s *schema[U], field func(*T) *U) key[T] {
	return key[T]{name: name, read: func(d *decoder, v *T, e *entry) {
		read[U, P](d, s, e.value, field(v))
	}}
}

// optional is a key that holds a table which need not be there.
func optional[T, U any, P located[U]](name string, s *schema[U], field func(*T) **U) key[T] {
	return key[T]{name: name, read: func(d *decoder, v *T, e *entry) {
		if u := new(U); read[U, P](d, s, e.value, u) {
			*field(v) = u
		}
	}}
}

// tables is a key that holds an array of tables.
func tables[T, U any, P located[U]](name string, s *schema[U], field func(*T) *[]U) key[T] {
	return key[T]{name: name, read: func(d *decoder, v *T, e *entry) {
		n := e.value
		if n.kind == nullKind {
			return
		}
		if n.kind != arrayKind {
			hint := ""
			if n.kind == tableKind {
				hint = "write each as an element of a list: - " + s.names[d.spelling][0] + ": …"
				if d.spelling == kebabCase {
					hint = "write the header in double brackets: [[…" + e.key + "]]"
				}
			}
			d.wrong(e, n, "an array of tables", hint)
			return
		}
		if d.tooMany(e) {
			return
		}
		values := make([]U, len(n.items))
		kept := values[:0]
		for i, item := range n.items {
			if read[U, P](d, s, item, &values[i]) {
				kept = append(kept, values[i])
			}
		}
		*field(v) = kept
	}}
}
