package node

import (
	"strconv"
	"strings"
)

// A Schema describes the tables that fill a T: their keys, and the checks between keys. It is the one place that lists
// the keys of a table: reading, "did you mean" and the list of valid keys come from it.
type Schema[T any] struct {
	What   string // the name of such a table in messages
	Keys   []Key[T]
	Start  func(v *T)             // sets defaults; may be nil
	Finish func(d *Decoder, v *T) // checks keys against each other; may be nil
	Open   bool                   // other keys are not ours to check

	names  [2][]string       // of all keys, as TOML and as YAML write them
	byName [2]map[string]int // index in keys
}

// Key describes one key of a table by its TOML name; the YAML name follows from it.
type Key[T any] struct {
	Name     string
	required bool
	Read     func(d *Decoder, v *T, e *Entry)
}

// Required returns a copy of the key that must be given.
func Required[T any](k Key[T]) Key[T] {
	k.required = true
	return k
}

// Define returns the completed schema.
func Define[T any](s Schema[T]) *Schema[T] {
	for format := range s.names {
		s.byName[format] = make(map[string]int, len(s.Keys))
		for i, k := range s.Keys {
			name := Format(format).key(k.Name)
			s.names[format] = append(s.names[format], name)
			s.byName[format][name] = i
		}
	}
	return &s
}

// Has reports whether a table may have a key, given as a file of the format writes it.
func (s *Schema[T]) Has(f Format, key string) bool {
	_, ok := s.byName[f][key]
	return ok
}

// Located is a pointer to a T that knows where its keys stand.
type Located[T any] interface {
	*T
	table() *Table
}

// Read fills v from a table; null is an empty table. It returns false, with an error in d, when n is something else.
func Read[T any, P Located[T]](d *Decoder, s *Schema[T], n *Node, v *T) bool {
	if n.Kind != TableKind && n.Kind != NullKind {
		d.Fail(n.At, "", "%s is a table, found %s", s.What, n.Kind)
		return false
	}
	t := P(v).table()
	*t = Table{self: n.At, keys: make([]keyPlace, 0, min(len(n.Entries), len(s.Keys)))}
	if s.Start != nil {
		s.Start(v)
	}
	for i := range n.Entries {
		e := &n.Entries[i]
		k, ok := s.byName[d.Format][e.Key]
		if !ok {
			if !s.Open {
				d.Unknown(s.What, e, s.names[d.Format])
			}
			continue
		}
		t.keys = append(t.keys, keyPlace{s.Keys[k].Name, e.Value.At})
		s.Keys[k].Read(d, v, e)
	}
	for i, k := range s.Keys {
		if k.required && !t.Has(k.Name) {
			d.Fail(t.self, "", "%s needs %q", s.What, s.names[d.Format][i])
		}
	}
	if s.Finish != nil {
		s.Finish(d, v)
	}
	return true
}

// String returns a key that holds a string.
func String[T any](name string, field func(*T) *string, checks ...Check) Key[T] {
	return Key[T]{Name: name, Read: func(d *Decoder, v *T, e *Entry) {
		n := d.AsText(e.Value)
		if n.Kind != StringKind {
			hint := ""
			if n.Text != "" {
				hint = d.Example(e.Key, Quote(n.Text))
			}
			d.Wrong(e, n, "a string", hint)
			return
		}
		*field(v) = n.Text
		d.Checked(e, n, checks)
	}}
}

// Boolean returns a key that holds true or false.
func Boolean[T any](name string, field func(*T) *bool) Key[T] {
	return Key[T]{Name: name, Read: func(d *Decoder, v *T, e *Entry) {
		if e.Value.Kind != BoolKind {
			hint := ""
			switch strings.ToLower(e.Value.Text) {
			case "true", "yes", "on", "1":
				hint = d.Example(e.Key, "true")
			case "false", "no", "off", "0":
				hint = d.Example(e.Key, "false")
			}
			d.Wrong(e, e.Value, "a boolean", hint)
			return
		}
		*field(v) = e.Value.Text == "true"
	}}
}

// Integer returns a key that holds a whole number, not less than least and not more than most.
func Integer[T any](name string, field func(*T) *int, least, most int) Key[T] {
	return Key[T]{Name: name, Read: func(d *Decoder, v *T, e *Entry) {
		number, err := strconv.ParseInt(e.Value.Text, 0, 64)
		switch {
		case e.Value.Kind != IntegerKind:
			hint := ""
			if err == nil {
				hint = d.Example(e.Key, e.Value.Text)
			}
			d.Wrong(e, e.Value, "an integer", hint)
		case err != nil || number < int64(least) || number > int64(most):
			d.Fail(e.Value.At, "", "%s: %s is not between %d and %d", e.Key, e.Value.Text, least, most)
		default:
			*field(v) = int(number)
		}
	}}
}

// Strings returns a key that holds strings.
func Strings[T any, P Located[T]](name string, field func(*T) *[]string, checks ...Check) Key[T] {
	return Key[T]{Name: name, Read: func(d *Decoder, v *T, e *Entry) {
		*field(v) = d.Strings(P(v).table(), name, e, checks)
	}}
}

// Sub returns a key that holds a table.
func Sub[T, U any, P Located[U]](name string, s *Schema[U], field func(*T) *U) Key[T] {
	return Key[T]{Name: name, Read: func(d *Decoder, v *T, e *Entry) {
		Read[U, P](d, s, e.Value, field(v))
	}}
}

// Optional returns a key that holds a table and sets a pointer, nil when there is no table.
func Optional[T, U any, P Located[U]](name string, s *Schema[U], field func(*T) **U) Key[T] {
	return Key[T]{Name: name, Read: func(d *Decoder, v *T, e *Entry) {
		if u := new(U); Read[U, P](d, s, e.Value, u) {
			*field(v) = u
		}
	}}
}

// Tables returns a key that holds an array of tables.
func Tables[T, U any, P Located[U]](name string, s *Schema[U], field func(*T) *[]U) Key[T] {
	return Key[T]{Name: name, Read: func(d *Decoder, v *T, e *Entry) {
		n := e.Value
		if n.Kind == NullKind {
			return
		}
		if n.Kind != ArrayKind {
			hint := ""
			if n.Kind == TableKind {
				hint = "write each as an element of a list: - " + s.names[d.Format][0] + ": …"
				if d.Format == TOML {
					hint = "write the header in double brackets: [[…" + e.Key + "]]"
				}
			}
			d.Wrong(e, n, "an array of tables", hint)
			return
		}
		if d.tooMany(e) {
			return
		}
		values := make([]U, len(n.Items))
		kept := values[:0]
		for i, item := range n.Items {
			if Read[U, P](d, s, item, &values[i]) {
				kept = append(kept, values[i])
			}
		}
		*field(v) = kept
	}}
}
