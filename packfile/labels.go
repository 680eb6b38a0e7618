package packfile

import (
	"fmt"
	"regexp"
	"strings"
)

// ReservedLabels are how labels begin by which tools know what an image is made of. Builds write them, and nobody else.
var ReservedLabels = []string{"io.buildpacks.", "io.packfile."}

// readLabels reads config.labels. A label without quotes around its name is a tree of tables in TOML.
func readLabels(d *decoder, c *Config, e *entry) {
	if e.value.kind != tableKind && e.value.kind != nullKind {
		d.wrong(e, e.value, "a table", "")
		return
	}
	c.Labels = make(map[string]string, len(e.value.entries))
	for i := range e.value.entries {
		label := &e.value.entries[i]
		if problem, hint := labelName(label.key); problem != "" {
			d.fail(label.keyAt, hint, "label %s %s", quote(label.key), problem)
			continue
		}
		if label.value.kind == tableKind {
			d.wrong(label, label.value, "a string", "a name with dots needs quotes: "+quote(dotted(label)))
			continue
		}
		var value string
		str("", func(*Config) *string { return &value }).read(d, c, label)
		c.Labels[label.key] = value
	}
}

// dotted is the name that a label would have if the first of the tables that its dots made were none.
func dotted(e *entry) string {
	name := e.key
	for n := e.value; n.kind == tableKind && len(n.entries) > 0; n = n.entries[0].value {
		name += "." + n.entries[0].key
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

// license checks one of config.licenses.
func license(s string) (problem, hint string) {
	if !licensePattern.MatchString(s) {
		return "is not an SPDX license expression", `as in "MIT" or "Apache-2.0 OR MIT"`
	}
	return "", ""
}
