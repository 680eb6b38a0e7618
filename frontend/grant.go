package frontend

import (
	"context"
	"fmt"
	"slices"

	"github.com/packfile/frontend/convert"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/packfile"
)

// grant says of every module what it is given of the user's secrets and agents: what entries of the packfile that is built
// name, and what entries of modules name of what these are given. All modules of a package are given what its entry names.
func (l *loader) grant() {
	for next := []*unit{l.root}; len(next) > 0; next = next[1:] {
		by := next[0]
		for i, bp := range by.buildpacks {
			for _, u := range by.brought[i] {
				if u != l.root && give(by, u, bp) {
					next = append(next, u)
				}
			}
		}
	}
}

// give gives a module what an entry of another names. It says whether that is news.
func give(by, to *unit, bp packfile.Buildpack) (news bool) {
	if to.Grant == nil {
		news = true
		to.Grant = &module.Grant{At: bp.Range()}
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

// warnUnusedGrants warns of each secret and agent that an entry of a packfile gives and none of its modules names.
func (l *loader) warnUnusedGrants(ctx context.Context) {
	for _, u := range l.units {
		var unused []packfile.Diagnostic
		for i, bp := range u.buildpacks {
			modules := slices.DeleteFunc(slices.Clone(u.brought[i]), func(m *unit) bool { return m == l.root })
			unused = append(unused, unusedGrants(bp, modules)...)
		}
		if u == l.root {
			l.warnings = append(l.warnings, unused...)
		} else {
			u.warnings = append(u.warnings, unused...)
		}
		switch {
		case l.opts.requestID != "": // the answer has them
		case u == l.root:
			l.warnAboutSource(ctx, unused)
		default:
			l.warnAbout(ctx, u.Filename, unused)
		}
	}
}

// unusedGrants returns a warning for each id of an entry that none of its modules names, in a section or in an entry of its own.
func unusedGrants(bp packfile.Buildpack, modules []*unit) (unused []packfile.Diagnostic) {
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
				unused = append(unused, packfile.Diagnostic{
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

// warnNotGiven tells of secrets that modules of a group would like to have, once for all platforms.
func (b *build) warnNotGiven(ctx context.Context, g *convert.Group) {
	for _, m := range g.Modules {
		for _, line := range m.NotGiven() {
			if b.planSays.add(line) && b.opts.requestID == "" {
				b.warn(ctx, line, "It can do without. To give it, list the secret in secrets of the module's [[buildpacks]] entry.")
			}
		}
	}
}
