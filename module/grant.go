package module

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/step"
)

// Grant is what a module is given of the secrets, SSH agents, build arguments and named contexts of the user who builds.
type Grant struct {
	Secrets, SSH, Args, Contexts []string

	AllArgs bool       // of a buildpack: it has all build arguments, since no list says which
	At      node.Range // [[buildpacks]] entry of the packfile being built that brings the module
	Through []string   // files of modules on the way, whose entries must name what they pass on
}

// HasSecret reports whether a module is given a secret. The packfile being built has all secrets, and every module has the
// certificates that the network needs.
func (m *Module) HasSecret(id string) bool {
	return m.Grant == nil || id == step.CASecret || slices.Contains(m.Grant.Secrets, id)
}

// HasAgent reports whether a module is given an SSH agent.
func (m *Module) HasAgent(id string) bool { return m.Grant == nil || slices.Contains(m.Grant.SSH, id) }

// CheckAccess fails for each secret and agent that a section needs and the module is not given. The errors point at the module's
// [[buildpacks]] entry, which stands in the file root.
func (m *Module) CheckAccess(root string, sections ...packfile.Access) error {
	var secrets, agents []string
	add := func(to *[]string, id string) {
		if !slices.Contains(*to, id) {
			*to = append(*to, id)
		}
	}
	for _, a := range sections {
		for _, s := range a.Secrets {
			if s.Required && !m.HasSecret(s.ID) {
				add(&secrets, s.ID)
			}
		}
		for _, id := range a.SSH {
			if !m.HasAgent(id) {
				add(&agents, id)
			}
		}
	}
	var missing []node.Diagnostic
	for key, ids := range map[string][]string{"secrets": secrets, "ssh": agents} {
		if len(ids) > 0 {
			missing = append(missing, m.lacks(key, ids))
		}
	}
	if missing == nil {
		return nil
	}
	slices.SortFunc(missing, func(x, y node.Diagnostic) int { return strings.Compare(x.Message, y.Message) })
	return &node.Error{Filename: root, Diagnostics: missing}
}

// lacks returns the error that the module needs some of the user's secrets, agents or arguments that it is not given.
func (m *Module) lacks(key string, ids []string) node.Diagnostic {
	return node.Diagnostic{
		Message: fmt.Sprintf("module %s needs %s, which it is not given", m.Name(), needs(key, ids)),
		Hint:    m.Grant.hint(key, ids),
		Range:   m.Grant.At,
	}
}

// grantWords are what the keys of a [[buildpacks]] entry list.
var grantWords = map[string]string{"secrets": "secret", "ssh": "ssh agent", "args": "build argument", "contexts": "named context"}

// needs returns a phrase that names what a key lists.
func needs(key string, ids []string) string {
	what := grantWords[key]
	if len(ids) > 1 {
		what += "s"
	}
	return what + " " + quoted(ids)
}

func quoted(ids []string) string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = fmt.Sprintf("%q", id)
	}
	return strings.Join(texts, ", ")
}

// hint returns what to write, and where, so that a module is given what a key lists.
func (g *Grant) hint(key string, ids []string) string {
	hint := fmt.Sprintf("add %s = [%s] to its entry", key, quoted(ids))
	if len(g.Through) > 0 {
		hint += ", and to the one in " + strings.Join(g.Through, ", ")
	}
	return hint
}

