package module

import (
	"fmt"
	"slices"
	"strings"

	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/step"
)

// Grant is what a module is given of the secrets and SSH agents of the user who builds.
type Grant struct {
	Secrets, SSH []string
	At           packfile.Range // the [[buildpacks]] entry by which the packfile that is built has the module
	Through      []string       // files of modules on the way, whose entries have to name what they pass on
}

// HasSecret reports whether a module is given a secret. The packfile that is built has all of them, and every module has the
// certificates that the network needs.
func (m *Module) HasSecret(id string) bool {
	return m.Grant == nil || id == step.CASecret || slices.Contains(m.Grant.Secrets, id)
}

// HasAgent reports whether a module is given an SSH agent.
func (m *Module) HasAgent(id string) bool { return m.Grant == nil || slices.Contains(m.Grant.SSH, id) }

// CheckAccess returns an error at the module's [[buildpacks]] entry for each secret and agent that a section cannot do without, and
// the module is not given. The entry stands in the file root.
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
	var missing []packfile.Diagnostic
	for key, ids := range map[string][]string{"secrets": secrets, "ssh": agents} {
		if len(ids) > 0 {
			missing = append(missing, packfile.Diagnostic{
				Message: fmt.Sprintf("module %s needs %s, which it is not given", m.Name(), needs(key, ids)),
				Hint:    m.Grant.hint(key, ids),
				Range:   m.Grant.At,
			})
		}
	}
	if missing == nil {
		return nil
	}
	slices.SortFunc(missing, func(x, y packfile.Diagnostic) int { return strings.Compare(x.Message, y.Message) })
	return &packfile.Error{Filename: root, Diagnostics: missing}
}

// needs names secrets or agents.
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

// hint says what to write, and where, so that a module is given something.
func (g *Grant) hint(key string, ids []string) string {
	hint := fmt.Sprintf("add %s = [%s] to its entry", key, quoted(ids))
	if len(g.Through) > 0 {
		hint += ", and to the one in " + strings.Join(g.Through, ", ")
	}
	return hint
}

// NotGiven says which secrets the module names and can do without, that it is not given: one line each.
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
