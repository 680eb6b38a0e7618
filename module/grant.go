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

// Grant is what a module is given of the secrets and SSH agents of the user who builds.
type Grant struct {
	Secrets, SSH []string
	At           node.Range // [[buildpacks]] entry of the packfile being built that brings the module
	Through      []string   // files of modules on the way, whose entries must name what they pass on
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
			missing = append(missing, node.Diagnostic{
				Message: fmt.Sprintf("module %s needs %s, which it is not given", m.Name(), needs(key, ids)),
				Hint:    m.Grant.hint(key, ids),
				Range:   m.Grant.At,
			})
		}
	}
	if missing == nil {
		return nil
	}
	slices.SortFunc(missing, func(x, y node.Diagnostic) int { return strings.Compare(x.Message, y.Message) })
	return &node.Error{Filename: root, Diagnostics: missing}
}

// needs returns a phrase that names secrets or agents.
func needs(key string, ids []string) string {
	what := map[string]string{"secrets": "secret", "ssh": "ssh agent"}[key]
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

// hint returns what to write, and where, so that a module is given some secrets or agents.
func (g *Grant) hint(key string, ids []string) string {
	hint := fmt.Sprintf("add %s = [%s] to its entry", key, quoted(ids))
	if len(g.Through) > 0 {
		hint += ", and to the one in " + strings.Join(g.Through, ", ")
	}
	return hint
}

// NotGiven returns a line for each secret that the module names, can do without, and is not given.
func (m *Module) NotGiven() (lines []string) {
	for _, a := range m.Packfile.Access() {
		for _, s := range a.Secrets {
			line := fmt.Sprintf("module %s is not given secret %q", m.Name(), s.ID)
			if !m.HasSecret(s.ID) && !slices.Contains(lines, line) {
				lines = append(lines, line)
			}
		}
	}
	return lines
}

// grant gives every module its secrets and agents of the user's: those that entries of the packfile being built name, and what
// entries of modules pass on of theirs. All modules of a package are given what the entry of the package names.
func (l *loader) grant() {
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
	return news
}

// warnUnusedGrants warns about each secret and agent that an entry of a packfile gives and none of its modules names.
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
func unusedGrants(bp packfile.Buildpack, modules []*Module) (unused []node.Diagnostic) {
	var secrets, agents []string
	for _, m := range modules {
		for _, a := range m.Packfile.Access() {
			for _, s := range a.Secrets {
				secrets = append(secrets, s.ID)
			}
			agents = append(agents, a.SSH...)
		}
		for _, passed := range m.buildpacks {
			secrets, agents = append(secrets, passed.Secrets...), append(agents, passed.SSH...)
		}
	}
	add := func(key, what string, given, named []string) {
		hint := "take it out"
		if slices.Sort(named); len(named) > 0 {
			hint = fmt.Sprintf("named are %q", slices.Compact(named))
		}
		for i, id := range given {
			if !slices.Contains(named, id) && !slices.Contains(given[:i], id) {
				unused = append(unused, node.Diagnostic{
					Rule:    packfile.UnusedGrant.Name,
					Message: fmt.Sprintf("no section of %s names %s %q, which the entry gives", shownSource(bp), what, id),
					Hint:    hint,
					Range:   bp.At(key),
				})
			}
		}
	}
	add("secrets", "secret", bp.Secrets, secrets)
	add("ssh", "ssh agent", bp.SSH, agents)
	return unused
}
