package packfile

import (
	"github.com/packfile/frontend/node"

	"github.com/packfile/frontend/metadata"
)

// Target is the platform of a build.
type Target struct {
	Platform, OS, Arch, Variant string
}

// Variable is a name with a value.
type Variable struct {
	node.Table  // place of a project's variable; see Project.Env
	Name, Value string
}

// Variables returns the variables by which templates and steps know a target, with the names that Dockerfiles use.
func (t Target) Variables() []Variable {
	return []Variable{
		{Name: "TARGETPLATFORM", Value: t.Platform}, {Name: "TARGETOS", Value: t.OS},
		{Name: "TARGETARCH", Value: t.Arch}, {Name: "TARGETVARIANT", Value: t.Variant},
	}
}

// targetFields are the names of those variables.
var targetFields = func() (names []string) {
	for _, v := range (Target{}).Variables() {
		names = append(names, v.Name)
	}
	return names
}()

// data returns a target as the data of templates.
func (t Target) data() metadata.Table {
	data := metadata.Table{}
	for _, v := range t.Variables() {
		data[v.Name] = v.Value
	}
	return data
}
