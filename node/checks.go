package node

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/packfile/frontend/text"
)

// A Check looks at one string. It returns its problem, which follows the quoted value in a message, and a hint; "" when
// the string is good.
type Check func(s string) (problem, hint string)

// OneOf checks that a string is one of some values.
func OneOf(values ...string) Check {
	return func(s string) (problem, hint string) {
		if slices.Contains(values, s) {
			return "", ""
		}
		return "is not one of its values", cmp.Or(text.DidYouMean(s, values), "one of "+strings.Join(values, ", "))
	}
}

// NotBlank checks that a text is not empty.
func NotBlank(s string) (problem, hint string) {
	if strings.TrimSpace(s) == "" {
		return "is empty", ""
	}
	return "", ""
}

// NonEmpty checks that a string is one line and not empty.
func NonEmpty(s string) (problem, hint string) {
	if strings.ContainsFunc(s, unicode.IsControl) {
		return "holds a control character", ""
	}
	return NotBlank(s)
}

// Word checks that a string holds no white space, as an image reference.
func Word(s string) (problem, hint string) {
	if strings.ContainsFunc(s, unicode.IsSpace) {
		return "holds white space", ""
	}
	return NonEmpty(s)
}

var variablePattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// maxVariable bounds the name of a variable.
const maxVariable = 235

// VariableName checks the name of an environment variable.
func VariableName(s string) (problem, hint string) {
	if !variablePattern.MatchString(s) || len(s) > maxVariable {
		return "is not the name of a variable", "letters, digits and _, not beginning with a digit"
	}
	return "", ""
}

// FileName checks that a string can be the name of one file or folder.
func FileName(s string) (problem, hint string) {
	switch {
	case s == "":
		return "is empty", ""
	case len(s) > 255:
		return fmt.Sprintf("is %d bytes long", len(s)), "a file name has at most 255 bytes"
	case s[0] == '.':
		return "begins with a dot", ""
	case strings.Contains(s, "/"):
		return "holds a '/'", ""
	case strings.ContainsFunc(s, unicode.IsControl):
		return "holds a control character", ""
	}
	return "", ""
}

// LeavesFolder is the problem of a path that goes up.
const LeavesFolder = "leaves its folder"

// maxPath bounds paths and patterns: compiling a pattern takes time in proportion to the square of its length.
const maxPath = 1024

// InsidePath checks that a slash-separated path stays inside its folder.
func InsidePath(s string) (problem, hint string) {
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
		return LeavesFolder, "paths go down only"
	}
	return "", ""
}

var shaPattern = regexp.MustCompile(`^[0-9a-fA-F]{64}$`)

// SHA256 checks that a string is a SHA-256 checksum of 64 hexadecimal digits.
func SHA256(s string) (problem, hint string) {
	if !shaPattern.MatchString(s) {
		hint = "64 hexadecimal digits"
		if strings.HasPrefix(s, "sha256:") {
			hint += ", without sha256:"
		}
		return "is not a SHA-256 checksum", hint
	}
	return "", ""
}

// WebAddress checks an http or https address. The image records the address, so it may not hold a password.
func WebAddress(s string) (problem, hint string) {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return "is not a URI", ""
	case u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
		return "is not a web address", "https://… or http://…"
	case u.User != nil:
		return "holds a user or password", "it would be recorded in the image"
	}
	return "", ""
}
