package step

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// MaxMetadata is the largest metadata that a script may leave, names and values together, in bytes. The config of an
// image holds the metadata of all its layers.
const MaxMetadata = 256 << 10

// FileValue returns the content of a file in $MD for a value. Readers drop one newline at the end, so a value that ends
// in one gets another.
func FileValue(value string) string {
	if strings.HasSuffix(value, "\n") {
		return value + "\n"
	}
	return value
}

// maxName is the longest name of a file, in bytes: NAME_MAX of the kernel.
const maxName = 255

// CheckName returns why a name cannot be that of a value or table of metadata, which is a file or folder in $MD: a text
// to follow the name in a message, "" when it can.
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

// IsPrivate reports whether a name in $MD is private to the step, and so no metadata.
func IsPrivate(name string) bool { return strings.HasPrefix(name, ".") }
