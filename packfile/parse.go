package packfile

import "strings"

// MaxLayers is how many layers the packfiles of a build may have together.
const MaxLayers = MaxEntries

// Parse reads a packfile in TOML or YAML, as its ending says, or else its content. It finds everything that is wrong at
// once: a non-nil err is an *Error with all of it, in file order, and pf is nil. Warnings are what lint has to say; they
// are there in both cases.
func Parse(filename string, data []byte) (pf *Packfile, warnings []Diagnostic, err error) {
	d := newDecoder(FormatOf(filename, data))
	root := d.tree("a packfile", data)
	if root == nil {
		return nil, nil, d.err(filename)
	}
	pf = readPackfile(d, root)
	if err := d.err(filename); err != nil {
		return nil, d.warnings(), err
	}
	return pf, d.warnings(), nil
}

// readPackfile turns a tree into a packfile. Its passes: today's words for old ones, the types with all that can be checked
// within one table, links between tables, lint.
func readPackfile(d *decoder, root *node) *Packfile {
	if root.kind == tableKind {
		modernize(d, root)
	}
	pf := new(Packfile)
	read(d, packfileSchema, root, pf)
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
