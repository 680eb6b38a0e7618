package module

import (
	"slices"

	"github.com/packfile/frontend/node"
)

// HasContext reports whether a module may use a named context of the user's as a dep. The packfile being built may use all of
// them.
func (m *Module) HasContext(name string) bool {
	return m.Grant == nil || slices.Contains(m.Grant.Contexts, name)
}

// CheckContext fails for a named context that the module needs and is not given. The error points at the module's [[buildpacks]]
// entry, which stands in the file root.
func (m *Module) CheckContext(root, name string) error {
	if m.HasContext(name) {
		return nil
	}
	return &node.Error{Filename: root, Diagnostics: []node.Diagnostic{m.lacks("contexts", []string{name})}}
}
