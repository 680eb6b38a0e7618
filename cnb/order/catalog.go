package order

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/packfile/frontend/text"
)

// Catalog holds all modules of a build, by id and version. The zero value is empty.
type Catalog struct {
	modules map[string][]*Module // by id, in the order in which they were added
}

// DuplicateError is the error when the catalog already has a module with this id and version.
type DuplicateError struct {
	Module *Module // that was there first
}

func (e *DuplicateError) Error() string { return fmt.Sprintf("module %s is there twice", e.Module) }

// Add adds a module. The error is a *DuplicateError.
func (c *Catalog) Add(m *Module) error {
	if first := c.exact(m.ID, m.Version); first != nil {
		return &DuplicateError{first}
	}
	if c.modules == nil {
		c.modules = map[string][]*Module{}
	}
	c.modules[m.ID] = append(c.modules[m.ID], m)
	return nil
}

// Find returns the module with an id and version. The version may be "" when the module has none, or when the catalog has
// only one version of it. The error lists versions of the id, or the nearest id.
func (c *Catalog) Find(id, version string) (*Module, error) {
	found := c.modules[id]
	if m := c.exact(id, version); m != nil {
		return m, nil
	}
	switch {
	case len(found) == 0:
		hint := text.DidYouMean(id, slices.Sorted(maps.Keys(c.modules)))
		if hint != "" {
			hint = " (" + hint + ")"
		}
		return nil, fmt.Errorf("there is no module %q%s", id, hint)
	case version != "":
		return nil, fmt.Errorf("module %q is not there in version %q (there: %s)", id, version, versions(found))
	case len(found) > 1:
		return nil, fmt.Errorf("module %q is there in several versions (%s): say which", id, versions(found))
	}
	return found[0], nil
}

// exact returns the module with exactly this id and version, nil when there is none.
func (c *Catalog) exact(id, version string) *Module {
	for _, m := range c.modules[id] {
		if m.Version == version {
			return m
		}
	}
	return nil
}

// versions lists the versions of an id for a message.
func versions(modules []*Module) string {
	list := make([]string, len(modules))
	for i, m := range modules {
		list[i] = "one without"
		if m.Version != "" {
			list[i] = fmt.Sprintf("%q", m.Version)
		}
	}
	return strings.Join(list, ", ")
}
