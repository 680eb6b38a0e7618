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

// argsKey is the name of the table of build arguments in templates: {{.Args.NAME}}.
const argsKey = "Args"

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

// plain ends each action of a template, with the names of the build arguments in it. It fails when the result is not text. Nothing
// is the value of an argument that is not given.
func plain(args string, v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", noArg(args)
	case string:
		return v, nil
	case bool, int:
		return fmt.Sprint(v), nil
	case metadata.Table:
		return "", dataError("a table stands where text is wanted")
	}
	return "", dataError(fmt.Sprintf("%T stands where text is wanted", v))
}

// noArg is the error that an argument is needed and not given. It names the arguments of the action, of which one is not.
type noArg string

func (e noArg) Error() string { return "no build argument " + string(e) }

// dataError is an error in the data of a template, in our words instead of the standard library's.
type dataError string

func (e dataError) Error() string { return string(e) }

func missing(key string) error { return dataError("there is no " + node.Quote(key)) }

func below(key string) error {
	return dataError(node.Quote(key) + " is asked for below a value that is no table")
}

// compile parses a template and checks the functions and fields that it uses. Fields may have only the names in known,
// any name if it is nil. args are the build arguments that it uses.
func compile(text string, known []string) (tree *parse.Tree, args []string, err error) {
	if len(text) > maxTemplate {
		return nil, nil, fmt.Errorf("a template has at most %d bytes", maxTemplate)
	}
	tree = parse.New("")
	tree.Mode = parse.SkipFuncCheck
	set := map[string]*parse.Tree{}
	if _, err := tree.Parse(text, "", "", set); err != nil {
		return nil, nil, errors.New(templatePlace.ReplaceAllString(err.Error(), ""))
	}
	if len(set) > 1 {
		return nil, nil, errors.New("templates cannot define templates")
	}
	c := checker{known: known}
	c.list(tree.Root)
	return tree, c.args, c.err
}

// argsOf returns the names of the build arguments that a string uses, if it is a template.
func argsOf(s string) []string {
	if !isTemplate(s) || !strings.Contains(s, argsKey) {
		return nil
	}
	_, args, _ := compile(s, nil)
	slices.Sort(args)
	return slices.Compact(args)
}

// templatePlace matches the beginning of the standard library's errors: a position in a template without a name.
var templatePlace = regexp.MustCompile(`^template: :\d+(:\d+)?: (executing "" at )?`)

// checker walks a template.
type checker struct {
	known []string
	args  []string // build arguments, as often as they are used
	err   error    // the first
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
			before := len(c.args)
			c.pipe(n.Pipe)
			args := &parse.StringNode{NodeType: parse.NodeString, Text: strings.Join(c.args[before:], " ")}
			n.Pipe.Cmds = append(n.Pipe.Cmds, &parse.CommandNode{
				NodeType: parse.NodeCommand, Args: []parse.Node{parse.NewIdentifier("text"), args},
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
	if len(path) > 0 && path[0] == argsKey {
		switch {
		case c.known != nil && len(path) != 2:
			c.refuse("a build argument is written .%s.NAME", argsKey)
		case len(path) == 2:
			c.args = append(c.args, path[1])
		}
	}
	if c.known != nil && len(path) > 0 && !slices.Contains(c.known, path[0]) {
		known := strings.Replace(strings.Join(c.known, ", ."), argsKey, argsKey+".NAME", 1)
		c.refuse("there is no %s: known are .%s", node.Quote("."+path[0]), known)
	}
}

// renderer renders templates over the same data, up to maxTemplate bytes in all.
type renderer struct {
	data  metadata.Table
	args  metadata.Table // build arguments in data; those that templates use and that are not given are nil
	known []string
	out   strings.Builder
	spent int
}

// newRenderer returns a renderer over data and build arguments. A key of data with the name of the arguments wins.
func newRenderer(data metadata.Table, args map[string]string, known []string) *renderer {
	r := &renderer{data: data, args: make(metadata.Table, len(args)), known: known}
	for name, value := range args {
		r.args[name] = value
	}
	if _, is := data[argsKey]; !is {
		data[argsKey] = r.args
	}
	return r
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
	tree, args, err := compile(s, r.known)
	if err != nil {
		return "", err
	}
	for _, name := range args {
		if r.args[name] == nil {
			r.args[name] = nil // or else a test of it would fail
		}
	}
	t := template.Must(template.New("").Funcs(templateFuncs).Option("missingkey=error").AddParseTree("", tree))
	r.out.Reset()
	if err = t.Execute(r, r.data); err == nil {
		return r.out.String(), nil
	}
	if data := dataError(""); errors.As(err, &data) {
		return "", data
	}
	if none := noArg(""); errors.As(err, &none) {
		return "", r.notGiven(strings.Fields(string(none)))
	}
	if m := missingKey.FindStringSubmatch(err.Error()); m != nil {
		return "", missing(m[1])
	}
	if m := noField.FindStringSubmatch(err.Error()); m != nil {
		return "", below(m[1])
	}
	if err := r.notGiven(args); err != nil {
		return "", err // functions do not take nil
	}
	return "", errors.New(templatePlace.ReplaceAllString(err.Error(), ""))
}

// notGiven returns an error for the first of some build arguments that is not given, nil when all are.
func (r *renderer) notGiven(args []string) error {
	for _, name := range args {
		if r.args[name] == nil {
			return &MissingArg{name}
		}
	}
	return nil
}

// MissingArg is the error that a template needs a build argument which is not given.
type MissingArg struct{ Name string }

func (e *MissingArg) Error() string {
	return fmt.Sprintf("build argument %s is needed and not given", node.Quote(e.Name))
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
