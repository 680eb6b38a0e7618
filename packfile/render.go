package packfile

import (
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/node"
)

// Render fills in the templates of a dep from a layer's metadata, where the layer's version is the key "version", from
// the target, and from the build arguments that its section sees. It checks the result as a dep without templates. The error holds a
// Diagnostic that points at the dep.
func (d Dep) Render(md metadata.Table, target Target, args map[string]string) (Dep, error) {
	// A key of the layer with one of our names wins: its author means it.
	data := target.data()
	maps.Copy(data, md)
	r := newRenderer(data, args, nil)
	fields := []struct {
		key   string
		value *string
		check node.Check
	}{
		{"name", &d.Name, depName}, {"version", &d.Version, depVersion}, {"uri", &d.URI, depURI}, {"sha", &d.SHA, node.SHA256},
		{"platform", &d.Platform, platformName},
	}
	declared := d.Name
	for _, f := range fields {
		if (f.key == "sha" || f.key == "platform") && *f.value == "" {
			continue // it was not given
		}
		rendered, err := r.render(*f.value)
		if err != nil {
			return Dep{}, d.failed(declared, f.key, err)
		}
		if problem, _ := f.check(rendered); problem != "" {
			return Dep{}, d.failed(declared, f.key, fmt.Errorf("%s %s", node.Quote(rendered), problem))
		}
		if f.key == "uri" {
			if problem := sameKind(d.URI, rendered); problem != "" {
				return Dep{}, d.failed(declared, f.key, fmt.Errorf("%s %s", node.Quote(rendered), problem))
			}
		}
		*f.value = rendered
	}
	d.SHA = strings.ToLower(d.SHA)
	var err error
	if d.Metadata, err = d.Metadata.Map(r.render); err != nil {
		return Dep{}, d.failed(declared, "metadata", err)
	}
	return d, nil
}

func (d Dep) failed(name, key string, err error) error {
	return unrendered(key+" of dep "+node.Quote(name), d.At(key), err)
}

// renderError is the error that a template could not be rendered: a Diagnostic with its cause, as errors.As finds them.
type renderError struct {
	node.Diagnostic
	cause error
}

func (e renderError) Unwrap() []error { return []error{e.Diagnostic, e.cause} }

// unrendered returns the error that something could not be rendered, with what to do about it.
func unrendered(what string, at node.Range, err error) error {
	d := node.Diagnostic{Message: what + ": " + err.Error(), Range: at}
	if missing, ok := errors.AsType[*MissingArg](err); ok {
		d.Hint = fmt.Sprintf(`give it with --build-arg %s=…, or write {{or .Args.%s "…"}} for a default`, missing.Name, missing.Name)
	}
	return renderError{d, err}
}

// envFields are the names that the value of a variable may use. Only that of a layer has the first one.
var envFields = append([]string{"Layer", "App", argsKey}, targetFields...)

// Render returns the value of a variable, with the folders of its layer, if it has one, and of the app, the target, and the build
// arguments that its section sees, filled in. The error holds a Diagnostic that points at the value.
func (v EnvVar) Render(layerDir, appDir string, target Target, args map[string]string) (string, error) {
	data := target.data()
	data["Layer"], data["App"] = layerDir, appDir
	value, err := newRenderer(data, args, envFields).render(v.Value)
	if err != nil {
		return "", unrendered("value of "+v.Name, v.At("value"), err)
	}
	return value, nil
}

// envTemplate checks the value of a variable.
func envTemplate(s string) (problem, hint string) {
	return templateProblem(s, envFields)
}

// launchTemplate checks the value of a variable of the app, which belongs to no layer.
func launchTemplate(s string) (problem, hint string) {
	return templateProblem(s, envFields[1:])
}

// templated checks a string that may be a template. A template's result is known, and checked, only when it is rendered.
func templated(plain node.Check) node.Check {
	return func(s string) (problem, hint string) {
		if isTemplate(s) {
			return templateProblem(s, nil)
		}
		if plain == nil {
			return "", ""
		}
		return plain(s)
	}
}

func templateProblem(s string, known []string) (problem, hint string) {
	if !isTemplate(s) {
		return "", ""
	}
	if _, _, err := compile(s, known); err != nil {
		return "is not a valid template: " + err.Error(), ""
	}
	return "", ""
}

// depName checks a dep's name: get-dep finds it as NAME@VERSION.
func depName(s string) (problem, hint string) {
	if strings.Contains(s, "@") {
		return "holds a '@'", "that separates name and version"
	}
	if len(s) > 200 {
		return "is too long", "a name has at most 200 bytes"
	}
	return node.FileName(s)
}

// depVersion checks a dep's version, the second part of NAME@VERSION.
func depVersion(s string) (problem, hint string) {
	switch {
	case s == "":
		return "", ""
	case len(s) > 50:
		return "is too long", "a version has at most 50 bytes"
	}
	return node.FileName("v" + s)
}
