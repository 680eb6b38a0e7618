package metadata

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ToFile returns the content of the file in $MD that has a value. Readers drop one newline at the end, so a value that ends in one
// gets another.
func ToFile(value string) string {
	if strings.HasSuffix(value, "\n") {
		return value + "\n"
	}
	return value
}

// FromFile returns the value that a file in $MD has.
func FromFile(content []byte) string { return strings.TrimSuffix(string(content), "\n") }

// maxName is the longest name of a file, in bytes: NAME_MAX of the kernel.
const maxName = 255

// CheckName returns why a name cannot be that of a value or table, which is a file or folder in $MD: a text to follow the name in
// a message, "" when it can.
func CheckName(name string) (problem string) {
	switch {
	case name == "":
		return "is empty"
	case name == "." || name == "..":
		return "is no name of its own"
	case len(name) > maxName:
		return fmt.Sprintf("is %d bytes long", len(name))
	case strings.Contains(name, "/"):
		return "holds a '/'"
	case strings.ContainsRune(name, 0):
		return "holds a NUL byte"
	case !utf8.ValidString(name):
		return "is not valid UTF-8"
	}
	return ""
}

// CheckWritten is CheckName for a name that stands in a packfile or a build plan. Scripts may leave more names in $MD than these.
func CheckWritten(name string) (problem string) {
	switch {
	case IsPrivate(name):
		return "begins with a dot"
	case strings.ContainsFunc(name, unicode.IsControl):
		return "holds a control character"
	}
	return CheckName(name)
}

// IsPrivate reports whether a name in $MD is private to the step, and so no metadata.
func IsPrivate(name string) bool { return strings.HasPrefix(name, ".") }
