package node

import (
	"bytes"
	"errors"
	"path"
	"regexp"
	"strings"

	"github.com/packfile/frontend/measure"
)

// Format is the language of a file.
type Format int

// The formats.
const (
	TOML Format = iota // keys of several words are kebab-case
	YAML               // keys of several words are camelCase
)

// tomlStart matches a line that begins a TOML document and no YAML document: a header, or a key and an equals sign.
var tomlStart = regexp.MustCompile(`^(\[|[A-Za-z0-9_."'-]+[ \t]*=)`)

// FormatOf returns the format of a file by the ending of its name, or for any other ending by its content.
func FormatOf(filename string, data []byte) Format {
	switch strings.ToLower(path.Ext(filename)) {
	case ".toml":
		return TOML
	case ".yaml", ".yml":
		return YAML
	}
	for line := range bytes.Lines(bytes.TrimPrefix(data, []byte("\ufeff"))) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			if tomlStart.Match(line) {
				return TOML
			}
			return YAML
		}
	}
	return TOML
}

// key returns the name of a key in files of the format, given its TOML name.
func (f Format) key(name string) string {
	words := strings.Split(name, "-")
	if f == TOML || len(words) == 1 {
		return name
	}
	for i, word := range words[1:] {
		words[i+1] = strings.ToUpper(word[:1]) + word[1:]
	}
	return strings.Join(words, "")
}

// meter returns the function that measures a text of the format.
func (f Format) meter() func([]byte, measure.Size) (measure.Size, error) {
	if f == YAML {
		return measure.YAML
	}
	return measure.TOML
}

// MaxSize is the largest size of a file that this package reads, in bytes.
const MaxSize = 4 << 20

// MaxEntries is the largest number of entries of an array: some checks compare all pairs.
const MaxEntries = 1000

// most is the largest measure of a file. maxDepth bounds nesting with better places in its errors; most bounds the cost
// until that check.
var most = measure.Size{Bytes: MaxSize, Values: 200_000, Depth: 2 * maxDepth}

// Measure returns the cost of reading a file, up to the limit: a file that is refused costs no more.
func Measure(filename string, data []byte) measure.Size {
	size, _ := FormatOf(filename, data).meter()(data, most)
	return size
}

// measured reports an error when a text is larger than the limits.
func (d *Decoder) measured(src *source) bool {
	_, err := d.Format.meter()(src.data, most)
	if excess, ok := errors.AsType[*measure.Excess](err); ok {
		d.Fail(src.span(excess.Offset, excess.Offset+1), "", "%s", excess)
	}
	return err == nil
}
