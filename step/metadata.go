package step

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// MaxMetadata is how much metadata a script may leave, in bytes: names and values together. An image has that of all its layers
// in its config.
const MaxMetadata = 256 << 10

// FileValue returns the content of a file in $MD that holds a value. Readers take one newline off the end: a value that ends
// in one needs another.
func FileValue(value string) string {
	if strings.HasSuffix(value, "\n") {
		return value + "\n"
	}
	return value
}

// maxName is how long the name of a file may be, in bytes: NAME_MAX of the kernel.
const maxName = 255

// CheckName returns what keeps a name from being that of a value or table of metadata, which is a file or folder in $MD: a text to
// follow the name in a message, "" when nothing does.
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

// IsPrivate reports whether a name in $MD is private to the step: it is nobody's metadata.
func IsPrivate(name string) bool { return strings.HasPrefix(name, ".") }
