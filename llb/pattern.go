package llb

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Literal returns the pattern that matches a slash-separated path and nothing else, for copies by pattern. It quotes
// characters that have a meaning for patternmatcher, which does the matching in the daemon, and white space that it
// trims.
func Literal(path string) string {
	first, last := ends(path)
	var pattern strings.Builder
	for i, r := range path {
		switch {
		case (i == first || i == last) && unicode.IsSpace(r):
			pattern.WriteString("[" + string(r) + "]") // patternmatcher trims white space even after a backslash
			continue
		case i == first && r == '!', strings.ContainsRune(`*?[]^\`, r):
			pattern.WriteByte('\\')
		}
		pattern.WriteRune(r)
	}
	return pattern.String()
}

// Similar returns a pattern that matches a slash-separated path and similar paths, for requests to a client. On Windows a
// backslash quotes nothing, so the pattern has a wildcard for each character that needs quoting.
func Similar(path string) string {
	first, last := ends(path)
	var pattern strings.Builder
	for i, r := range path {
		if (i == first || i == last) && (r == '!' || unicode.IsSpace(r)) || strings.ContainsRune(`*?[]^\`, r) {
			r = '?'
		}
		pattern.WriteRune(r)
	}
	return pattern.String()
}

// ends returns the offsets of the first and last character.
func ends(s string) (first, last int) {
	_, size := utf8.DecodeLastRuneInString(s)
	return 0, len(s) - size
}
