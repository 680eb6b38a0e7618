package module

import (
	"errors"
	"slices"

	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/step"
)

// HasArg reports whether a module is given a build argument. The packfile being built has all of them, and so has a buildpack with
// programs, until a list says which.
func (m *Module) HasArg(name string) bool {
	return m.Grant == nil || m.Grant.AllArgs || slices.Contains(m.Grant.Args, name)
}

// Args returns those of the user's build arguments that something of the module sees: of those that the module is given.
func (m *Module) Args(of []step.Variable, seen packfile.Args) (args []step.Variable) {
	for _, v := range of {
		if m.HasArg(v.Name) && seen.Sees(v.Name) {
			args = append(args, v)
		}
	}
	return args
}

// SeesArg reports whether anything of the module sees a build argument of the user's.
func (m *Module) SeesArg(name string) bool {
	return m.HasArg(name) && (m.Buildpack != nil || m.Packfile.SeesArg(name))
}

// ConfigArgs returns the values that templates of the module's [config] know, by name: those of all build arguments that it is
// given. They make no layer, so no list says which they see.
func (m *Module) ConfigArgs(of []step.Variable) map[string]string {
	return Values(m.Args(of, packfile.Args{}))
}

// Labels returns the labels that the module gives the image. It fails when one of them needs a build argument that is not given.
func (m *Module) Labels(root string, args []step.Variable) (map[string]string, error) {
	labels, err := m.Packfile.Config.RenderLabels(m.ConfigArgs(args))
	if err != nil {
		return nil, m.Unrendered(root, args, err)
	}
	return labels, nil
}

// Unrendered returns the error that a template of the module could not be rendered: at the template, or at the module's
// [[buildpacks]] entry in the file root, see Withheld.
func (m *Module) Unrendered(root string, args []step.Variable, err error) error {
	if withheld := m.Withheld(root, args, err); withheld != nil {
		return withheld
	}
	if d, ok := errors.AsType[node.Diagnostic](err); ok {
		return &node.Error{Filename: m.Filename, Diagnostics: []node.Diagnostic{d}}
	}
	return err
}

// Withheld returns an error at the module's [[buildpacks]] entry when a template of the module could not be rendered for want of a
// build argument that the user gives, and the module is not given. Otherwise it returns nil.
func (m *Module) Withheld(root string, args []step.Variable, err error) error {
	missing, ok := errors.AsType[*packfile.MissingArg](err)
	if !ok || m.HasArg(missing.Name) || !slices.ContainsFunc(args, func(v step.Variable) bool { return v.Name == missing.Name }) {
		return nil
	}
	return &node.Error{Filename: root, Diagnostics: []node.Diagnostic{m.lacks("args", []string{missing.Name})}}
}

// Values returns the values of variables by name.
func Values(vars []step.Variable) map[string]string {
	values := make(map[string]string, len(vars))
	for _, v := range vars {
		values[v.Name] = v.Value
	}
	return values
}
