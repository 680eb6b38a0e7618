package packfile

import (
	"strings"

	"github.com/packfile/frontend/node"
)

// MaxLayers is the largest number of layers that all packfiles of a build have together.
const MaxLayers = node.MaxEntries

// Parse reads a packfile in TOML or YAML, by the ending of its name, or for any other ending by its content. It reports
// all errors at once: a non-nil err is an *Error with all of them, in file order, and pf is nil. It returns lint warnings
// in both cases.
func Parse(filename string, data []byte) (pf *Packfile, warnings []node.Diagnostic, err error) {
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

// IsKey reports whether an entry at the top of a TOML file is one that packfiles have.
func IsKey(e node.Entry) bool { return packfileSchema.Has(node.TOML, e.Key) }

// readPackfile turns a tree into a packfile. Its passes: rename old words, decode the types with every check within one
// table, check links between tables, symbolic links of the app, and what templates use, lint.
func readPackfile(d *node.Decoder, root *node.Node) *Packfile {
	if root.Kind == node.TableKind {
		modernize(d, root)
	}
	pf := new(Packfile)
	node.Read(d, packfileSchema, root, pf)
	checkLinks(d, pf)
	checkSymlinks(d, pf)
	checkArgs(d, pf)
	lint(d, pf)
	return pf
}

// ScriptShell returns the command that runs a script, which becomes its last argument: the script's shell, else the
// module's, else DefaultShell, split like a #! line into a program and at most one argument.
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
