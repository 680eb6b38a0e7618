package packfile

// modernizer turns the words of the first notes into today's, in the tree, so that nothing after it knows of them. What
// is not as the first notes had it is left alone: decoding will say what is wrong with it.
type modernizer struct {
	*decoder
	writes []write
	age    age // of the packfile's words
}

// write is a link that asked to change what it links.
type write struct {
	word string // by which it did
	name string // that it links
	at   Range
}

// modernize rewrites a whole packfile.
func modernize(d *decoder, root *node) {
	m := &modernizer{decoder: d}
	m.refuseLostWords(root)
	m.age = m.ageOf(root)
	if config := m.table(root, "config"); config != nil {
		m.drop(config, "serial", "layers that do not need each other are built at the same time")
	}
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
		m.cache(layer, "cache")
		m.cache(layer, "recover")
		made := false
		for _, name := range []string{"provide", "build"} {
			if section := m.table(layer, name); section != nil {
				made = true
				m.section(name, section)
				m.launch(layer, name, section)
			}
		}
		if !made && m.table(layer, "launch") != nil {
			launch, _ := layer.remove("launch")
			m.fail(launch.keyAt, "write build.env.launch and build.profile", "launch belongs to a layer with provide or build")
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
	n.rename(found, today)
	m.warn(OldWord, found.keyAt, "", "%q is called %q today", old, today)
	return found
}

func (m *modernizer) both(e entry, old, today string) {
	m.fail(e.keyAt, "keep "+today, "%q is an old name of %q, which is also there", old, today)
}

// drop takes a switch out of a table that has no meaning today.
func (m *modernizer) drop(n *node, name, why string) {
	e, ok := n.remove(m.key(name))
	switch {
	case !ok:
	case e.value.kind != boolKind:
		m.wrong(&e, e.value, "a boolean", "")
	default:
		m.warn(OldWord, e.keyAt, "remove it", "%q has no meaning today: %s", e.key, why)
	}
}

// cache turns cache on a layer, or recover, as it was called for a day, into store and restore. Notes that had store as well had
// cache for caches alone.
func (m *modernizer) cache(layer *node, word string) {
	if e := layer.find(word); e != nil && e.value.kind == boolKind && !isTrue(e.value) && layer.find("store") != nil {
		m.drop(layer, word, `"store" says whether the layer is kept`)
		return
	}
	e := m.rename(layer, word, "store")
	if e != nil && isTrue(e.value) && layer.find("restore") == nil {
		layer.add(entry{key: "restore", keyAt: e.keyAt, value: e.value})
	}
}

// isCache says whether a layer is what is called a cache today, and leaves only the keys of one.
func (m *modernizer) isCache(layer *node) bool {
	for _, section := range []string{"require", "provide", "build"} {
		if layer.find(section) != nil {
			return false
		}
	}
	for _, word := range []string{"cache", "recover"} {
		if e := layer.find(word); e != nil && isTrue(e.value) {
			m.warn(OldWord, e.keyAt, "write [[caches]]",
				"a layer with %s = true and neither require nor provide is one of the caches today", word)
			layer.remove(word)
			return true
		}
	}
	return false
}

func isTrue(n *node) bool { return n.kind == boolKind && n.text == "true" }

// section rewrites a provide or build table.
func (m *modernizer) section(name string, section *node) {
	m.rename(section, "use", "links")
	m.rename(section, "with", "links")
	lock := m.rename(section, "write-app", "lock-app")
	if lock == nil {
		lock = section.find(m.key("lock-app"))
	}
	if e := m.rename(section, "build", "run"); e != nil {
		e.value.marked = true
	}
	m.directScript(name, section, lock != nil && isTrue(lock.value))
	if e := section.find("env"); e != nil && e.value.kind == arrayKind {
		m.warn(OldWord, e.keyAt, "", "%q is called %q today", name+".env", name+".env.build")
		list := *e
		list.key = "build"
		e.value = &node{kind: tableKind, at: e.value.at, entries: []entry{list}}
	}
	test := m.table(section, "test")
	if test != nil {
		m.rename(test, "use-links", "full-env")
		m.testedApp(test)
	}
	for _, link := range m.tables(section, "links") {
		m.rename(link, "link-contents", "link-content")
		m.forTest(link, test)
		m.dropWrite(link, "write")
		m.dropWrite(link, "cache")
	}
	for _, dep := range m.tables(section, "deps") {
		m.dots(dep)
	}
}

// directScript moves the keys of a script that stand directly in a section into its run table. Where it works depends on when
// it was written: in LAYER in 2019's notes, in APP from February 2020 on. One that changes the app (lock-app) works in APP,
// whenever it was written: 2019's notes had it go there first.
func (m *modernizer) directScript(name string, section *node, locksApp bool) {
	run := &node{kind: tableKind, marked: m.age.of2019() && !locksApp}
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
		m.both(first, name+"."+first.key, name+".run")
		return
	}
	run.at = first.keyAt
	section.add(entry{key: "run", keyAt: first.keyAt, value: run})
	where := "it works in APP"
	switch {
	case run.marked:
		where = "it works in LAYER, as in 2019's notes, of which the packfile has the word " + quote(m.age.old)
	case !locksApp && m.age.isUnknown():
		where = "it works in APP, though 2019's notes had it work in LAYER: no word here is of one of the two only"
	}
	m.warn(OldWord, first.keyAt, "", "a script directly in %s is called %q today; %s", name, name+".run", where)
}

