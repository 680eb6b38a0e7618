package buildpack

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/packfile/frontend/node"
)

// maxID is the longest id, in bytes. It leaves room in the name of a folder, which contains the id.
const maxID = 235

var idPattern = regexp.MustCompile(`^[A-Za-z0-9.-]+(/[A-Za-z0-9.-]+)*$`)

// reservedModules are the names of other folders beside those of modules (Buildpack API, "Buildpack ID").
var reservedModules = []string{"app", "config", "generated", "sbom"}

// CheckID checks the id of a module.
func CheckID(s string) (problem, hint string) {
	const rule = "an id is letters, digits, . and -, in parts that / separates"
	switch {
	case len(s) > maxID:
		return fmt.Sprintf("is %d bytes long", len(s)), fmt.Sprintf("an id has at most %d bytes", maxID)
	case !idPattern.MatchString(s):
		return "is not a module id", rule
	case slices.ContainsFunc(strings.Split(s, "/"), func(part string) bool { return part == "." || part == ".." }):
		return "leaves the folder of modules", rule
	case slices.Contains(reservedModules, s):
		return "is reserved by the Buildpack API", "reserved: " + strings.Join(reservedModules, ", ")
	}
	return "", ""
}

// CheckVersion checks the version of a module: it becomes a folder of a buildpackage.
func CheckVersion(s string) (problem, hint string) {
	if problem, hint = node.FileName(s); problem == "" {
		problem, hint = node.Word(s)
	}
	return problem, hint
}
