package node

// Kind is the kind of a value, in words that both formats share.
type Kind uint8

const (
	NullKind Kind = iota // YAML only
	StringKind
	IntegerKind
	FloatKind
	BoolKind
	DateKind
	ArrayKind
	TableKind
)

func (k Kind) String() string {
	return [...]string{
		"nothing", "a string", "an integer", "a float", "a boolean", "a date or time", "an array", "a table",
	}[k]
}

// Node is one value of a file with its place. Both formats become a tree of nodes, so that decoding, validation and lint
// exist once.
type Node struct {
	Kind    Kind
	defined definition // TOML only
	Marked  bool       // free for callers that change a tree before they decode it
	Text    string     // of a string its content, of any other scalar its source text, in TOML's form
	written string     // YAML only: the source text of any other scalar, as the file has it
	At      Range      // for a table its header or first key; at most the rest of a line
	Items   []*Node    // of an array
	Entries []Entry    // of a table, in file order
	index   map[string]int
}

// Entry is one key of a table.
type Entry struct {
	Key   string
	KeyAt Range
	Value *Node
}

// maxDepth bounds how deep values nest. A packfile itself needs 7; the rest is for metadata.
const maxDepth = 32

// indexed is the number of keys from which a table uses a map. Nearly all tables are smaller, and for them a short scan
// is cheaper.
const indexed = 12

// Find returns the entry of a key, nil when there is none.
func (n *Node) Find(key string) *Entry {
	if len(n.Entries) < indexed {
		for i := range n.Entries {
			if n.Entries[i].Key == key {
				return &n.Entries[i]
			}
		}
		return nil
	}
	if n.index == nil {
		n.index = make(map[string]int, 2*len(n.Entries))
		for i := range n.Entries {
			n.index[n.Entries[i].Key] = i
		}
	}
	if i, ok := n.index[key]; ok {
		return &n.Entries[i]
	}
	return nil
}

// Add appends an entry whose key is not there yet.
func (n *Node) Add(e Entry) {
	n.Entries = append(n.Entries, e)
	if n.index != nil {
		n.index[e.Key] = len(n.Entries) - 1
	}
}

// Rename gives an entry another key.
func (n *Node) Rename(e *Entry, key string) { e.Key, n.index = key, nil }

// Remove removes an entry and returns it; ok is false when there is none.
func (n *Node) Remove(key string) (removed Entry, ok bool) {
	for i, e := range n.Entries {
		if e.Key == key {
			n.Entries = append(n.Entries[:i], n.Entries[i+1:]...)
			n.index = nil
			return e, true
		}
	}
	return Entry{}, false
}

// Tables returns the tables of an array of tables; none when the node is nil or something else.
func (n *Node) Tables() []*Node {
	if n == nil || n.Kind != ArrayKind {
		return nil
	}
	var tables []*Node
	for _, item := range n.Items {
		if item.Kind == TableKind {
			tables = append(tables, item)
		}
	}
	return tables
}
