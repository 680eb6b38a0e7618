package packfile

import "github.com/packfile/frontend/node"

// modernizer turns the words of the first notes into today's, in the tree, so that no later pass knows them. It leaves
// everything else alone: decoding reports what is wrong with it.
type modernizer struct {
	*node.Decoder
	writes []write
	age    age // of the packfile's words
}

// write is a link that asked to change the layer that it links.
type write struct {
	word string // by which it did
	name string // that it links
	at   node.Range
}

// modernize rewrites a whole packfile.
func modernize(d *node.Decoder, root *node.Node) {
	m := &modernizer{Decoder: d}
	m.refuseLostWords(root)
	m.age = m.ageOf(root)
	if config := m.table(root, "config"); config != nil {
		m.drop(config, "serial", "layers that do not need each other are built at the same time")
	}
	for _, process := range m.tables(root, "processes") {
		m.rename(process, "name", "type")
	}
	layers := root.Find("layers")
	if layers == nil {
		return
	}
	var caches []*node.Node
	for _, layer := range layers.Value.Tables() {
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
			launch, _ := layer.Remove("launch")
			m.Fail(launch.KeyAt, "write build.env.launch and build.profile", "launch belongs to a layer with provide or build")
		}
	}
	m.moveToCaches(root, layers.Value, caches)
	m.checkWrites(root)
}

// table returns the table of a key, nil when there is none.
func (m *modernizer) table(n *node.Node, name string) *node.Node {
	if n == nil {
		return nil
	}
	if e := n.Find(m.Key(name)); e != nil && e.Value.Kind == node.TableKind {
		return e.Value
	}
	return nil
}

// tables returns the tables of the array of a key, none when there is no array.
func (m *modernizer) tables(n *node.Node, name string) []*node.Node {
	if n == nil {
		return nil
	}
	if e := n.Find(m.Key(name)); e != nil {
		return e.Value.Tables()
	}
	return nil
}

// rename gives a key its name of today. It returns the entry, nil when there is no old key, or, with an error, when both
// keys are there.
func (m *modernizer) rename(n *node.Node, old, today string) *node.Entry {
	old, today = m.Key(old), m.Key(today)
	found := n.Find(old)
	if found == nil {
		return nil
	}
	if n.Find(today) != nil {
		m.both(*found, old, today)
		n.Remove(old)
		return nil
	}
	n.Rename(found, today)
	m.Warn(OldWord, found.KeyAt, "", "%q is called %q today", old, today)
	return found
}

func (m *modernizer) both(e node.Entry, old, today string) {
	m.Fail(e.KeyAt, "keep "+today, "%q is an old name of %q, which is also there", old, today)
}

// drop removes a switch that has no meaning today from a table, with a warning.
func (m *modernizer) drop(n *node.Node, name, why string) {
	e, ok := n.Remove(m.Key(name))
	switch {
	case !ok:
	case e.Value.Kind != node.BoolKind:
		m.Wrong(&e, e.Value, "a boolean", "")
	default:
		m.Warn(OldWord, e.KeyAt, "remove it", "%q has no meaning today: %s", e.Key, why)
	}
}

// cache turns cache of a layer, which was called recover for a day, into store and restore. Notes that also had store
// used cache for caches alone.
func (m *modernizer) cache(layer *node.Node, word string) {
	if e := layer.Find(word); e != nil && e.Value.Kind == node.BoolKind && !isTrue(e.Value) && layer.Find("store") != nil {
		m.drop(layer, word, `"store" says whether the layer is kept`)
		return
	}
	e := m.rename(layer, word, "store")
	if e != nil && isTrue(e.Value) && layer.Find("restore") == nil {
		layer.Add(node.Entry{Key: "restore", KeyAt: e.KeyAt, Value: e.Value})
	}
}

// isCache reports whether a layer is a cache in today's words; if so, it leaves only the keys of a cache.
func (m *modernizer) isCache(layer *node.Node) bool {
	for _, section := range []string{"require", "provide", "build"} {
		if layer.Find(section) != nil {
			return false
		}
	}
	for _, word := range []string{"cache", "recover"} {
		if e := layer.Find(word); e != nil && isTrue(e.Value) {
			m.Warn(OldWord, e.KeyAt, "write [[caches]]",
				"a layer with %s = true and neither require nor provide is one of the caches today", word)
			layer.Remove(word)
			return true
		}
	}
	return false
}

