// Package metadata has the metadata of layers and deps: what packfiles say of them, what scripts find in $MD and leave there, what
// labels and SBOMs of images say. It has the rules for all of these; it reads no file, and does not know what a key means.
package metadata

import (
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/packfile/frontend/text"
)

// Bounds of the metadata of a layer: labels of the image hold it, and every later build reads it into memory.
const (
	MaxBytes   = 1 << 20 // names and values together
	MaxEntries = 10_000
	MaxDepth   = 32        // of tables in tables
	MaxLeft    = 256 << 10 // bytes that a script may leave: the config of an image holds the metadata of all its layers
)

// Version is the name of the value that is the version of a layer.
const Version = "version"

// Table is metadata: values by name. Each is a string or another Table, as $MD has files and folders. A Table that comes from
// outside may break that rule until Check has seen it. As JSON it is an object with sorted names.
type Table map[string]any

// From returns the values of a decoder as a Table. A table in them becomes a Table; leaf makes something of each other value.
func From(values map[string]any, leaf func(any) any) Table {
	t := make(Table, len(values))
	for name, value := range values {
		if inner, ok := value.(map[string]any); ok {
			t[name] = From(inner, leaf)
		} else {
			t[name] = leaf(value)
		}
	}
	return t
}

// UnmarshalJSON reads an object. Values that are no strings or tables stay what they are: Check refuses them.
func (t *Table) UnmarshalJSON(data []byte) error {
	var values map[string]any
	if err := json.Unmarshal(data, &values); err != nil || values == nil { // null
		return err
	}
	*t = From(values, func(value any) any { return value })
	return nil
}

// Text returns the string of a name, "" when there is none.
func (t Table) Text(name string) string { value, _ := t[name].(string); return value }

// Table returns the table of a name, nil when there is none.
func (t Table) Table(name string) Table { inner, _ := t[name].(Table); return inner }

// Merged returns a new table with the values of t and of a later one, whose values win. It does not merge tables in them.
func (t Table) Merged(later Table) Table {
	all := make(Table, len(t)+len(later))
	maps.Copy(all, t)
	maps.Copy(all, later)
	return all
}

// Without returns a new table that lacks the names that drop names, at any depth.
func (t Table) Without(drop func(name string) bool) Table {
	rest := make(Table, len(t))
	for name, value := range t {
		if drop(name) {
			continue
		}
		if inner, ok := value.(Table); ok {
			value = inner.Without(drop)
		}
		rest[name] = value
	}
	return rest
}

// Map returns a new table with all strings changed, nil for nil. The error, of the first string that cannot be, says where it
// stands.
func (t Table) Map(change func(string) (string, error)) (Table, error) {
	if t == nil {
		return nil, nil
	}
	changed := make(Table, len(t))
	for _, name := range t.Names() {
		var err error
		switch value := t[name].(type) {
		case string:
			changed[name], err = change(value)
		case Table:
			changed[name], err = value.Map(change)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return changed, nil
}

// Names returns the names of the values, sorted.
func (t Table) Names() []string { return slices.Sorted(maps.Keys(t)) }

// Entry is a value of a table, or of one in it.
type Entry struct {
	Path  []string // names of the tables that it is in, and its own
	Value any
}

// Entries returns all values at any depth, sorted by name. A table comes before the values in it.
func (t Table) Entries() iter.Seq[Entry] {
	return func(yield func(Entry) bool) { t.walk(nil, yield) }
}

// walk yields the values of a table that stands at a path. It returns false when yield did.
func (t Table) walk(path []string, yield func(Entry) bool) bool {
	for _, name := range t.Names() {
		e := Entry{append(slices.Clip(path), name), t[name]}
		if !yield(e) {
			return false
		}
		if inner, ok := e.Value.(Table); ok && !inner.walk(e.Path, yield) {
			return false
		}
	}
	return true
}

// Check checks that a value is a string or a table, and that a file or folder can have its name.
func (e Entry) Check() error {
	name := e.Path[len(e.Path)-1]
	if problem := CheckName(name); problem != "" {
		return fmt.Errorf("%q cannot be the name of a file: it %s", text.Cut(name), problem)
	}
	switch e.Value.(type) {
	case string, Table:
		return nil
	}
	return fmt.Errorf("%s is neither a string nor a table", text.Word(text.Cut(strings.Join(e.Path, "."))))
}

// Check checks that metadata consists of strings, and tables of strings, within its bounds, and that a folder can hold it.
func (t Table) Check() error {
	entries, bytes := 0, 0
	for e := range t.Entries() {
		if err := e.Check(); err != nil {
			return err
		}
		bytes += len(e.Path[len(e.Path)-1])
		if value, ok := e.Value.(string); ok {
			bytes += len(value)
		} else if len(e.Path) > MaxDepth {
			return fmt.Errorf("tables are nested more than %d deep", MaxDepth)
		}
		if entries++; entries > MaxEntries {
			return fmt.Errorf("there are more than %d entries", MaxEntries)
		}
		if bytes > MaxBytes {
			return fmt.Errorf("there are more than %d bytes", MaxBytes)
		}
	}
	return nil
}
