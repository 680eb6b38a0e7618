package packfile

// kind is what a value is, in words that both formats share.
type kind uint8

const (
	nullKind kind = iota // YAML only
	stringKind
	integerKind
	floatKind
	boolKind
	dateKind
	arrayKind
	tableKind
)

func (k kind) String() string {
	return [...]string{
		"nothing", "a string", "an integer", "a float", "a boolean", "a date or time", "an array", "a table",
	}[k]
}

// node is one value of a file with its place. Both formats are read into a tree of nodes, so that decoding,
// validation and lint exist once.
type node struct {
	kind    kind
	defined definition // TOML only
	marked  bool       // for whoever changes a tree, and then decodes it
	text    string     // of a string its content, of any other scalar its source text, in TOML's form
	written string     // YAML only: the source text of any other scalar, as the file has it
	at      Range      // see entry.at
	items   []*node    // of an array
	entries []entry    // of a table, in file order
	index   map[string]int
}

// entry is one key of a table.
type entry struct {
	key   string
	keyAt Range
	value *node
}

// maxDepth bounds how deep values nest. A packfile itself needs 7; the rest is for metadata.
const maxDepth = 32

// indexed is the size from which a table looks its keys up in a map. Nearly all tables are smaller, and a short scan is
// cheaper than a map for each of them.
const indexed = 12

// find is the entry of a key, nil when there is none.
func (n *node) find(key string) *entry {
	if len(n.entries) < indexed {
		for i := range n.entries {
			if n.entries[i].key == key {
				return &n.entries[i]
			}
		}
		return nil
	}
	if n.index == nil {
		n.index = make(map[string]int, 2*len(n.entries))
		for i := range n.entries {
			n.index[n.entries[i].key] = i
		}
	}
	if i, ok := n.index[key]; ok {
		return &n.entries[i]
	}
	return nil
}

// add appends an entry whose key is not there yet.
func (n *node) add(e entry) {
	n.entries = append(n.entries, e)
	if n.index != nil {
		n.index[e.key] = len(n.entries) - 1
	}
}

// rename gives an entry another key.
func (n *node) rename(e *entry, key string) { e.key, n.index = key, nil }

// remove takes an entry out and returns it; ok is false when there is none.
func (n *node) remove(key string) (removed entry, ok bool) {
	for i, e := range n.entries {
		if e.key == key {
			n.entries = append(n.entries[:i], n.entries[i+1:]...)
			n.index = nil
			return e, true
		}
	}
	return entry{}, false
}

// tables is the tables of an array of tables; nothing when the node is nil or something else.
func (n *node) tables() []*node {
	if n == nil || n.kind != arrayKind {
		return nil
	}
	var tables []*node
	for _, item := range n.items {
		if item.kind == tableKind {
			tables = append(tables, item)
		}
	}
	return tables
}
