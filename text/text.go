// Package text handles text from outside. Visible, Line and Short make it safe to show: anyone can write the names in
// images, modules and packfiles, and a terminal obeys control characters. Unix gives a file the text that it has in a
// checkout on Unix. DidYouMean finds the word that a mistyped one means. Every room that puts such text into a message
// uses it; it parses no format.
package text

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Visible returns a text with everything invisible escaped as in Go (\x1b, \u202e): control characters, characters that
// change the direction of text, white space other than spaces, and bytes that are not UTF-8. Line feeds and tabs stay.
func Visible(s string) string { return escape(s, func(r rune) bool { return r == '\n' || r == '\t' }) }

// Line is Visible for text that must stay on one line: it escapes line feeds and tabs as well.
func Line(s string) string { return escape(s, func(rune) bool { return false }) }

func escape(s string, keep func(rune) bool) string {
	shown := func(r rune, size int) bool {
		return (r != utf8.RuneError || size > 1) && (strconv.IsPrint(r) || keep(r))
	}
	var out *strings.Builder // nil while nothing had to be escaped
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		ok := shown(r, size)
		if !ok && out == nil {
			out = new(strings.Builder)
			out.WriteString(s[:i])
		}
		switch {
		case out == nil:
		case ok:
			out.WriteString(s[i : i+size])
		default:
			quoted := strconv.Quote(s[i : i+size])
			out.WriteString(quoted[1 : len(quoted)-1])
		}
		i += size
	}
	if out == nil {
		return s
	}
	return out.String()
}

// Excerpt is Visible for a file whose lines are shown: it keeps their numbers. A line end of two characters becomes one.
func Excerpt(data []byte) []byte {
	if !bytes.ContainsFunc(data, func(r rune) bool { return r != '\n' && r != '\t' && !strconv.IsPrint(r) }) {
		return data
	}
	return []byte(Visible(strings.ReplaceAll(string(data), "\r\n", "\n")))
}

// JSON returns an equal JSON document with everything invisible escaped. JSON itself allows control characters above
// 0x7e, and characters that change the direction of text.
func JSON(data []byte) []byte {
	return escapeJSON(data, `\`)
}

// ShownJSON returns a JSON document for a program that prints its strings as they are: each string is Visible.
func ShownJSON(data []byte) []byte {
	var out []byte
	for i := 0; i < len(data); i++ {
		if data[i] != '\\' || i+1 == len(data) {
			out = append(out, data[i])
			continue
		}
		escaped := data[i : i+2]
		if data[i+1] == 'u' && i+6 <= len(data) {
			escaped = data[i : i+6]
		}
		i += len(escaped) - 1
		if control(escaped) {
			out = append(out, '\\')
		}
		out = append(out, escaped...)
	}
	return escapeJSON(out, `\\`)
}

// control reports whether an escape of JSON stands for a character that must not reach a terminal.
func control(escaped []byte) bool {
	switch escaped[1] {
	case 'b', 'f', 'r':
		return true
	case 'u':
		code, err := strconv.ParseUint(string(escaped[2:]), 16, 16)
		r := rune(code)
		return err != nil || !utf16.IsSurrogate(r) && !strconv.IsPrint(r)
	}
	return false
}

// escapeJSON escapes everything invisible in JSON, with the given backslashes.
func escapeJSON(data []byte, backslashes string) []byte {
	var out []byte
	for _, r := range string(data) {
		if strconv.IsPrint(r) || r == '\n' {
			out = utf8.AppendRune(out, r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			out = fmt.Appendf(out, "%su%04x", backslashes, unit)
		}
	}
	return out
}
