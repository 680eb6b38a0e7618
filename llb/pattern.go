package llb

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Literal returns the pattern that matches a slash-separated path and nothing else, for copies by pattern. It quotes what
// patternmatcher, which does the matching in the daemon, takes for more than a character, and what it trims.
func Literal(path string) string {
	first, last := ends(path)
	var pattern strings.Builder
	for i, r := range path {
		switch {
		case (i == first || i == last) && unicode.IsSpace(r):
			pattern.WriteString("[" + string(r) + "]") // white space is trimmed even behind a backslash
			continue
		case i == first && r == '!', strings.ContainsRune(`*?[]^\`, r):
			pattern.WriteByte('\\')
		}
		pattern.WriteRune(r)
	}
	return pattern.String()
}

// Similar returns a pattern that matches a slash-separated path and paths that are like it, for what a client is asked for.
// On Windows a backslash quotes nothing, so each character that would need it is any character.
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
