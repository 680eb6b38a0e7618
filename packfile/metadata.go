package packfile

import (
	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/node"
)

// free returns a key that holds a metadata table.
func free[T any](name string, field func(*T) *metadata.Table, checks ...node.Check) node.Key[T] {
	return node.Key[T]{Name: name, Read: func(d *node.Decoder, v *T, e *node.Entry) {
		if e.Value.Kind != node.TableKind && e.Value.Kind != node.NullKind {
			d.Wrong(e, e.Value, "a table", "")
			return
		}
		*field(v) = readMetadata(d, e.Value, checks)
	}}
}

// readMetadata reads one level of a metadata table. It keeps keys as they are in both formats, and other values than
// strings as the file has them, so that version = 1.10 stays 1.10.
func readMetadata(d *node.Decoder, table *node.Node, checks []node.Check) metadata.Table {
	values := make(metadata.Table, len(table.Entries))
	for i := range table.Entries {
		e := &table.Entries[i]
		if problem, hint := metadataKey(e.Key); problem != "" {
			d.Fail(e.KeyAt, hint, "metadata key %s %s", node.Quote(e.Key), problem)
			continue
		}
		switch e.Value.Kind {
		case node.TableKind:
			values[e.Key] = readMetadata(d, e.Value, checks)
		case node.StringKind:
			d.Checked(e, e.Value, checks)
			values[e.Key] = e.Value.Text
		case node.ArrayKind:
			d.Wrong(e, e.Value, "a string or a table", "write the elements into one string, or a table with a key for each")
		case node.NullKind:
			d.Wrong(e, e.Value, "a string or a table", d.Example(e.Key, `""`))
		default:
			values[e.Key] = e.Value.Text
		}
	}
	return values
}
