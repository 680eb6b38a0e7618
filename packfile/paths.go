package packfile

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"

	"github.com/moby/patternmatcher"
)

// leaves is the problem of a path that goes up.
const leaves = "leaves its folder"

// maxPath bounds paths and patterns: compiling a pattern takes time in proportion to the square of its length.
const maxPath = 1024

// insidePath checks a slash-separated path that must stay inside its folder.
func insidePath(s string) (problem, hint string) {
	switch {
	case strings.TrimSpace(s) == "":
		return "is empty", ""
	case len(s) > maxPath:
		return fmt.Sprintf("is %d bytes long", len(s)), fmt.Sprintf("a path has at most %d bytes", maxPath)
	case strings.ContainsFunc(s, unicode.IsControl):
		return "holds a control character", ""
	case strings.Contains(s, `\`):
		return "holds a backslash", "separate folders with /"
	case strings.HasPrefix(s, "/"):
		return "is absolute", "write a relative path"
	case slices.Contains(strings.Split(s, "/"), ".."):
		return leaves, "paths go down only"
	}
	return "", ""
}

// scriptPath checks the path of a script in the packfile's folder.
func scriptPath(s string) (problem, hint string) {
	if problem, hint = insidePath(s); problem != "" {
		return problem, hint
	}
	if strings.HasSuffix(s, "/") || path.Clean(s) == "." {
		return "is a folder", "name the script in it"
	}
	return "", ""
}

// appDir checks a working directory, which may also be outside the app when it says so with an absolute path.
func appDir(s string) (problem, hint string) {
	if strings.HasPrefix(s, "/") {
		return nonEmpty(s)
	}
	problem, hint = insidePath(s)
	if problem == leaves {
		hint = "a folder outside the app is written as an absolute path"
	}
	return problem, hint
}

// glob checks a pattern over files of the app.
func glob(s string) (problem, hint string) {
	if strings.HasPrefix(s, "!") {
		return "is an exclusion", "list what is wanted; exclusions (!) are not supported"
	}
	if problem, hint = insidePath(s); problem != "" {
		return problem, hint
	}
	if strings.TrimSpace(s) != s {
		return "begins or ends with white space", ""
	}
	if !isPattern(s) {
		return "is not a valid pattern", "as in *.lock, src/**/*.go or [a-z]*"
	}
	return "", ""
}

// isPattern says whether a pattern can be compiled.
func isPattern(s string) bool {
	// Compiling a pattern costs more than the rest of its line; these cannot fail.
	if !strings.ContainsFunc(s, func(r rune) bool { return !isWord(r) && !strings.ContainsRune("./*?-@+ ", r) }) {
		return true
	}
	m, err := patternmatcher.New([]string{s})
	if err == nil {
		_, err = m.MatchesOrParentMatches("x") // compiles it
	}
	return err == nil
}
