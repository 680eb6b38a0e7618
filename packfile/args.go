package packfile

import (
	"maps"
	"slices"
	"strings"

	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/node"
)

// Args says which build arguments something of a module sees: all of them, or those with some names.
type Args struct {
	listed bool
	names  []string
}

// All reports whether all arguments are seen, as without any list.
func (a Args) All() bool { return !a.listed }

// Sees reports whether the argument of a name is seen.
func (a Args) Sees(name string) bool { return !a.listed || slices.Contains(a.names, name) }

// args returns the arguments of some lists, besides those of [config]. A nil list was not given: when none was, all arguments are
// seen.
func (p *Packfile) args(lists ...[]string) (a Args) {
	for _, list := range append(lists, p.Config.Args) {
		a.listed = a.listed || list != nil
		a.names = append(a.names, list...)
	}
	return a
}

// RequireArgs returns the arguments that the require script of a layer sees.
func (p *Packfile) RequireArgs(l *Layer) Args { return p.args(l.Require.Args) }

// TestArgs returns the arguments that the test script of a layer sees: those of its section, and its own.
func (p *Packfile) TestArgs(l *Layer) Args { return p.args(l.Provide.Args, l.Provide.Test.Args) }

// RunArgs returns the arguments that the run script of a layer, and the templates of its section, see.
func (p *Packfile) RunArgs(l *Layer) Args { return p.args(l.Provide.Args) }

// eachArgs calls a function with what each section of the packfile sees.
func (p *Packfile) eachArgs(do func(Args)) {
	for i := range p.Layers {
		l := &p.Layers[i]
		if l.Require != nil {
			do(p.RequireArgs(l))
		}
		if l.Provide != nil {
			do(p.RunArgs(l))
			if l.Provide.Test != nil {
				do(p.TestArgs(l))
			}
		}
	}
}

// SeesArg reports whether anything of the packfile sees the argument of a name: a section, or a template of [config].
func (p *Packfile) SeesArg(name string) (sees bool) {
	sees = slices.Contains(p.Config.Args, name) || slices.Contains(p.Config.templateArgs(), name)
	p.eachArgs(func(a Args) { sees = sees || a.Sees(name) })
	return sees
}

// SeesAllArgs reports whether a section of the packfile sees every argument.
func (p *Packfile) SeesAllArgs() (all bool) {
	p.eachArgs(func(a Args) { all = all || a.All() })
	return all
}

// NamedArg is an argument that a packfile names, with the first place where it does.
type NamedArg struct {
	Name string
	At   node.Range
}

// NamedArgs returns the arguments that the packfile names in lists and templates, sorted by name.
func (p *Packfile) NamedArgs() (named []NamedArg) {
	first := map[string]node.Range{}
	add := func(name string, at node.Range) {
		if before, known := first[name]; !known || at.Start.Line < before.Start.Line {
			first[name] = at
		}
	}
	list := func(names []string, t node.Table) {
		for i, name := range names {
			add(name, t.Item("args", i))
		}
	}
	list(p.Config.Args, p.Config.Table)
	for i := range p.Layers {
		l := &p.Layers[i]
		if l.Require != nil {
			list(l.Require.Args, l.Require.Table)
		}
		if l.Provide != nil {
			list(l.Provide.Args, l.Provide.Table)
			if l.Provide.Test != nil {
				list(l.Provide.Test.Args, l.Provide.Test.Table)
			}
		}
	}
	p.eachArgUse(func(t argUse) {
		for _, name := range t.args {
			add(name, t.at)
		}
	})
	for _, name := range slices.Sorted(maps.Keys(first)) {
		named = append(named, NamedArg{name, first[name]})
	}
	return named
}

// argUse is a template that uses arguments.
type argUse struct {
	args  []string
	at    node.Range
	layer *Layer // nil for [config]
}

