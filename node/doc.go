// Package node reads files in TOML and YAML into trees of nodes, of which each knows where it stands, and trees into Go values, by
// schemas that say which keys a table has. What is wrong is told at its place in the file, all of it at once, with a hint at what to
// write instead. It is for every room that has a format of its own; it knows none of these formats.
//
// A Decoder goes with a file through both steps:
//
//	d := node.NewDecoder(node.FormatOf(filename, data))
//	if root := d.Tree("a packfile", data); root != nil {
//		node.Read(d, schema, root, &value)
//	}
//	err := d.Err(filename) // everything that is wrong, in file order
//
// What a text may cost is measured before it is decoded: texts come from anyone.
package node
