package packfile

import (
	"path"
	"slices"
	"strings"
	"time"

	"github.com/packfile/frontend/deb"
	"github.com/packfile/frontend/node"
)

// Apt is the [config.apt] table: where packages come from besides the image's own sources, and how old their versions may get.
type Apt struct {
	node.Table
	Sources []string      // files of sources in the packfile's folder, clean
	Keys    []string      // files of keys there that sign these, clean
	Refresh time.Duration // 0: versions never get too old
}

var aptSchema = node.Define(node.Schema[Apt]{
	What: "config.apt",
	Keys: []node.Key[Apt]{
		node.Strings("sources", func(a *Apt) *[]string { return &a.Sources }, scriptPath, ending("a file of sources", ".list", ".sources")),
		node.Strings("keys", func(a *Apt) *[]string { return &a.Keys }, scriptPath, ending("a file of keys", ".asc", ".gpg")),
		duration("refresh", func(a *Apt) *time.Duration { return &a.Refresh }, `as in "24h", "7d" or "1d12h"`),
	},
	Finish: func(d *node.Decoder, a *Apt) {
		for name, files := range map[string][]string{"sources": a.Sources, "keys": a.Keys} {
			seen := map[string]node.Range{}
			for i := range files {
				files[i] = path.Clean(files[i])
				d.Unique(seen, "file", files[i], a.Item(name, i))
			}
		}
	},
})

// ending returns a check that a file has one of the endings by which apt knows what is in it.
func ending(what string, endings ...string) node.Check {
	return func(s string) (problem, hint string) {
		if !slices.Contains(endings, path.Ext(s)) {
			return "is not the name of " + what, "apt knows " + what + " by its ending: " + strings.Join(endings, " or ")
		}
		return "", ""
	}
}

// maxPackage is the longest entry of a list of packages, in bytes.
const maxPackage = 256

// packageName checks an entry of a list of packages: NAME or NAME=VERSION. Nothing else reaches apt, to which other words are options
// or orders to remove.
func packageName(s string) (problem, hint string) {
	const rule = "as in curl or curl=7.88.1-10: a name is lower case letters, digits and + - ."
	name, version, hasVersion := strings.Cut(s, "=")
	switch base, arch, hasArch := strings.Cut(name, ":"); {
	case s == "":
		return "is empty", rule
	case len(s) > maxPackage:
		return "is too long to be a package", rule
	case hasArch && deb.IsName(base) && deb.IsName(arch):
		return "names an architecture", "packages are those of the platform that is built for: write " + node.Quote(strings.TrimSuffix(base+"="+version, "="))
	case strings.HasPrefix(s, "-"):
		return "is an option and no package", rule
	case strings.HasSuffix(name, "-") && deb.IsName(strings.TrimRight(name, "-")):
		return "is not the name of a package", "apt would remove it: nothing of an image can be removed"
	case !deb.IsName(name):
		if lower := strings.ToLower(name); deb.IsName(lower) {
			return "is not the name of a package", "names are in lower case: write " + node.Quote(lower+s[len(name):])
		}
		if words := strings.Fields(s); len(words) > 1 {
			return "is not the name of a package", "write each package as an entry of its own: " + quotedList(words)
		}
		return "is not the name of a package", rule
	case hasVersion && !deb.IsVersion(version):
		return "has a version that is none", "as in curl=7.88.1-10+deb12u5"
	}
	return "", ""
}

// checkPackages reports packages that a list names twice, and packages of a packfile that lets nobody use the network.
func checkPackages(d *node.Decoder, c *Config) {
	for key, list := range map[string][]string{"build-packages": c.BuildPackages, "run-packages": c.RunPackages} {
		seen := map[string]node.Range{}
		for i, entry := range list {
			name, _, _ := strings.Cut(entry, "=")
			d.Unique(seen, "package", name, c.Item(key, i))
		}
		if c.Network == "none" && len(list) > 0 {
			d.Fail(c.At(key), "", "%s: packages come over the network, and %s is \"none\" on line %d", d.Key(key), d.Key("network"),
				c.At("network").Start.Line)
		}
	}
}
