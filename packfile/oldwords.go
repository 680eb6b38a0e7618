package packfile

// modernizer turns the words of the first notes into today's, in the tree, so that nothing after it knows of them. What
// is not as the first notes had it is left alone: decoding will say what is wrong with it.
type modernizer struct {
	*decoder
	writes []write
}

// write is a link that asked to change what it links.
type write struct {
	name string
	at   Range
}

// modernize rewrites a whole packfile.
func (d *decoder) modernize(root *node) {
	m := &modernizer{decoder: d}
	for _, process := range m.tables(root, "processes") {
		m.rename(process, "name", "type")
	}
	layers := root.find("layers")
	if layers == nil {
		return
	}
	var caches []*node
	for _, layer := range layers.value.tables() {
		if m.isCache(layer) {
			caches = append(caches, layer)
			continue
		}
		m.rename(layer, "image", "export")
		m.cache(layer)
		if section := m.table(layer, "provide"); section != nil {
			m.section(section)
			m.launch(layer, section)
		} else if m.table(layer, "launch") != nil {
			launch, _ := layer.remove("launch")
			m.fail(launch.keyAt, "write build.env.launch and build.profile", "launch belongs to a layer with provide")
		}
		for _, name := range []string{"provide", "build"} {
			for _, dep := range m.tables(m.table(layer, name), "deps") {
				m.dots(dep)
			}
		}
	}
	m.moveToCaches(root, layers.value, caches)
	m.checkWrites(root)
}

// table is the table of a key, nil when there is none.
func (m *modernizer) table(n *node, name string) *node {
	if n == nil {
		return nil
	}
	if e := n.find(m.key(name)); e != nil && e.value.kind == tableKind {
		return e.value
	}
	return nil
}

// tables is the tables of the array of a key.
func (m *modernizer) tables(n *node, name string) []*node {
	if n == nil {
		return nil
	}
	if e := n.find(m.key(name)); e != nil {
		return e.value.tables()
	}
	return nil
}

// rename gives a key its name of today. It returns the entry, nil when the old key is not there or does not count.
func (m *modernizer) rename(n *node, old, today string) *entry {
	old, today = m.key(old), m.key(today)
	found := n.find(old)
	if found == nil {
		return nil
	}
	if n.find(today) != nil {
		m.both(*found, old, today)
		n.remove(old)
		return nil
	}
	found.key, n.index = today, nil
	m.warn(OldWord, found.keyAt, "", "%q is called %q today", old, today)
	return found
}

func (m *modernizer) both(e entry, old, today string) {
	m.fail(e.keyAt, "keep "+today, "%q is an old name of %q, which is also there", old, today)
}

// cache turns cache on a layer into store and restore.
func (m *modernizer) cache(layer *node) {
	e := m.rename(layer, "cache", "store")
	if e != nil && isTrue(e.value) && layer.find("restore") == nil {
		layer.add(entry{key: "restore", keyAt: e.keyAt, value: e.value})
	}
}

// isCache says whether a layer is what is called a cache today, and leaves only the keys of one.
func (m *modernizer) isCache(layer *node) bool {
	e := layer.find("cache")
	if e == nil || !isTrue(e.value) {
		return false
	}
	for _, section := range []string{"require", "provide", "build"} {
		if layer.find(section) != nil {
			return false
		}
	}
	m.warn(OldWord, e.keyAt, "write [[caches]]",
		"a layer with cache = true and neither require nor provide is one of the caches today")
	layer.remove("cache")
	return true
}

func isTrue(n *node) bool { return n.kind == boolKind && n.text == "true" }

// section rewrites a provide table.
func (m *modernizer) section(section *node) {
	m.rename(section, "use", "links")
	m.rename(section, "with", "links")
	m.rename(section, "write-app", "lock-app")
	if e := m.rename(section, "build", "run"); e != nil {
		e.value.inLayer = true
	}
	m.directScript(section)
	for _, link := range m.tables(section, "links") {
		m.dropWrite(link)
	}
}

// directScript moves the keys of a script that stand directly in a provide table into its run table.
func (m *modernizer) directScript(section *node) {
	run := &node{kind: tableKind, inLayer: true}
	for _, key := range []string{"shell", "inline", "path"} {
		if e, ok := section.remove(key); ok {
			run.entries = append(run.entries, e)
		}
	}
	if len(run.entries) == 0 {
		return
	}
	first := run.entries[0]
	for _, e := range run.entries {
		if e.keyAt.Start.Line < first.keyAt.Start.Line {
			first = e
		}
	}
	if section.find("run") != nil {
		m.both(first, "provide."+first.key, "provide.run")
		return
	}
	run.at = first.keyAt
	section.add(entry{key: "run", keyAt: first.keyAt, value: run})
	m.warn(OldWord, first.keyAt, "", "a script directly in provide is called %q today", "provide.run")
}

