package packfile

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"

	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/node"
)

// maxTemplate bounds the text of one template, and the sum of the results of all templates of a dep or variable, in
// bytes.
const maxTemplate = 64 << 10

// templateFuncs are the functions of packfile templates. They are few, and templates have no loops and variables, so that
// rendering takes time in proportion to the text, whoever wrote it.
var templateFuncs = template.FuncMap{"index": index, "text": plain}

// templateWords are the names that a template may use; "text" is not one of them, it is added to each action.
var templateWords = []string{"and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge", "len", "index", "slice"}

// index returns the value of a key that is no identifier: {{index . "node-version"}}. Unlike the standard function it
// fails for a missing key.
func index(v any, keys ...string) (any, error) {
	for _, key := range keys {
		table, ok := v.(metadata.Table)
		if !ok {
			return nil, below(key)
		}
		if v, ok = table[key]; !ok {
			return nil, missing(key)
		}
	}
	return v, nil
}

// plain ends each action of a template. It fails when the result is not text.
func plain(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case bool, int:
		return fmt.Sprint(v), nil
	case metadata.Table:
		return "", dataError("a table stands where text is wanted")
	}
	return "", dataError(fmt.Sprintf("%T stands where text is wanted", v))
}

// dataError is an error in the data of a template, in our words instead of the standard library's.
type dataError string

func (e dataError) Error() string { return string(e) }

func missing(key string) error { return dataError("there is no " + node.Quote(key)) }

func below(key string) error {
	return dataError(node.Quote(key) + " is asked for below a value that is no table")
}

// compile parses a template and checks the functions and fields that it uses. Fields may have only the names in known,
// any name if it is nil.
func compile(text string, known []string) (*parse.Tree, error) {
	if len(text) > maxTemplate {
		return nil, fmt.Errorf("a template has at most %d bytes", maxTemplate)
	}
	tree := parse.New("")
	tree.Mode = parse.SkipFuncCheck
	set := map[string]*parse.Tree{}
	if _, err := tree.Parse(text, "", "", set); err != nil {
		return nil, errors.New(templatePlace.ReplaceAllString(err.Error(), ""))
	}
	if len(set) > 1 {
		return nil, errors.New("templates cannot define templates")
	}
	c := checker{known: known}
	c.list(tree.Root)
	return tree, c.err
}

// templatePlace matches the beginning of the standard library's errors: a position in a template without a name.
var templatePlace = regexp.MustCompile(`^template: :\d+(:\d+)?: (executing "" at )?`)

// checker walks a template.
type checker struct {
	known []string
	err   error // the first
}

func (c *checker) refuse(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf(format, args...)
	}
}

func (c *checker) list(l *parse.ListNode) {
	if l == nil {
		return
	}
	for _, n := range l.Nodes {
		switch n := n.(type) {
		case *parse.TextNode, *parse.CommentNode:
		case *parse.ActionNode:
			c.pipe(n.Pipe)
			n.Pipe.Cmds = append(n.Pipe.Cmds, &parse.CommandNode{
				NodeType: parse.NodeCommand, Args: []parse.Node{parse.NewIdentifier("text")},
			})
		case *parse.IfNode:
			c.branch(&n.BranchNode)
		case *parse.WithNode:
			c.branch(&n.BranchNode)
		default:
			word, _, _ := strings.Cut(strings.Trim(n.String(), "{}"), " ")
			c.refuse("%s is not available in packfile templates", node.Quote(word))
		}
	}
}

func (c *checker) branch(b *parse.BranchNode) {
	c.pipe(b.Pipe)
	c.list(b.List)
	c.list(b.ElseList)
}

func (c *checker) pipe(p *parse.PipeNode) {
	if len(p.Decl) > 0 {
		c.refuse("variables are not available in packfile templates")
	}
	for _, command := range p.Cmds {
		for _, arg := range command.Args {
			c.arg(arg)
		}
	}
}

func (c *checker) arg(n parse.Node) {
	switch n := n.(type) {
	case *parse.PipeNode:
		c.pipe(n)
	case *parse.ChainNode:
		c.arg(n.Node)
	case *parse.FieldNode:
		c.fields(n.Ident)
	case *parse.VariableNode:
		if n.Ident[0] != "$" {
			c.refuse("variables are not available in packfile templates")
		}
		c.fields(n.Ident[1:])
	case *parse.IdentifierNode:
		if !slices.Contains(templateWords, n.Ident) {
			c.refuse("function %s is not available in packfile templates", node.Quote(n.Ident))
		}
	}
}

func (c *checker) fields(path []string) {
	if c.known != nil && len(path) > 0 && !slices.Contains(c.known, path[0]) {
		c.refuse("there is no %s: known are .%s", node.Quote("."+path[0]), strings.Join(c.known, ", ."))
	}
}

// renderer renders templates over the same data, up to maxTemplate bytes in all.
type renderer struct {
	data  metadata.Table
	known []string
	out   strings.Builder
	spent int
}

// Write adds what a template writes. It fails when the bound is reached.
func (r *renderer) Write(p []byte) (int, error) {
	if r.spent += len(p); r.spent > maxTemplate {
		return 0, dataError(fmt.Sprintf("templates render to more than %d bytes", maxTemplate))
	}
	return r.out.Write(p)
}

// The standard library's words for what missing and below say.
var (
	missingKey = regexp.MustCompile(`map has no entry for key "([A-Za-z0-9_]+)"$`)
	noField    = regexp.MustCompile(`can't evaluate field ([A-Za-z0-9_]+) in type [^ ]+( \{\})?$`)
)

// render returns a string with its template filled in.
func (r *renderer) render(s string) (string, error) {
	if !isTemplate(s) {
		return s, nil
	}
	tree, err := compile(s, r.known)
	if err != nil {
		return "", err
	}
	t := template.Must(template.New("").Funcs(templateFuncs).Option("missingkey=error").AddParseTree("", tree))
	r.out.Reset()
	if err = t.Execute(r, r.data); err == nil {
		return r.out.String(), nil
	}
	if data := dataError(""); errors.As(err, &data) {
		return "", data
	}
	if m := missingKey.FindStringSubmatch(err.Error()); m != nil {
		return "", missing(m[1])
	}
	if m := noField.FindStringSubmatch(err.Error()); m != nil {
		return "", below(m[1])
	}
	return "", errors.New(templatePlace.ReplaceAllString(err.Error(), ""))
}

func isTemplate(s string) bool { return strings.Contains(s, "{{") }

// addDots turns {{version}}, the form of the first notes, into {{.version}}. Everything but a single word stays.
func addDots(s string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "{{")
		inside, after, closed := strings.Cut(rest, "}}")
		b.WriteString(before)
		if !found || !closed {
			b.WriteString(s[len(before):])
			return b.String()
		}
		word := strings.TrimSpace(inside)
		if start := strings.Index(inside, word); isBareWord(word) {
			inside = inside[:start] + "." + inside[start:]
		}
		b.WriteString("{{" + inside + "}}")
		s = after
	}
}

// isBareWord reports whether the inside of an action is names that dots separate, and not a word of the template language.
func isBareWord(s string) bool {
	switch s {
	case "end", "else", "break", "continue", "nil", "true", "false":
		return false
	}
	for part := range strings.SplitSeq(s, ".") {
		if problem, _ := node.VariableName(part); problem != "" {
			return false
		}
	}
	return true
}
