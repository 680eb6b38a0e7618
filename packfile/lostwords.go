package packfile

// refuseLostWords reports words of August 2019, which are older than those that still work, with the word of today for each. What
// is below them is looked at by that word, so that everything wrong is said at once.
func (m *modernizer) refuseLostWords(root *node) {
	m.refuse(root, "a packfile", "layer", "layers")
	m.refuse(root, "a packfile", "process", "processes")
	for _, layer := range m.tables(root, "layers") {
		m.refuse(layer, "a layer", "detect", "require")
		m.refuse(layer, "a layer", "use", "export")
		if launch := layer.find("launch"); launch != nil && launch.value.kind == boolKind { // a table is a word that still works
			m.refuse(layer, "a layer", "launch", "export")
		}
	}
}

// refuse reports a key of a table by its word of today, and gives it that name if no other key has it.
func (m *modernizer) refuse(n *node, what, lost, today string) {
	lost, today = m.key(lost), m.key(today)
	e := n.find(lost)
	if e == nil {
		return
	}
	m.fail(e.keyAt, "it is called "+quote(today)+" today", "unknown key %s in %s", quote(lost), what)
	if n.find(today) != nil {
		n.remove(lost)
		return
	}
	e.key, n.index = today, nil
}
