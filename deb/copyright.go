package deb

import (
	"bytes"
	"slices"
	"strings"
)

// format begins the first field of a copyright file that programs can read.
const format = "Format:"

// Licenses returns the short names of licenses in a copyright file of Debian's machine-readable form, in byte order; nil for any other
// file. A name is that of the file, as in "GPL-2+ with OpenSSL exception".
//
// Source: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
func Licenses(copyright []byte) (names []string) {
	if !bytes.HasPrefix(bytes.TrimSpace(copyright), []byte(format)) {
		return nil
	}
	for line := range strings.Lines(string(copyright)) {
		value, ok := strings.CutPrefix(line, "License:")
		if !ok {
			continue
		}
		// One field may name several, with "or", "and" and commas between them.
		value = strings.NewReplacer(", and ", "\n", ", or ", "\n", " and/or ", "\n", " or ", "\n", " and ", "\n", ", ", "\n").Replace(value)
		for _, name := range strings.Split(value, "\n") {
			if name = strings.Trim(name, " \t\r\n,()"); name != "" {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
