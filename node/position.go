package node

// Position is a place in a file. Both count from 1; Column counts bytes.
type Position struct {
	Line, Column int
}

// Range is a part of a file. End is the position of its last byte or later on the same line.
type Range struct {
	Start, End Position
}

// Table keeps where a table and its keys stand in a file. Every type that comes from a table
// embeds one, so that errors found later (a script that fails, a dep with another checksum) can still point at it.
type Table struct {
	self  Range
	keys  []keyPlace         // few, so a scan is cheaper than a map
	items map[string][]Range // elements of lists of scalars
}

// keyPlace is where the value of a key stands, by today's TOML name of the key.
type keyPlace struct {
	name string
	at   Range
}

// Range returns where the table stands: its header, or its first key. A table that is not there stands at the file's beginning.
func (t Table) Range() Range {
	if t.self == (Range{}) {
		return Range{Start: Position{1, 1}, End: Position{1, 1}}
	}
	return t.self
}

// Has says whether the key was given.
func (t Table) Has(key string) bool { return t.place(key) != nil }

// At returns where a key's value stands (its first line when it has several), or the table when the key was not given.
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

// Item returns where element i of a list stands, or the key's own range.
func (t Table) Item(key string, i int) Range {
	if items := t.items[key]; i < len(items) {
		return items[i]
	}
	return t.At(key)
}

// NewTable returns the places of what no file has as a table of its own, which stands somewhere all the same.
func NewTable(at Range) Table { return Table{self: at} }

// Put records where the value of a key stands, and if it is a list, where its elements do.
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

// IsThere says whether the table was given.
func (t Table) IsThere() bool { return t.self != Range{} }

// IsList says whether a key that may be a string or a list of strings is a list.
func (t Table) IsList(key string) bool { return t.items[key] != nil }

// table returns the Table of any type that embeds one.
func (t *Table) table() *Table { return t }
