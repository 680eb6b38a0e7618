package packfile

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/packfile/frontend/cnb/api"
	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/node"
)

// maxName is the longest name of a layer, in bytes. It leaves room for the longest file beside a layer:
// NAME.sbom.spdx.json, 255 bytes in all.
const maxName = 235

// reservedLayers are files of their own beside the layers (Buildpack API, "Layer Content Metadata").
var reservedLayers = []string{"build", "launch", "store"}

// layerName checks the name of a layer or cache. The name becomes a folder, files beside it, and an element of
// comma-separated options (--no-cache-filter), so few characters are allowed.
func layerName(s string) (problem, hint string) {
	const rule = "a name is letters, digits and . _ + -, and begins with a letter, digit or _"
	bad := strings.IndexFunc(s, func(r rune) bool { return !isWord(r) && !strings.ContainsRune("._+-", r) })
	switch {
	case s == "":
		return "is empty", rule
	case len(s) > maxName:
		return fmt.Sprintf("is %d bytes long", len(s)), fmt.Sprintf("a name has at most %d bytes", maxName)
	case bad >= 0:
		return fmt.Sprintf("holds %q", []rune(s[bad:])[0]), rule
	case s[0] == '.', s[0] == '-', s[0] == '+':
		return fmt.Sprintf("begins with %q", s[0]), rule
	case strings.HasSuffix(s, ".toml"), strings.Contains(s, ".sbom."):
		return "is the name of a file that stands beside the layers", "choose another name"
	case slices.Contains(reservedLayers, s):
		return "is reserved by the Buildpack API", "reserved: " + strings.Join(reservedLayers, ", ")
	}
	return "", ""
}

func isWord(r rune) bool {
	return r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}

// metadataKey checks a key of a metadata table: it becomes a file or folder below $MD.
func metadataKey(s string) (problem, hint string) {
	return metadata.CheckWritten(s), "each key becomes a file in $MD; names that begin with a dot are private there"
}

var (
	processTypePattern = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)
	userPattern        = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*\$?(:[A-Za-z0-9_][A-Za-z0-9_.-]*\$?)?$`)
)

// processType checks a process type: it becomes a file in /cnb/process.
func processType(s string) (problem, hint string) {
	if !processTypePattern.MatchString(s) || s == "." || s == ".." || len(s) > maxName {
		return "is not a process type", "a type is letters, digits and . _ -, as in web"
	}
	return "", ""
}

// stepVariables are set by the step itself.
var stepVariables = []string{"APP", "LAYER", "MD"}

// ownVariable checks the name of a variable that a link or secret sets.
func ownVariable(s string) (problem, hint string) {
	if slices.Contains(stepVariables, s) {
		return "is a variable that every step has", "choose another name"
	}
	return node.VariableName(s)
}

// user checks config.user.
func user(s string) (problem, hint string) {
	const rule = "write uid, uid:gid, or names that the build image knows"
	if !userPattern.MatchString(s) {
		return "is not a user", rule
	}
	for id := range strings.SplitSeq(s, ":") {
		if _, err := strconv.ParseUint(id, 10, 32); err != nil && strings.Trim(id, "0123456789") == "" {
			return "is out of range", rule
		}
	}
	return "", ""
}

// DefaultAPI is the Buildpack API of a packfile that names none.
const DefaultAPI = "0.10"

// apiVersion checks api.
func apiVersion(s string) (problem, hint string) {
	rule := fmt.Sprintf("known are %s to %s", api.Oldest, api.Newest)
	if !api.IsVersion(s) {
		return "is not a Buildpack API version", "write MAJOR.MINOR; " + rule
	}
	if v, err := api.Parse(s); err != nil || !v.Within(api.Oldest, api.Newest) {
		return "is not a Buildpack API version known here", rule
	}
	return "", ""
}
