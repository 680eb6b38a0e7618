package text

import (
	"fmt"
	"strconv"
	"strings"
)

// Bounds of the text that a line shows of one value.
const (
	shownRunes  = 60 // of a long value
	shownDigits = 12 // of a digest
	digestLike  = 32 // hex digits that make a value a digest
	few         = 5  // texts of a list
)

// Short returns a value as a line of a log shows it: it cuts a long value, keeps the first digits of a digest, and quotes
// everything that is not one visible word.
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

// Word returns a text unchanged if it is one word of visible characters, and quoted otherwise.
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

// Few returns the first five texts of a list as one text, with the number of the others.
func Few(texts []string) string { return First(few, texts) }

// First returns the first texts of a list as one text, with the number of the others.
func First(count int, texts []string) string {
	if len(texts) <= count {
		return strings.Join(texts, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(texts[:count], ", "), len(texts)-count)
}