func isTrue(n *node.Node) bool { return n.Kind == node.BoolKind && n.Text == "true" }

// section rewrites a provide or build table.
func (m *modernizer) section(name string, section *node.Node) {
	m.rename(section, "use", "links")
	m.rename(section, "with", "links")
	lock := m.rename(section, "write-app", "lock-app")
	if lock == nil {
		lock = section.Find(m.Key("lock-app"))
	}
	if e := m.rename(section, "build", "run"); e != nil {
		e.Value.Marked = true
	}
	m.directScript(name, section, lock != nil && isTrue(lock.Value))
	if e := section.Find("env"); e != nil && e.Value.Kind == node.ArrayKind {
		m.Warn(OldWord, e.KeyAt, "", "%q is called %q today", name+".env", name+".env.build")
		list := *e
		list.Key = "build"
		e.Value = &node.Node{Kind: node.TableKind, At: e.Value.At, Entries: []node.Entry{list}}
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

// directScript moves the keys of a script that stand directly in a section into its run table. Such a script works in
// LAYER by 2019's notes, and in APP from February 2020 on. A script that changes the app (lock-app) always works in APP:
// by 2019's notes it went there first.
func (m *modernizer) directScript(name string, section *node.Node, locksApp bool) {
	run := &node.Node{Kind: node.TableKind, Marked: m.age.of2019() && !locksApp}
	for _, key := range []string{"shell", "inline", "path"} {
		if e, ok := section.Remove(key); ok {
			run.Entries = append(run.Entries, e)
		}
	}
	if len(run.Entries) == 0 {
		return
	}
	first := run.Entries[0]
	for _, e := range run.Entries {
		if e.KeyAt.Start.Line < first.KeyAt.Start.Line {
			first = e
		}
	}
	if section.Find("run") != nil {
		m.both(first, name+"."+first.Key, name+".run")
		return
	}
	run.At = first.KeyAt
	section.Add(node.Entry{Key: "run", KeyAt: first.KeyAt, Value: run})
	where := "it works in APP"
	switch {
	case run.Marked:
		where = "it works in LAYER, as in 2019's notes, of which the packfile has the word " + node.Quote(m.age.old)
	case !locksApp && m.age.isUnknown():
		where = "it works in APP, though 2019's notes had it work in LAYER: no word here is of one of the two only"
	}
	m.Warn(OldWord, first.KeyAt, "", "a script directly in %s is called %q today; %s", name, name+".run", where)
}

// testedApp removes write-app from a test. Changes that a test makes to the app are thrown away.
func (m *modernizer) testedApp(test *node.Node) {
	name := m.Key("write-app")
	if e := test.Find(name); e != nil && isTrue(e.Value) {
		test.Remove(name)
		m.Fail(e.KeyAt, "change it in the run script, with "+m.Key("lock-app"), "%s: a test cannot change the app", name)
		return
	}
	m.drop(test, "write-app", "what a test does to the app is thrown away")
}

// forTest moves for-test from a link to the test as full-env: a test has all links or none.
func (m *modernizer) forTest(link, test *node.Node) {
	e, ok := link.Remove(m.Key("for-test"))
	switch {
	case !ok:
	case e.Value.Kind != node.BoolKind:
		m.Wrong(&e, e.Value, "a boolean", "")
	default:
		fullEnv := m.Key("full-env")
		m.Warn(OldWord, e.KeyAt, "", "%q of a link is %q of the test today", e.Key, fullEnv)
		if isTrue(e.Value) && test != nil && test.Find(fullEnv) == nil {
			test.Add(node.Entry{Key: fullEnv, KeyAt: e.KeyAt, Value: e.Value})
		}
	}
}

// dropWrite removes write, which was called cache for a day, from a link. It asked for a layer that the step may change;
// caches are for that now.
func (m *modernizer) dropWrite(link *node.Node, word string) {
	e, ok := link.Remove(word)
	if !ok {
		return
	}
	if e.Value.Kind != node.BoolKind {
		m.Wrong(&e, e.Value, "a boolean", "")
		return
	}
	m.Warn(OldWord, e.KeyAt, "remove it", "%q has no meaning today: a step may write to caches, and not to layers", word)
	if name := link.Find("name"); name != nil && isTrue(e.Value) {
		m.writes = append(m.writes, write{word, name.Value.Text, e.KeyAt})
	}
}

// checkWrites reports an error for each dropped write that would have made a difference. It runs last, when all caches
// are known.
func (m *modernizer) checkWrites(root *node.Node) {
	if len(m.writes) == 0 {
		return
	}
	caches := map[string]bool{}
	for _, cache := range m.tables(root, "caches") {
		if name := cache.Find("name"); name != nil {
			caches[name.Value.Text] = true
		}
	}
	for _, w := range m.writes {
		if !caches[w.name] {
			m.Fail(w.at, "make it a cache, or write to it in its own run script",
				"%s: a step cannot write to layer %s", w.word, node.Quote(w.name))
		}
	}
}

// launch moves env and profile out of a layer's launch table into its section of that name.
func (m *modernizer) launch(layer *node.Node, name string, section *node.Node) {
	launch := m.table(layer, "launch")
	if launch == nil {
		return
	}
	whole, _ := layer.Remove("launch")
	for i := range launch.Entries {
		e := launch.Entries[i]
		switch e.Key {
		case "env":
			m.launchEnv(name, section, e)
		case "profile":
			if section.Find("profile") != nil {
				m.both(e, "launch.profile", name+".profile")
				continue
			}
			section.Add(e)
			m.Warn(OldWord, e.KeyAt, "", "%q is called %q today", "launch.profile", name+".profile")
		default:
			m.Unknown("launch", &e, []string{"env", "profile"})
		}
	}
	if len(launch.Entries) == 0 {
		m.Warn(OldWord, whole.KeyAt, "remove it", "%q has no meaning today", "launch")
	}
}

// launchEnv makes launch.env the list env.launch of a section.
func (m *modernizer) launchEnv(name string, section *node.Node, e node.Entry) {
	env := m.table(section, "env")
	switch {
	case env == nil && section.Find("env") != nil:
		return
	case env == nil:
		env = &node.Node{Kind: node.TableKind, At: e.KeyAt}
		section.Add(node.Entry{Key: "env", KeyAt: e.KeyAt, Value: env})
	case env.Find("launch") != nil:
		m.both(e, "launch.env", name+".env.launch")
		return
	}
	e.Key = "launch"
	env.Add(e)
	m.Warn(OldWord, e.KeyAt, "", "%q is called %q today", "launch.env", name+".env.launch")
}

// dots adds the dot to templates of a dep that lack it: {{version}}.
func (m *modernizer) dots(table *node.Node) {
	for i := range table.Entries {
		e := &table.Entries[i]
		switch e.Value.Kind {
		case node.TableKind:
			m.dots(e.Value)
		case node.StringKind:
			if !isTemplate(e.Value.Text) {
				continue
			}
			if dotted := addDots(e.Value.Text); dotted != e.Value.Text {
				m.Warn(OldWord, e.Value.At, "write "+node.Quote(dotted), "%s: names in templates begin with a dot today", e.Key)
				e.Value.Text = dotted
			}
		}
	}
}

// moveToCaches moves layers that are caches into the array caches.
func (m *modernizer) moveToCaches(root, layers *node.Node, moved []*node.Node) {
	if len(moved) == 0 {
		return
	}
	isCache := map[*node.Node]bool{}
	for _, n := range moved {
		isCache[n] = true
	}
	kept := layers.Items[:0]
	for _, n := range layers.Items {
		if !isCache[n] {
			kept = append(kept, n)
		}
	}
	layers.Items = kept
	caches := root.Find("caches")
	if caches == nil {
		root.Add(node.Entry{Key: "caches", KeyAt: moved[0].At, Value: &node.Node{Kind: node.ArrayKind, At: moved[0].At}})
		caches = root.Find("caches")
	}
	if caches.Value.Kind == node.ArrayKind {
		caches.Value.Items = append(caches.Value.Items, moved...)
	}
}