// eachArgUse calls a function with each template that uses arguments: labels by name, variables of the app, and then variables and
// deps of layers in file order.
func (p *Packfile) eachArgUse(do func(argUse)) {
	add := func(names []string, at node.Range, l *Layer) {
		if len(names) > 0 {
			do(argUse{names, at, l})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Config.Labels)) {
		add(argsOf(p.Config.Labels[name]), p.Config.At(labelKey(name)), nil)
	}
	for _, v := range p.Config.Env {
		add(v.Args(), v.At("value"), nil)
	}
	for i := range p.Layers {
		l := &p.Layers[i]
		if l.Provide == nil {
			continue
		}
		for _, v := range l.Provide.Env.all() {
			add(v.Args(), v.At("value"), l)
		}
		for j := range l.Provide.Deps {
			dep := &l.Provide.Deps[j]
			for _, key := range []struct{ name, value string }{
				{"name", dep.Name}, {"version", dep.Version}, {"uri", dep.URI}, {"sha", dep.SHA}, {"platform", dep.Platform},
			} {
				add(argsOf(key.value), dep.At(key.name), l)
			}
			add(argsOfTable(dep.Metadata), dep.At("metadata"), l)
		}
	}
}

// all returns all variables of the table.
func (e Env) all() []EnvVar { return slices.Concat(e.Both, e.Build, e.Launch) }

// Args returns the names of the build arguments that the variable's value uses.
func (v EnvVar) Args() []string { return argsOf(v.Value) }

// Args returns the names of the build arguments that the strings of a dep use, before Render.
func (d Dep) Args() []string {
	names := slices.Concat(argsOf(d.Name), argsOf(d.Version), argsOf(d.URI), argsOf(d.SHA), argsOf(d.Platform), argsOfTable(d.Metadata))
	slices.Sort(names)
	return slices.Compact(names)
}

func argsOfTable(table metadata.Table) (names []string) {
	for e := range table.Entries() {
		if value, ok := e.Value.(string); ok {
			names = append(names, argsOf(value)...)
		}
	}
	return names
}

// templateArgs returns the names of the build arguments that labels and variables of the app use.
func (c *Config) templateArgs() (names []string) {
	for _, value := range c.Labels {
		names = append(names, argsOf(value)...)
	}
	for _, v := range c.Env {
		names = append(names, v.Args()...)
	}
	return names
}

// checkArgs reports templates that use an argument which their section does not see, and warns of sections that see all arguments
// where templates show that the build is given some.
func checkArgs(d *node.Decoder, p *Packfile) {
	used := false
	p.eachArgUse(func(t argUse) {
		used = true
		if t.layer == nil {
			return // no step sees what these use
		}
		for _, name := range t.args {
			if seen := p.RunArgs(t.layer); !seen.Sees(name) && !p.isMetadata(t.layer, argsKey) {
				d.Fail(t.at, "add "+node.Quote(name)+" to args of the section, or to those of config",
					"build argument %s is not among those that the section sees", node.Quote(name))
			}
		}
	})
	for i := range p.Layers {
		l := &p.Layers[i]
		if used && l.Provide != nil && p.RunArgs(l).All() {
			d.Warn(ArgsPreferred, l.Range(), d.Example("args", "[]")+" with the names of those that its steps need",
				"layer %s is built again when any build argument changes: its section has no args", node.Quote(l.Name))
		}
	}
}

// isMetadata reports whether the packfile gives a layer a metadata key: templates of deps then mean that.
func (p *Packfile) isMetadata(l *Layer, key string) bool {
	_, is := l.Metadata[key]
	return is
}

// argumentName checks the name of a build argument that a step may see.
func argumentName(s string) (problem, hint string) {
	if problem, hint = node.VariableName(s); problem != "" {
		return problem, hint
	}
	upper := strings.ToUpper(s)
	switch {
	case slices.Contains(ProxyArgs, upper):
		return "is a proxy", "steps use it without being told"
	case s == "SOURCE_DATE_EPOCH", strings.HasPrefix(s, "PACKFILE_"), strings.HasPrefix(s, "BUILDKIT_"):
		return "is an option of the build", "no step sees it"
	}
	return "", ""
}

// ProxyArgs are the build arguments that are proxies of steps, in capitals; small letters mean the same.
var ProxyArgs = []string{"HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"}

// Contexts returns the named contexts that deps of the packfile are. open says that a template decides about others.
func (p *Packfile) Contexts() (names []string, open bool) {
	for i := range p.Layers {
		if p.Layers[i].Provide == nil {
			continue
		}
		for _, dep := range p.Layers[i].Provide.Deps {
			if kind, name := dep.Source(); kind == ContextSource {
				names, open = append(names, name), open || isTemplate(name)
			}
		}
	}
	return names, open
}