// NotGiven returns a line for each secret that the module names, can do without, and is not given; and for each of the user's
// build arguments that it names and is not given.
func (m *Module) NotGiven(args []step.Variable) (lines []string) {
	add := func(key, id string) {
		if line := fmt.Sprintf("module %s is not given %s %q", m.Name(), grantWords[key], id); !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	for _, a := range m.Packfile.Access() {
		for _, s := range a.Secrets {
			if !m.HasSecret(s.ID) {
				add("secrets", s.ID)
			}
		}
	}
	for _, named := range m.Packfile.NamedArgs() {
		given := func(v step.Variable) bool { return v.Name == named.Name }
		if !m.HasArg(named.Name) && slices.ContainsFunc(args, given) {
			add("args", named.Name)
		}
	}
	return lines
}

// grant gives every module what it gets of the user's: what entries of the packfile being built name, and what entries of modules
// pass on of theirs. All modules of a package are given what the entry of the package names. A buildpack with programs also has
// what [config] lists of the build arguments; when neither that nor its entry lists any, it has all of them, as the Buildpack API
// says.
func (l *loader) grant() {
	defer l.grantArgs()
	for next := []*Module{l.root}; len(next) > 0; next = next[1:] {
		by := next[0]
		for i, bp := range by.buildpacks {
			for _, m := range by.brought[i] {
				if m != l.root && give(by, m, bp) {
					next = append(next, m)
				}
			}
		}
	}
}

// grantArgs gives buildpacks with programs the build arguments that they have besides those of their entries.
func (l *loader) grantArgs() {
	for _, m := range l.modules {
		if m.Buildpack == nil || m.Grant == nil {
			continue
		}
		args := l.root.Packfile.Config.Args
		m.Grant.AllArgs = args == nil && m.Grant.Args == nil
		m.Grant.Args = append(m.Grant.Args, args...)
	}
}

// give gives a module what an entry of another module names. It reports whether any of that is new.
func give(by, to *Module, bp packfile.Buildpack) (news bool) {
	if to.Grant == nil {
		news = true
		to.Grant = &Grant{At: bp.Range()}
		if by.Grant != nil {
			to.Grant.At, to.Grant.Through = by.Grant.At, append(slices.Clone(by.Grant.Through), by.Filename)
		}
	}
	add := func(list *[]string, ids []string, has func(string) bool) {
		for _, id := range ids {
			if has(id) && !slices.Contains(*list, id) {
				*list, news = append(*list, id), true
			}
		}
	}
	add(&to.Grant.Secrets, bp.Secrets, by.HasSecret)
	add(&to.Grant.SSH, bp.SSH, by.HasAgent)
	if bp.Args != nil && to.Grant.Args == nil {
		to.Grant.Args = []string{} // a list that names none is one
	}
	add(&to.Grant.Args, bp.Args, by.HasArg)
	add(&to.Grant.Contexts, bp.Contexts, by.HasContext)
	return news
}

// warnUnusedGrants warns about everything that an entry of a packfile gives and none of its modules names.
func (l *loader) warnUnusedGrants(ctx context.Context) {
	for _, by := range l.modules {
		var unused []node.Diagnostic
		for i, bp := range by.buildpacks {
			modules := slices.DeleteFunc(slices.Clone(by.brought[i]), func(m *Module) bool { return m == l.root })
			unused = append(unused, unusedGrants(bp, modules)...)
		}
		by.Warnings = append(by.Warnings, unused...)
		l.world.Warn(ctx, by.Filename, unused)
	}
}

// unusedGrants returns a warning for each id of an entry that none of its modules names, in a section or in an entry of its own.
// A section without args names all arguments.
func unusedGrants(bp packfile.Buildpack, modules []*Module) (unused []node.Diagnostic) {
	var secrets, agents, args, contexts []string
	var seesAll, mayName bool // a module sees all arguments that it is given; a template may name any context
	for _, m := range modules {
		for _, a := range m.Packfile.Access() {
			for _, s := range a.Secrets {
				secrets = append(secrets, s.ID)
			}
			agents = append(agents, a.SSH...)
		}
		for _, passed := range m.buildpacks {
			secrets, agents = append(secrets, passed.Secrets...), append(agents, passed.SSH...)
			args, contexts = append(args, passed.Args...), append(contexts, passed.Contexts...)
		}
		for _, named := range m.Packfile.NamedArgs() {
			args = append(args, named.Name)
		}
		names, open := m.Packfile.Contexts()
		contexts, mayName = append(contexts, names...), mayName || open
		seesAll = seesAll || m.Buildpack != nil || m.Packfile.SeesAllArgs()
	}
	add := func(key string, given, named []string) {
		hint := "take it out"
		if slices.Sort(named); len(named) > 0 {
			hint = fmt.Sprintf("named are %q", slices.Compact(named))
		}
		for i, id := range given {
			if !slices.Contains(named, id) && !slices.Contains(given[:i], id) {
				unused = append(unused, node.Diagnostic{
					Rule:    packfile.UnusedGrant.Name,
					Message: fmt.Sprintf("no section of %s names %s %q, which the entry gives", shownSource(bp), grantWords[key], id),
					Hint:    hint,
					Range:   bp.At(key),
				})
			}
		}
	}
	add("secrets", bp.Secrets, secrets)
	add("ssh", bp.SSH, agents)
	if !seesAll {
		add("args", bp.Args, args)
	}
	if !mayName {
		add("contexts", bp.Contexts, contexts)
	}
	return unused
}
