package node

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxAliased bounds how many nodes aliases may add to a document: nested aliases double it with every line.
const maxAliased = 10_000

// yamlReader builds the tree of a YAML file from the library's tree.
type yamlReader struct {
	*Report
	src     *source
	places  places
	aliases map[*yaml.Node]bool // anchors that are being expanded
	aliased int                 // nodes that aliases brought in
}

// Why not goccy/go-yaml, whose errors have a column (1.19.2, measured): of a file with CR LF its lines and offsets are wrong; it takes
// four times as long for a packfile, more than 20 seconds for 200 KB of different keys or of open brackets, and 1.5 GB for one long
// plain scalar of that size. Better places of syntax errors are worth less than that; the place of everything else is known here too.

// readYAML reads the one document of a YAML file. It returns nil when the syntax is broken.
func readYAML(what string, src *source, r *Report) (root *Node) {
	y := &yamlReader{Report: r, src: src, places: newPlaces(src.data), aliases: map[*yaml.Node]bool{}}
	if at, bad := unreadable(src.data); bad != "" {
		y.Fail(src.span(at, at+1), "", "invalid YAML: %s", bad)
		return nil
	}
	// The library panics on comments in some places where it does not expect any.
	defer func() {
		if p := recover(); p != nil {
			y.Fail(src.restOfLine(0), "", "invalid YAML: %v", p)
			root = nil
		}
	}()

	decoder := yaml.NewDecoder(bytes.NewReader(src.data))
	var document, next yaml.Node
	err := decoder.Decode(&document)
	switch {
	case errors.Is(err, io.EOF):
		return &Node{Kind: TableKind, At: src.restOfLine(0)}
	case err != nil:
		y.syntax(err)
		return nil
	}
	switch err := decoder.Decode(&next); {
	case err == nil:
		y.Fail(y.rest(&next), "remove what follows the ---", "%s is one YAML document, and this begins another", what)
	case !errors.Is(err, io.EOF):
		y.syntax(err)
		return nil
	}
	return y.node(document.Content[0], 0)
}

// unreadable finds the first byte that YAML does not allow, for which the library's message has no position, or that
// begins a directive: on many directives the library spends minutes.
func unreadable(data []byte) (at int, problem string) {
	for i := 0; i < len(data); {
		if data[i] == '%' && (i == 0 || data[i-1] == '\n' || data[i-1] == '\r') {
			return i, "directives (%) are not supported"
		}
		if c := data[i]; c < utf8.RuneSelf {
			if (c < ' ' && c != '\t' && c != '\n' && c != '\r') || c == 0x7f {
				return i, fmt.Sprintf("control character %#02x", c)
			}
			i++
			continue
		}
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return i, "the file is not UTF-8"
		}
		i += size
	}
	return 0, ""
}

var (
	yamlLine = regexp.MustCompile(`^line (\d+): `)
	// fromZero matches errors for which the library counts lines from 0, and leaves 0 out: those of its parser.
	fromZero = regexp.MustCompile(`^did not find expected (key|node content|'-' indicator|',' or |<)`)
)

// syntax reports an error of the library, which gives the line at best.
func (y *yamlReader) syntax(err error) {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 0
	if m := yamlLine.FindStringSubmatch(message); m != nil {
		message = message[len(m[0]):]
		line, _ = strconv.Atoi(m[1])
	}
	if fromZero.MatchString(message) {
		line++
	}
	written := bytes.TrimRight(y.src.data, "\r\n \t")
	offset := min(y.places.offset(line, 1), bytes.LastIndexByte(written, '\n')+1)
	y.Fail(y.src.restOfLine(offset), "", "invalid YAML: %s", message)
}

// places turns the library's lines and columns into offsets. They differ from those of source: columns count characters,
// and YAML breaks lines also at characters that editors do not count as line ends.
type places struct {
	data  []byte
	lines []int // how many characters stand before each line
	marks []int // offset of every 64th character
}

const charsPerMark = 64

func newPlaces(data []byte) places {
	p := places{data: data, lines: []int{0}}
	chars := 0
	for i := 0; i < len(data); chars++ {
		if chars%charsPerMark == 0 {
			p.marks = append(p.marks, i)
		}
		r, size := utf8.DecodeRune(data[i:])
		i += size
		switch r {
		case '\r':
			if i < len(data) && data[i] == '\n' {
				continue
			}
			fallthrough
		case '\n', '\u0085', '\u2028', '\u2029':
			p.lines = append(p.lines, chars+1)
		}
	}
	return p
}

