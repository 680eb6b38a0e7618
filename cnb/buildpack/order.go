package buildpack

import "github.com/packfile/frontend/node"

// Order is one entry of an order: a group of modules that are tried together.
type Order struct {
	node.Table
	Group []Entry // never empty
}

// Entry is one module of a group.
type Entry struct {
	node.Table
	ID, Version string // Version "" when not given
	Optional    bool
}

// OrderSchema returns the schema of an order. An open one ignores unknown keys, which belong to other tools.
func OrderSchema(open bool) *node.Schema[Order] {
	entry := node.Schema[Entry]{What: "an entry of a group", Open: open, Keys: []node.Key[Entry]{
		node.Required(node.String("id", func(e *Entry) *string { return &e.ID }, CheckID)),
		node.String("version", func(e *Entry) *string { return &e.Version }, CheckVersion),
		node.Boolean("optional", func(e *Entry) *bool { return &e.Optional }),
	}}
	return node.Define(node.Schema[Order]{
		What: "an order",
		Open: open,
		Keys: []node.Key[Order]{
			node.Required(node.Tables("group", node.Define(entry), func(o *Order) *[]Entry { return &o.Group })),
		},
		Finish: func(d *node.Decoder, o *Order) {
			if o.Group != nil && len(o.Group) == 0 {
				d.Fail(o.At("group"), "", "group: an order names at least one module")
			}
		},
	})
}
