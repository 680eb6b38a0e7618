package packfile

import (
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
			name := Format(format).key(k.name)
			s.names[format] = append(s.names[format], name)
			s.byName[format][name] = i
		}
	}
	return &s
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
		k, ok := s.byName[d.format][e.key]
		if !ok {
			if !s.open {
				d.unknown(s.what, e, s.names[d.format])
			}
			continue
		}
		t.keys = append(t.keys, keyPlace{s.keys[k].name, e.value.at})
		s.keys[k].read(d, v, e)
	}
	for i, k := range s.keys {
		if k.required && !t.Has(k.name) {
			d.fail(t.self, "", "%s needs %q", s.what, s.names[d.format][i])
		}
	}
	if s.finish != nil {
		s.finish(d, v)
	}
	return true
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

// list is a key that holds strings.
func list[T any, P located[T]](name string, field func(*T) *[]string, checks ...check) key[T] {
	return key[T]{name: name, read: func(d *decoder, v *T, e *entry) {
		*field(v) = d.strings(P(v).table(), name, e, checks)
	}}
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
				hint = "write each as an element of a list: - " + s.names[d.format][0] + ": …"
				if d.format == TOML {
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
