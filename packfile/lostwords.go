package packfile

import "github.com/packfile/frontend/node"

// refuseLostWords reports words of August 2019, which are older than those that still work, with today's word for each.
// Decoding then reads their values under today's word, so that all errors are reported at once.
func (m *modernizer) refuseLostWords(root *node.Node) {
	m.refuse(root, "a packfile", "layer", "layers")
	m.refuse(root, "a packfile", "process", "processes")
	for _, layer := range m.tables(root, "layers") {
		m.refuse(layer, "a layer", "detect", "require")
		m.refuse(layer, "a layer", "use", "export")
		if launch := layer.Find("launch"); launch != nil && launch.Value.Kind == node.BoolKind { // a table is a word that still works
			m.refuse(layer, "a layer", "launch", "export")
		}
	}
}

// refuse reports a key of a table by its word of today, and gives it that name if no other key has it.
func (m *modernizer) refuse(n *node.Node, what, lost, today string) {
	lost, today = m.Key(lost), m.Key(today)
	e := n.Find(lost)
	if e == nil {
		return
	}
	m.Fail(e.KeyAt, "it is called "+node.Quote(today)+" today", "unknown key %s in %s", node.Quote(lost), what)
	if n.Find(today) != nil {
		n.Remove(lost)
		return
	}
	n.Rename(e, today)
}
