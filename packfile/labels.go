package packfile

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/node"
)

// ReservedLabels are the prefixes of labels that tell tools what an image is made of. Only the build itself writes such
// labels.
var ReservedLabels = []string{"io.buildpacks.", "io.packfile."}

// readLabels reads config.labels. A label without quotes around its name is a tree of tables in TOML.
func readLabels(d *node.Decoder, c *Config, e *node.Entry) {
	if e.Value.Kind != node.TableKind && e.Value.Kind != node.NullKind {
		d.Wrong(e, e.Value, "a table", "")
		return
	}
	c.Labels = make(map[string]string, len(e.Value.Entries))
	for i := range e.Value.Entries {
		label := &e.Value.Entries[i]
		if problem, hint := labelName(label.Key); problem != "" {
			d.Fail(label.KeyAt, hint, "label %s %s", node.Quote(label.Key), problem)
			continue
		}
		if label.Value.Kind == node.TableKind {
			d.Wrong(label, label.Value, "a string", "a name with dots needs quotes: "+node.Quote(dotted(label)))
			continue
		}
		var value string
		node.String("", func(*Config) *string { return &value }, labelTemplate).Read(d, c, label)
		c.Labels[label.Key] = value
		c.Put(labelKey(label.Key), label.Value.At)
	}
}

// labelKey is the key under which the table of config has the place of a label.
func labelKey(name string) string { return "labels." + name }

// labelFields are the names that the value of a label may use.
var labelFields = []string{argsKey}

// labelTemplate checks the value of a label.
func labelTemplate(s string) (problem, hint string) { return templateProblem(s, labelFields) }

// RenderLabels returns the labels with build arguments filled in. The error holds a Diagnostic that points at the first label, by
// name, that needs an argument which is not given.
func (c *Config) RenderLabels(args map[string]string) (map[string]string, error) {
	labels := make(map[string]string, len(c.Labels))
	for _, name := range slices.Sorted(maps.Keys(c.Labels)) {
		value, err := newRenderer(metadata.Table{}, args, labelFields).render(c.Labels[name])
		if err != nil {
			return nil, unrendered("label "+node.Quote(name), c.At(labelKey(name)), err)
		}
		labels[name] = value
	}
	return labels, nil
}

// dotted returns the label name that a tree of tables stands for: their keys, joined by dots, along the first of each.
func dotted(e *node.Entry) string {
	name := e.Key
	for n := e.Value; n.Kind == node.TableKind && len(n.Entries) > 0; n = n.Entries[0].Value {
		name += "." + n.Entries[0].Key
	}
	return name
}

var labelPattern = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?$`)

// labelName checks the name of a label of the image.
func labelName(s string) (problem, hint string) {
	switch {
	case len(s) > maxName:
		return fmt.Sprintf("is %d bytes long", len(s)), fmt.Sprintf("a label has at most %d bytes", maxName)
	case !labelPattern.MatchString(s):
		return "is not the name of a label", "letters, digits and . _ / -, as in com.example.team"
	}
	for _, prefix := range ReservedLabels {
		if strings.HasPrefix(s, prefix) {
			return "is written by the build", "reserved: names that begin with " + strings.Join(ReservedLabels, " or ")
		}
	}
	return "", ""
}

var licensePattern = regexp.MustCompile(`^[A-Za-z0-9(][A-Za-z0-9.+:() -]*$`)

// License checks that a string is an SPDX license expression, as in config.licenses.
func License(s string) (problem, hint string) {
	if !licensePattern.MatchString(s) {
		return "is not an SPDX license expression", `as in "MIT" or "Apache-2.0 OR MIT"`
	}
	return "", ""
}
