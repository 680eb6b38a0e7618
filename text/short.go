package text

import (
	"fmt"
	"strconv"
	"strings"
)

// Bounds of what a line says of one value.
const (
	shownRunes  = 60 // of a long value
	shownDigits = 12 // of a digest
	digestLike  = 32 // hex digits that make a value a digest
	few         = 5  // texts of a list
)

// Short returns a value as a line of a log can have it: a long one is cut, of a digest the first digits stay, and what is not one
// visible word is quoted.
func Short(value string) string {
	prefix, digits := "", value
	if i := strings.LastIndexByte(value, ':'); i < digestLike {
		prefix, digits = value[:i+1], value[i+1:]
	}
	if len(digits) >= digestLike && isHex(digits) {
		return Word(prefix + digits[:shownDigits] + "…")
	}
	return Word(Cut(value))
}

// Word returns a text that is one word of visible characters as it is, and quotes any other.
func Word(text string) string {
	word := func(r rune) bool { return strconv.IsPrint(r) && r != ' ' && r != '"' && r != '\ufffd' }
	if text == "" || strings.ContainsFunc(text, func(r rune) bool { return !word(r) }) {
		return strconv.Quote(text)
	}
	return text
}

// Cut returns the first 60 characters of a text, and an ellipsis if there are more.
func Cut(text string) string {
	runes := 0
	for i := range text {
		if runes == shownRunes {
			return text[:i] + "…"
		}
		runes++
	}
	return text
}

func isHex(text string) bool {
	return text != "" && strings.Trim(text, "0123456789abcdefABCDEF") == ""
}

// Few returns the first five texts of a list as one text, and how many more there are.
func Few(texts []string) string { return First(few, texts) }

// First returns the first texts of a list as one text, and how many more there are.
func First(count int, texts []string) string {
	if len(texts) <= count {
		return strings.Join(texts, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(texts[:count], ", "), len(texts)-count)
}
