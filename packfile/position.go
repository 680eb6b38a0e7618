package packfile

// Position is a place in the packfile. Both count from 1; Column counts bytes.
type Position struct {
	Line, Column int
}

// Range is a part of the packfile. End is the position of its last byte or later on the same line.
type Range struct {
	Start, End Position
}

// Table keeps where a table and its keys stand in the packfile. Every type of this package that comes from a table
// embeds one, so that errors found later (a script that fails, a dep with another checksum) can still point at it.
type Table struct {
	self  Range
	keys  map[string]Range   // by today's TOML name of the key
	items map[string][]Range // elements of lists of scalars
}

// Range is where the table stands: its header, or its first key.
func (t Table) Range() Range { return t.self }

// Has says whether the key was given.
func (t Table) Has(key string) bool { _, ok := t.keys[key]; return ok }

// At is where a key's value stands (its first line when it has several), or the table when the key was not given.
func (t Table) At(key string) Range {
	if r, ok := t.keys[key]; ok {
		return r
	}
	return t.self
}

// Item is where element i of a list stands, or the key's own range.
func (t Table) Item(key string, i int) Range {
	if items := t.items[key]; i < len(items) {
		return items[i]
	}
	return t.At(key)
}

// table gives the decoder the Table of any type that embeds one.
func (t *Table) table() *Table { return t }
