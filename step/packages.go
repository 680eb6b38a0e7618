package step

// Packages installs packages of the image's own distribution in the root folder of the container, as root. With Layer, it makes a
// layer of what then differs from BaseDir; otherwise the root folder is what the step is for.
//
// When one of the names is at fault, the step ends with exit code FirstName and the index of the name.
type Packages struct {
	Names   []string `json:"names"`             // NAME or NAME=VERSION
	Sources []string `json:"sources,omitempty"` // files in SpecDir with more package sources, as NAME.list or NAME.sources
	Keys    []string `json:"keys,omitempty"`    // files in SpecDir with the keys that sign those, as NAME.asc or NAME.gpg
	Layer   bool     `json:"layer,omitempty"`
	Refresh string   `json:"refresh,omitempty"` // changes when versions have become too old
	Time    int64    `json:"time"`              // of all files of the layer, in seconds since 1970; scripts of packages find it in SOURCE_DATE_EPOCH
}

// FirstName is the exit code of a Packages step for the first of its names, up to LastName. When a later name is at fault, or no name
// alone, the step has exit code 1.
const (
	FirstName = 150
	LastName  = 249
)

// NameOf returns the index of the name of a Packages step that its exit code says is at fault, -1 for none.
func NameOf(code int) int {
	if code < FirstName || code > LastName {
		return -1
	}
	return code - FirstName
}

// Installed is the result of Packages.
type Installed struct {
	// Packages were installed or upgraded, in the order of their names and architectures.
	Packages []Package `json:"packages,omitempty"`
}

// Package is a package as the image's package manager knows it.
type Package struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Arch    string `json:"arch"` // in Debian's words, or "all"
	// Source is the source package that it was built from. It is the package itself when nothing else is said.
	Source        string `json:"source"`
	SourceVersion string `json:"sourceVersion"`
	// Distro and DistroVersion are ID and VERSION_ID of /etc/os-release, as in "debian" and "12". A testing release has no version.
	Distro        string `json:"distro"`
	DistroVersion string `json:"distroVersion,omitempty"`
	// Licenses are the short names in its copyright file, in byte order and in Debian's words (GPL-2+), nil when no program can
	// read that file. The image may lack it, too.
	Licenses []string `json:"licenses,omitempty"`
}