// offset returns the offset of the library's line and column.
func (p places) offset(line, column int) int {
	char := p.lines[min(max(line, 1), len(p.lines))-1] + max(column, 1) - 1
	mark := char / charsPerMark
	if mark >= len(p.marks) {
		return len(p.data)
	}
	offset := p.marks[mark]
	for range char % charsPerMark {
		_, size := utf8.DecodeRune(p.data[offset:])
		offset += size
	}
	return offset
}

// rest returns the range from a node to the end of its line. The library does not say where values end.
func (y *yamlReader) rest(n *yaml.Node) Range {
	return y.src.restOfLine(y.places.offset(n.Line, n.Column))
}

// node turns the library's node into one of ours.
func (y *yamlReader) node(n *yaml.Node, depth int) *Node {
	at := y.rest(n)
	out := &Node{At: at}
	if len(y.aliases) > 0 {
		if y.aliased++; y.aliased > maxAliased {
			if y.aliased == maxAliased+1 {
				y.Fail(at, "", "aliases repeat more than %d values", maxAliased)
			}
			return out
		}
	}
	if depth >= maxDepth {
		y.Fail(at, "", "values nest more than %d deep", maxDepth)
		return out
	}
	if n.Style&yaml.TaggedStyle != 0 && (n.Tag != "!!str" || n.Kind != yaml.ScalarNode) {
		y.Fail(at, "remove it", "tag %s is not supported", Quote(n.Tag))
	}
	switch n.Kind {
	case yaml.AliasNode:
		if y.aliases[n.Alias] {
			y.Fail(at, "", "alias %s contains itself", Quote("*"+n.Value))
			return out
		}
		y.aliases[n.Alias] = true
		out = y.node(n.Alias, depth)
		out.At = at
		delete(y.aliases, n.Alias)
	case yaml.ScalarNode:
		out.Kind, out.Text = yamlScalar(n)
		out.written = n.Value
	case yaml.SequenceNode:
		out.Kind = ArrayKind
		for _, item := range n.Content {
			out.Items = append(out.Items, y.node(item, depth+1))
		}
	case yaml.MappingNode:
		out.Kind = TableKind
		for i := 0; i+1 < len(n.Content); i += 2 {
			y.entry(out, n.Content[i], n.Content[i+1], depth+1)
		}
	}
	return out
}

// entry adds one key of a mapping.
func (y *yamlReader) entry(table *Node, key, value *yaml.Node, depth int) {
	keyAt := y.rest(key)
	switch {
	case key.Kind != yaml.ScalarNode, key.Tag == "!!null":
		y.Fail(keyAt, "", "a key is a plain word or a string")
		return
	case key.Tag == "!!merge":
		y.Fail(keyAt, "write the keys out", "merge keys (<<) are not supported")
		return
	}
	if key.Style&^yaml.TaggedStyle == 0 {
		start := y.places.offset(key.Line, key.Column)
		keyAt = y.src.span(start, start+len(key.Value))
	}
	if found := table.Find(key.Value); found != nil {
		y.Fail(keyAt, "", "%s is already defined on line %d", Quote(key.Value), line(found))
		return
	}
	child := y.node(value, depth)
	if child.Kind == TableKind || child.Kind == ArrayKind {
		if value.Style&yaml.FlowStyle == 0 && value.Kind != yaml.AliasNode {
			child.At = keyAt // the block begins on a line of its own
		}
	}
	table.Add(Entry{Key: key.Value, KeyAt: keyAt, Value: child})
}

var yamlSpecialFloat = strings.NewReplacer(
	".inf", "inf", ".Inf", "inf", ".INF", "inf", ".nan", "nan", ".NaN", "nan", ".NAN", "nan",
)

// yamlScalar returns the kind of a scalar, and its text, in TOML's form where the formats differ.
func yamlScalar(n *yaml.Node) (Kind, string) {
	switch n.ShortTag() {
	case "!!null":
		return NullKind, ""
	case "!!bool":
		return BoolKind, strings.ToLower(n.Value)
	case "!!int":
		return IntegerKind, n.Value
	case "!!float":
		return FloatKind, yamlSpecialFloat.Replace(n.Value)
	case "!!timestamp":
		return DateKind, n.Value
	}
	return StringKind, n.Value
}
