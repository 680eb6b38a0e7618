// Package text is about text from outside. Visible and Line make it safe to show: names in images, modules and packfiles may be
// written by anyone, and a terminal takes control characters for orders. Unix gives a file the text that it has in a checkout on
// Unix.
package text

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Visible returns a text in which all that is not visible is escaped as Go does it (\x1b, \u202e): control characters, those that
// turn the direction of text around, other white space than spaces, and bytes that are no UTF-8. Lines and tabs stay.
func Visible(s string) string { return escape(s, func(r rune) bool { return r == '\n' || r == '\t' }) }

// Line is Visible for what must not be more than one line.
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

// Excerpt is Visible for a file whose lines are shown, which keep their numbers. Of line ends that are two characters one stays.
func Excerpt(data []byte) []byte {
	if !bytes.ContainsFunc(data, func(r rune) bool { return r != '\n' && r != '\t' && !strconv.IsPrint(r) }) {
		return data
	}
	return []byte(Visible(strings.ReplaceAll(string(data), "\r\n", "\n")))
}

// JSON is a JSON document that says the same, and in which all is visible. JSON itself leaves control characters above 0x7e, and
// those that turn the text around.
func JSON(data []byte) []byte {
	return escapeJSON(data, `\`)
}

// ShownJSON is a JSON document for a program that prints the strings of it as they are: they are Visible.
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

// control says whether an escape of JSON stands for a character that must not reach a terminal.
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

// escapeJSON escapes what is not visible in JSON, with some backslashes.
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
