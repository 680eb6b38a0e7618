package packfile

// free is a key that holds a metadata table: a tree of strings, because each value becomes a file in $MD.
func free[T any](name string, field func(*T) *map[string]any, checks ...check) key[T] {
	return key[T]{name: name, read: func(d *decoder, v *T, e *entry) {
		if e.value.kind != tableKind && e.value.kind != nullKind {
			d.wrong(e, e.value, "a table", "")
			return
		}
		*field(v) = readMetadata(d, e.value, checks)
	}}
}

// IsMetadataKey says whether a key of a metadata table can be a file in $MD that is not private there.
func IsMetadataKey(key string) bool {
	problem, _ := metadataKey(key)
	return problem == ""
}

// readMetadata reads one level of a metadata table. Keys are kept as they are in both formats. Values that are no strings
// are kept as the file has them, so that version = 1.10 stays 1.10.
func readMetadata(d *decoder, table *node, checks []check) map[string]any {
	values := make(map[string]any, len(table.entries))
	for i := range table.entries {
		e := &table.entries[i]
		if problem, hint := metadataKey(e.key); problem != "" {
			d.fail(e.keyAt, hint, "metadata key %s %s", quote(e.key), problem)
			continue
		}
		switch e.value.kind {
		case tableKind:
			values[e.key] = readMetadata(d, e.value, checks)
		case stringKind:
			d.checked(e, e.value, checks)
			values[e.key] = e.value.text
		case arrayKind:
			d.wrong(e, e.value, "a string or a table", "write the elements into one string, or a table with a key for each")
		case nullKind:
			d.wrong(e, e.value, "a string or a table", d.example(e.key, `""`))
		default:
			values[e.key] = e.value.text
		}
	}
	return values
}
