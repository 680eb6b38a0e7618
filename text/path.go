package text

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Path returns a path as messages show it: one line of bounded length, whatever the names in it are.
func Path(path string) string {
	const most = 200
	rest := ""
	if len(path) > most {
		path, rest = path[:most], "…"
	}
	if strings.ContainsFunc(path, unicode.IsControl) || !utf8.ValidString(path) {
		quoted := strconv.Quote(path)
		path = quoted[1 : len(quoted)-1]
	}
	return path + rest
}
