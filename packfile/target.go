package packfile

// Target is the platform that is built for.
type Target struct {
	Platform, OS, Arch, Variant string
}

// Variable is a name with a value.
type Variable struct {
	Table       // of a project's variables; see Project.Env
	Name, Value string
}

// Variables are what templates and steps know of a target, in the names that Dockerfiles use.
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

// data is a target as templates see it.
func (t Target) data() map[string]any {
	data := map[string]any{}
	for _, v := range t.Variables() {
		data[v.Name] = v.Value
	}
	return data
}