// testedApp takes write-app out of a test. What a test does to the app is thrown away.
func (m *modernizer) testedApp(test *node) {
	name := m.key("write-app")
	if e := test.find(name); e != nil && isTrue(e.value) {
		test.remove(name)
		m.fail(e.keyAt, "change it in the run script, with "+m.key("lock-app"), "%s: a test cannot change the app", name)
		return
	}
	m.drop(test, "write-app", "what a test does to the app is thrown away")
}

// forTest moves the wish that a link is there in the test to the test, which has all links or none.
func (m *modernizer) forTest(link, test *node) {
	e, ok := link.remove(m.key("for-test"))
	switch {
	case !ok:
	case e.value.kind != boolKind:
		m.wrong(&e, e.value, "a boolean", "")
	default:
		fullEnv := m.key("full-env")
		m.warn(OldWord, e.keyAt, "", "%q of a link is %q of the test today", e.key, fullEnv)
		if isTrue(e.value) && test != nil && test.find(fullEnv) == nil {
			test.add(entry{key: fullEnv, keyAt: e.keyAt, value: e.value})
		}
	}
}

// dropWrite takes write out of a link, or cache, as it was called for a day. It asked for a layer that the step may change; that
// is what caches are for now.
func (m *modernizer) dropWrite(link *node, word string) {
	e, ok := link.remove(word)
	if !ok {
		return
	}
	if e.value.kind != boolKind {
		m.wrong(&e, e.value, "a boolean", "")
		return
	}
	m.warn(OldWord, e.keyAt, "remove it", "%q has no meaning today: a step may write to caches, and not to layers", word)
	if name := link.find("name"); name != nil && isTrue(e.value) {
		m.writes = append(m.writes, write{word, name.value.text, e.keyAt})
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
				"%s: a step cannot write to layer %s", w.word, quote(w.name))
		}
	}
}

// launch moves env and profile out of a layer's launch table into its section of that name.
func (m *modernizer) launch(layer *node, name string, section *node) {
	launch := m.table(layer, "launch")
	if launch == nil {
		return
	}
	whole, _ := layer.remove("launch")
	for i := range launch.entries {
		e := launch.entries[i]
		switch e.key {
		case "env":
			m.launchEnv(name, section, e)
		case "profile":
			if section.find("profile") != nil {
				m.both(e, "launch.profile", name+".profile")
				continue
			}
			section.add(e)
			m.warn(OldWord, e.keyAt, "", "%q is called %q today", "launch.profile", name+".profile")
		default:
			m.unknown("launch", &e, []string{"env", "profile"})
		}
	}
	if len(launch.entries) == 0 {
		m.warn(OldWord, whole.keyAt, "remove it", "%q has no meaning today", "launch")
	}
}

// launchEnv makes launch.env the list env.launch of a section.
func (m *modernizer) launchEnv(name string, section *node, e entry) {
	env := m.table(section, "env")
	switch {
	case env == nil && section.find("env") != nil:
		return
	case env == nil:
		env = &node{kind: tableKind, at: e.keyAt}
		section.add(entry{key: "env", keyAt: e.keyAt, value: env})
	case env.find("launch") != nil:
		m.both(e, "launch.env", name+".env.launch")
		return
	}
	e.key = "launch"
	env.add(e)
	m.warn(OldWord, e.keyAt, "", "%q is called %q today", "launch.env", name+".env.launch")
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
