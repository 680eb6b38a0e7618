package layerkey

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/opencontainers/go-digest"
)

// Bounds of what a line says of one value.
const (
	shownRunes  = 60 // of a long value
	shownDigits = 12 // of a digest
	digestLike  = 32 // hex digits that make a value a digest
)

// Short is a value as a line of a log can have it: long ones are cut, and what is not one plain word is quoted. Values
// may come from an image of someone else, so that they can hold anything, such as what moves a terminal's cursor.
func Short(value string) string {
	prefix, digits := "", value
	if i := strings.LastIndexByte(value, ':'); i < digestLike {
		prefix, digits = value[:i+1], value[i+1:]
	}
	if len(digits) >= digestLike && isHex(digits) {
		return plain(prefix + digits[:shownDigits] + "…")
	}
	return plain(cut(value))
}

// plain quotes a text that is not one word of visible characters.
func plain(text string) string {
	word := func(r rune) bool { return strconv.IsPrint(r) && r != ' ' && r != '"' && r != '\ufffd' }
	if text == "" || strings.ContainsFunc(text, func(r rune) bool { return !word(r) }) {
		return strconv.Quote(text)
	}
	return text
}

// cut shortens a long text, between two characters.
func cut(text string) string {
	runes := 0
	for i := range text {
		if runes == shownRunes {
			return text[:i] + "…"
		}
		runes++
	}
	return text
}

// isDigest says whether a value can be a SHA-256 in hex, as Digest and a match make them.
func isDigest(value string) bool { return digest.SHA256.Validate(value) == nil }

func isHex(text string) bool {
	return text != "" && strings.Trim(text, "0123456789abcdefABCDEF") == ""
}

// Few is the first texts of a list as one text, and how many more there are.
func Few(texts []string) string { return first(shownFiles, texts) }

// first joins the first texts of a list and says how many more there are.
func first(count int, texts []string) string {
	if len(texts) <= count {
		return strings.Join(texts, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(texts[:count], ", "), len(texts)-count)
}
