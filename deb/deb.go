// Package deb reads what Debian, Ubuntu and their relatives say of packages: which distribution an image is, which packages its dpkg
// has installed, which licenses these have, and which of them failed. It starts no program, and changes nothing. Files and texts may
// come from anyone's image.
package deb

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// Forms of names and versions with which nothing else can be meant: apt takes foo- for an order to remove foo, and what it does not
// know for a pattern. They are those of Debian's policy, sections 5.6.1 and 5.6.12, and versions that begin with a letter, which apt
// takes as well.
var (
	name    = regexp.MustCompile(`^[a-z0-9][a-z0-9+.-]*[a-z0-9+.]$`)
	version = regexp.MustCompile(`^([0-9]+:)?[0-9A-Za-z][0-9A-Za-z.+~:-]*$`)
)

// IsName reports whether a text is the name of a package.
func IsName(s string) bool { return name.MatchString(s) }

// IsVersion reports whether a text is the version of a package.
func IsVersion(s string) bool { return version.MatchString(s) }

// SplitName returns the name and the version of NAME=VERSION; the version is "" for NAME. It fails for what is not of that form.
func SplitName(text string) (pkg, vers string, err error) {
	pkg, vers, pinned := strings.Cut(text, "=")
	if !IsName(pkg) || pinned && !IsVersion(vers) {
		return "", "", fmt.Errorf("%q is not the name of a package, nor NAME=VERSION", text)
	}
	return pkg, vers, nil
}

// Package is an installed package, as dpkg has it.
type Package struct {
	Name, Version, Arch   string
	Source, SourceVersion string // of the source package that it was built from
}

// ID tells packages of different architectures apart.
func (p Package) ID() string { return p.Name + ":" + p.Arch }

// present are states of a package in which its files are there and it has been set up (dpkg(1)).
var present = map[string]bool{"installed": true, "triggers-awaited": true, "triggers-pending": true}

// maxField is the longest line of dpkg's status, in bytes.
const maxField = 4 << 20

// ReadStatus reads dpkg's list of packages (/var/lib/dpkg/status), and returns those that are installed, by ID.
func ReadStatus(r io.Reader) (map[string]Package, error) {
	packages := map[string]Package{}
	fields := map[string]string{}
	add := func() {
		words := strings.Fields(fields["Status"])
		if len(words) == 3 && present[words[2]] {
			p := Package{Name: fields["Package"], Version: fields["Version"], Arch: fields["Architecture"]}
			p.Source, p.SourceVersion = source(fields["Source"], p)
			packages[p.ID()] = p
		}
		clear(fields)
	}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxField)
	for lines.Scan() {
		line := lines.Text()
		if line == "" {
			add()
			continue
		}
		key, value, found := strings.Cut(line, ":")
		if found && line[0] != ' ' && line[0] != '\t' { // else it goes on with the field before
			fields[key] = strings.TrimSpace(value)
		}
	}
	add()
	return packages, lines.Err()
}

// source returns the source package of a package, whose field Source is NAME, NAME (VERSION) or "".
func source(field string, p Package) (name, version string) {
	name, version, _ = strings.Cut(field, " ")
	version = strings.Trim(version, "() ")
	if name == "" {
		name = p.Name
	}
	if version == "" {
		version = p.Version
	}
	return name, version
}

// failed matches how dpkg names a package that failed: by its name, or by the file that it comes from.
var failed = regexp.MustCompile(`(?m)^dpkg: error processing (?:package|archive) (\S+) \(`)

// Failed returns the names of the packages of which dpkg said that they failed, in the order of its messages.
func Failed(output []byte) (names []string) {
	for _, m := range failed.FindAllSubmatch(output, -1) {
		word := string(m[1][bytes.LastIndexByte(m[1], '/')+1:])
		word, _, _ = strings.Cut(word, "_") // NAME_VERSION_ARCH.deb
		word, _, _ = strings.Cut(word, ":") // NAME:ARCH
		names = append(names, word)
	}
	return names
}

// planned matches the lines by which apt-get --simulate says what it would install.
var planned = regexp.MustCompile(`(?m)^Inst (\S+) `)

// Planned returns the names of the packages that apt-get --simulate would install.
func Planned(output []byte) (names []string) {
	for _, m := range planned.FindAllSubmatch(output, -1) {
		word, _, _ := strings.Cut(string(m[1]), ":")
		names = append(names, word)
	}
	return names
}