// dropWrite takes write out of a link. It asked for a layer that the step may change; that is what caches are for now.
func (m *modernizer) dropWrite(link *node) {
	e, ok := link.remove("write")
	if !ok {
		return
	}
	if e.value.kind != boolKind {
		m.wrong(&e, e.value, "a boolean", "")
		return
	}
	m.warn(OldWord, e.keyAt, "remove it", "%q has no meaning today: a step may write to caches, and not to layers", "write")
	if name := link.find("name"); name != nil && isTrue(e.value) {
		m.writes = append(m.writes, write{name.value.text, e.keyAt})
	}
}

// checkWrites refuses to drop write where it would have made a difference. It comes last, when all caches are known.
func (m *modernizer) checkWrites(root *node) {
	if len(m.writes) == 0 {
		return
	}
	caches := map[string]bool{}
	for _, cache := range m.tables(root, "caches") {
		if name := cache.find("name"); name != nil {
			caches[name.value.text] = true
		}
	}
	for _, w := range m.writes {
		if !caches[w.name] {
			m.fail(w.at, "make it a cache, or write to it in its own run script",
				"write: a step cannot write to layer %s", quote(w.name))
		}
	}
}

// launch moves env and profile out of a layer's launch table.
func (m *modernizer) launch(layer, section *node) {
	launch := m.table(layer, "launch")
	if launch == nil {
		return
	}
	whole, _ := layer.remove("launch")
	for i := range launch.entries {
		e := launch.entries[i]
		switch e.key {
		case "env":
			m.launchEnv(section, e)
		case "profile":
			if section.find("profile") != nil {
				m.both(e, "launch.profile", "provide.profile")
				continue
			}
			section.add(e)
			m.warn(OldWord, e.keyAt, "", "%q is called %q today", "launch.profile", "provide.profile")
		default:
			m.unknown("launch", &e, []string{"env", "profile"})
		}
	}
	if len(launch.entries) == 0 {
		m.warn(OldWord, whole.keyAt, "remove it", "%q has no meaning today", "launch")
	}
}

// launchEnv makes launch.env the list provide.env.launch.
func (m *modernizer) launchEnv(section *node, e entry) {
	env := m.table(section, "env")
	switch {
	case env == nil && section.find("env") != nil:
		return
	case env == nil:
		env = &node{kind: tableKind, at: e.keyAt}
		section.add(entry{key: "env", keyAt: e.keyAt, value: env})
	case env.find("launch") != nil:
		m.both(e, "launch.env", "provide.env.launch")
		return
	}
	e.key = "launch"
	env.add(e)
	m.warn(OldWord, e.keyAt, "", "%q is called %q today", "launch.env", "provide.env.launch")
}

// dots completes the templates of a dep that lack the dot: {{version}}.
func (m *modernizer) dots(table *node) {
	for i := range table.entries {
		e := &table.entries[i]
		switch e.value.kind {
		case tableKind:
			m.dots(e.value)
		case stringKind:
			if !isTemplate(e.value.text) {
				continue
			}
			if dotted := addDots(e.value.text); dotted != e.value.text {
				m.warn(OldWord, e.value.at, "write "+quote(dotted), "%s: names in templates begin with a dot today", e.key)
				e.value.text = dotted
			}
		}
	}
}

// moveToCaches moves layers that are caches to where caches stand.
func (m *modernizer) moveToCaches(root, layers *node, moved []*node) {
	if len(moved) == 0 {
		return
	}
	isCache := map[*node]bool{}
	for _, n := range moved {
		isCache[n] = true
	}
	kept := layers.items[:0]
	for _, n := range layers.items {
		if !isCache[n] {
			kept = append(kept, n)
		}
	}
	layers.items = kept
	caches := root.find("caches")
	if caches == nil {
		root.add(entry{key: "caches", keyAt: moved[0].at, value: &node{kind: arrayKind, at: moved[0].at}})
		caches = root.find("caches")
	}
	if caches.value.kind == arrayKind {
		caches.value.items = append(caches.value.items, moved...)
	}
}
