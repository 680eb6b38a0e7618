package packfile

import (
	"bytes"
	"errors"
	"path"
	"regexp"
	"strings"

	"github.com/packfile/frontend/measure"
)

// MaxSize is how large a packfile, or another file of this package, may be, in bytes.
const MaxSize = 4 << 20

// MaxEntries is how many entries an array may have: those of some are looked at in pairs.
const MaxEntries = 1000

// MaxLayers is how many layers the packfiles of a build may have together.
const MaxLayers = MaxEntries

// most is how large they may be otherwise. What nests is bounded by maxDepth, with better places; this bounds what is spent
// until that is seen.
var most = measure.Size{Bytes: MaxSize, Values: 200_000, Depth: 2 * maxDepth}

// Parse reads a packfile in TOML or YAML, as its ending says, or else its content. It finds everything that is wrong at
// once: a non-nil err is an *Error with all of it, in file order, and pf is nil. Warnings are what lint has to say; they
// are there in both cases.
func Parse(filename string, data []byte) (pf *Packfile, warnings []Diagnostic, err error) {
	var d decoder
	format := readTOML
	if isYAML(filename, data) {
		d.spelling, format = camelCase, readYAML
	}
	root := d.tree("a packfile", data, format)
	if root == nil {
		return nil, nil, d.err(filename)
	}
	pf = d.packfile(root)
	if err := d.err(filename); err != nil {
		return nil, sorted(d.warns), err
	}
	return pf, sorted(d.warns), nil
}

// Measure is what a file of this package costs to parse, as far as it may cost anything: what Parse refuses costs no more.
func Measure(filename string, data []byte) measure.Size {
	meter := measure.TOML
	if isYAML(filename, data) {
		meter = measure.YAML
	}
	size, _ := meter(data, most)
	return size
}

// measured reports a text that is larger than it may be.
func (r *report) measured(src *source, meter func([]byte, measure.Size) (measure.Size, error)) bool {
	_, err := meter(src.data, most)
	if excess, ok := errors.AsType[*measure.Excess](err); ok {
		r.fail(src.span(excess.Offset, excess.Offset+1), "", "%s", excess)
	}
	return err == nil
}

// tree reads a text into a tree. It returns nil, with an error reported, when the text is too large or its syntax broken.
func (d *decoder) tree(what string, data []byte, format func(*source, *report) *node) *node {
	if len(data) > MaxSize {
		first := Range{Position{1, 1}, Position{1, 1}}
		d.fail(first, "", "%s has at most %d MiB, this one has %d bytes", what, MaxSize>>20, len(data))
		return nil
	}
	data = Text(data)
	data = data[:len(data):len(data)] // the TOML parser finds its place by capacity
	return format(newSource(data), &d.report)
}

// packfile turns a tree into a packfile. Its passes: today's words for old ones, the types with all that can be checked
// within one table, links between tables, lint.
func (d *decoder) packfile(root *node) *Packfile {
	if root.kind == tableKind {
		d.modernize(root)
	}
	pf := new(Packfile)
	read(d, packfileSchema, root, pf)
	d.links(pf)
	d.lint(pf)
	return pf
}

// tomlStart matches a line that begins a TOML document and no YAML document: a header, or a key and an equals sign.
var tomlStart = regexp.MustCompile(`^(\[|[A-Za-z0-9_."'-]+[ \t]*=)`)

// isYAML says which format a packfile is in.
func isYAML(filename string, data []byte) bool {
	switch strings.ToLower(path.Ext(filename)) {
	case ".toml":
		return false
	case ".yaml", ".yml":
		return true
	}
	for line := range bytes.Lines(bytes.TrimPrefix(data, byteOrderMark)) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			return !tomlStart.Match(line)
		}
	}
	return false
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
