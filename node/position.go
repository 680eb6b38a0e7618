package node

// Position is a place in a file. Both count from 1; Column counts bytes.
type Position struct {
	Line, Column int
}

// Range is a part of a file. End is the position of its last byte or later on the same line.
type Range struct {
	Start, End Position
}

// Table holds the places of a table and its keys in a file. Every type that comes from a table embeds one, so that later
// errors (a script that fails, a dep with another checksum) can still point at the file.
type Table struct {
	self  Range
	keys  []keyPlace         // few, so a scan is cheaper than a map
	items map[string][]Range // elements of lists of scalars
}

// keyPlace is the place of a key's value, with today's TOML name of the key.
type keyPlace struct {
	name string
	at   Range
}

// Range returns the place of the table: its header, or its first key. A missing table has the beginning of the file.
func (t Table) Range() Range {
	if t.self == (Range{}) {
		return Range{Start: Position{1, 1}, End: Position{1, 1}}
	}
	return t.self
}

// Has reports whether the key was given.
func (t Table) Has(key string) bool { return t.place(key) != nil }

// At returns the place of a key's value (its first line when it has several), or the table's place when the key was not
// given.
func (t Table) At(key string) Range {
	if p := t.place(key); p != nil {
		return p.at
	}
	return t.Range()
}

func (t Table) place(key string) *keyPlace {
	for i := range t.keys {
		if t.keys[i].name == key {
			return &t.keys[i]
		}
	}
	return nil
}

// Item returns the place of element i of a list, or of the key when the list has no such element.
func (t Table) Item(key string, i int) Range {
	if items := t.items[key]; i < len(items) {
		return items[i]
	}
	return t.At(key)
}

// NewTable returns a Table for a value that has a place in a file, but no table of its own there.
func NewTable(at Range) Table { return Table{self: at} }

// Put records the place of a key's value and, if it is a list, of its elements.
func (t *Table) Put(key string, at Range, items ...Range) {
	t.keys = append(t.keys, keyPlace{key, at})
	if len(items) > 0 {
		t.putItems(key, items)
	}
}

func (t *Table) putItems(key string, at []Range) {
	if t.items == nil {
		t.items = map[string][]Range{}
	}
	t.items[key] = at
}

// IsThere reports whether the table was given.
func (t Table) IsThere() bool { return t.self != Range{} }

// IsList reports whether the value of a key that takes a string or a list of strings is a list.
func (t Table) IsList(key string) bool { return t.items[key] != nil }

// table returns the Table of any type that embeds one.
func (t *Table) table() *Table { return t }
