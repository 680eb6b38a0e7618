package step

import "strings"

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
