package packfile

import (
	"strings"

	"github.com/packfile/frontend/node"
)

// MaxLayers is how many layers the packfiles of a build may have together.
const MaxLayers = node.MaxEntries

// Parse reads a packfile in TOML or YAML, as its ending says, or else its content. It finds everything that is wrong at
// once: a non-nil err is an *Error with all of it, in file order, and pf is nil. Warnings are what lint has to say; they
// are there in both cases.
func Parse(filename string, data []byte) (pf *Packfile, warnings []Diagnostic, err error) {
	d := node.NewDecoder(node.FormatOf(filename, data))
	root := d.Tree("a packfile", data)
	if root == nil {
		return nil, nil, d.Err(filename)
	}
	pf = readPackfile(d, root)
	if err := d.Err(filename); err != nil {
		return nil, d.Warnings(), err
	}
	return pf, d.Warnings(), nil
}

// IsKey says whether an entry at the top of a TOML file is one that packfiles have.
func IsKey(e node.Entry) bool { return packfileSchema.Has(node.TOML, e.Key) }

// readPackfile turns a tree into a packfile. Its passes: today's words for old ones, the types with all that can be checked
// within one table, links between tables, lint.
func readPackfile(d *node.Decoder, root *node.Node) *Packfile {
	if root.Kind == node.TableKind {
		modernize(d, root)
	}
	pf := new(Packfile)
	node.Read(d, packfileSchema, root, pf)
	checkLinks(d, pf)
	lint(d, pf)
	return pf
}

// ScriptShell is the command that a script is given to, as last argument: the script's shell, else the module's, else
// DefaultShell, split as a #! line is into a program and at most one argument.
func ScriptShell(pf *Packfile, s *Script) []string {
	shell := s.Shell
	if shell == "" {
		shell = pf.Config.Shell
	}
	if shell == "" {
		shell = DefaultShell
	}
	program, argument, _ := strings.Cut(strings.TrimSpace(shell), " ")
	if argument = strings.TrimSpace(argument); argument != "" {
		return []string{program, argument}
	}
	return []string{program}
}
