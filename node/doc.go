// Package node reads TOML and YAML files into trees of nodes, each with its place in the file. It reads trees into Go
// values by schemas, which list the keys of each table. It reports all errors at once, each at its place, with a hint at
// what to write instead. Every room that has a format of its own uses it; it knows none of these formats, and reads no
// file from disk.
//
// A Decoder goes with a file through both steps:
//
//	d := node.NewDecoder(node.FormatOf(filename, data))
//	if root := d.Tree("a packfile", data); root != nil {
//		node.Read(d, schema, root, &value)
//	}
//	err := d.Err(filename) // everything that is wrong, in file order
//
// It measures what a text costs before it decodes it, since anyone can write such a text.
package node
