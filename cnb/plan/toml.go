package plan

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/pelletier/go-toml/v2"

	"github.com/packfile/frontend/measure"
)

// decode reads TOML into tables. Its errors have a position.
func decode(data []byte) (map[string]any, error) {
	// The lifecycle's library skips a byte order mark.
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if _, err := measure.TOML(data, most); err != nil {
		return nil, err
	}
	var doc map[string]any
	err := toml.Unmarshal(data, &doc)
	if err == nil {
		return doc, nil
	}
	where := ""
	if at, ok := errors.AsType[*toml.DecodeError](err); ok {
		line, column := at.Position()
		where = fmt.Sprintf(" at line %d, column %d", line, column)
	}
	return nil, fmt.Errorf("invalid TOML%s: %s", where, printable(strings.TrimPrefix(err.Error(), "toml: ")))
}

// find returns a value of a table, nil when there is none. Letters of the key may be upper or lower case, as with the
// lifecycle: programs that encode their structs write upper case.
func find(table map[string]any, key string) any {
	if value, ok := table[key]; ok {
		return value
	}
	for _, other := range slices.Sorted(maps.Keys(table)) {
		if strings.EqualFold(other, key) {
			return table[other]
		}
	}
	return nil
}

// tables returns the tables of an array of tables, none when there is no array.
func tables(table map[string]any, key string) ([]map[string]any, error) {
	value := find(table, key)
	array, ok := value.([]any)
	ok = ok || value == nil
	list := make([]map[string]any, len(array))
	for i := range array {
		if ok {
			list[i], ok = array[i].(map[string]any)
		}
	}
	if !ok {
		return nil, fmt.Errorf("%s is no array of tables", key)
	}
	return list, nil
}

// text returns a string of a table, "" when there is none.
func text(table map[string]any, key string) (string, error) {
	value := find(table, key)
	s, ok := value.(string)
	if value != nil && !ok {
		return "", fmt.Errorf("%s is no string", key)
	}
	return s, nil
}

// maxQuoted bounds how much of a plan a message repeats, in bytes.
const maxQuoted = 80

// quote returns a name of a plan as messages show it.
func quote(name string) string {
	if len(name) > maxQuoted {
		return fmt.Sprintf("%q…", name[:maxQuoted])
	}
	return fmt.Sprintf("%q", name)
}

// printable returns a message of the TOML library on one printable line: the library may repeat text of the file.
func printable(message string) string {
	if len(message) > 3*maxQuoted {
		message = strings.ToValidUTF8(message[:3*maxQuoted], "") + "…"
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, message)
}
