package module

import "github.com/packfile/frontend/node"

// HasContext reports whether a module may use a named context of the user's as a dep. The packfile being built may use all of
// them; a module gets none.
func (m *Module) HasContext(string) bool { return m.Grant == nil }

// CheckContext fails for a named context that the module names at a place and is not given.
func (m *Module) CheckContext(name string, at node.Range) error {
	if m.HasContext(name) {
		return nil
	}
	return m.Fail(at, "module %s is not given the named context %q of the build", m.Name(), name)
}
