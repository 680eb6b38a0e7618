// Package api has the versions of the APIs of Cloud Native Buildpacks: how they are written and compared, and the
// versions at which something changed for more than one room. A change that concerns one room alone is in that room.
//
// Sources: buildpack specification, "Buildpack API Version"; platform specification, "Platform API Compatibility".
package api

import (
	"fmt"
	"strconv"
	"strings"
)

// Version is a version of an API.
type Version struct{ Major, Minor int }

// Versions of the Buildpack API.
var (
	Oldest = Version{0, 2} // the oldest that packfiles may name, and that the launcher knows
	Newest = Version{0, 12}

	OldestToday   = Version{0, 7} // the oldest that lifecycles since 0.18 know
	LastWithShell = Version{0, 8} // the last one with processes that a shell starts
	DirectOnly    = Version{0, 9}
)

// Parse reads MAJOR.MINOR, or MAJOR alone, in decimal digits.
func Parse(text string) (Version, error) {
	major, minor, dotted := strings.Cut(text, ".")
	if !dotted {
		minor = "0"
	}
	x, errMajor := number(major)
	y, errMinor := number(minor)
	if errMajor != nil || errMinor != nil {
		return Version{}, fmt.Errorf("%q is not an API version", text)
	}
	return Version{x, y}, nil
}

func number(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	return int(n), err
}

// IsVersion reports whether a text is a version as String writes it: with a minor part, and no digit more than it needs.
func IsVersion(text string) bool {
	v, err := Parse(text)
	return err == nil && v.String() == text
}

// String returns MAJOR.MINOR.
func (v Version) String() string { return fmt.Sprintf("%d.%d", v.Major, v.Minor) }

// AtLeast reports whether the version is o or newer.
func (v Version) AtLeast(o Version) bool {
	return v.Major > o.Major || v.Major == o.Major && v.Minor >= o.Minor
}

// Within reports whether the version is neither older nor newer than two others.
func (v Version) Within(oldest, newest Version) bool { return v.AtLeast(oldest) && newest.AtLeast(v) }
