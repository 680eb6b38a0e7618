package layerkey

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/packfile/frontend/step"
	"github.com/packfile/frontend/text"
)

// Packages is packages of a distribution in a key.
type Packages struct {
	Names   []string `json:"names"`             // NAME or NAME=VERSION, sorted
	Sources []string `json:"sources,omitempty"` // digests of files with more sources
	Keys    []string `json:"keys,omitempty"`    // digests of files with keys that sign these
	// Since is when the period began in which versions stay what they are, in RFC 3339; "" when that never ends.
	Since string `json:"since,omitempty"`
}

// RunPackages is what the image records about the layer with the packages of the app image.
type RunPackages struct {
	// Key of the layer; absent when the layer must not be reused.
	Key   string           `json:"key,omitempty"`
	Parts RunPackagesParts `json:"parts"`
	// Refresh is how long versions stay what they are, as time.Duration writes it; "" for ever.
	Refresh string `json:"refresh,omitempty"`
	// Files has the names of the files with sources and keys, by their digests.
	Files map[string]string `json:"files,omitempty"`
	// Installed are the packages that the layer has more than the run image, or in another version. They are sorted by name.
	Installed []step.Package `json:"installed,omitempty"`
	// DiffID is that of the layer in the image; absent when it depends on the layers below.
	DiffID string `json:"diffID,omitempty"`
	// Owner is the user and group of the image's own files below /layers, in numbers.
	Owner string `json:"owner"`
	// Fixed: the run image says that no other may take its place.
	Fixed bool `json:"fixed,omitempty"`
}

// RunPackagesParts is everything that the key of the layer with packages is made of.
type RunPackagesParts struct {
	Contract int    `json:"contract"`
	Platform string `json:"platform"`
	RunImage string `json:"runImage"` // digest
	Packages
}

// MakeKey returns the key of the layer: the SHA-256 of the parts as JSON, in hex.
func (p RunPackagesParts) MakeKey() (string, error) { return DigestJSON(p) }

// maxPackages bounds the packages that a label names. Debian has some 60,000.
const maxPackages = 100_000

// check returns an error for the first part of a record that is not valid.
func (r RunPackages) check() error {
	if r.Key != "" && !isDigest(r.Key) {
		return fmt.Errorf("key: %s is not 64 hex digits", text.Short(r.Key))
	}
	if err := checkDigest(r.DiffID); err != nil {
		return fmt.Errorf("diffID: %w", err)
	}
	if len(r.Installed) > maxPackages {
		return fmt.Errorf("installed: there are %d, more than %d", len(r.Installed), maxPackages)
	}
	if r.Refresh != "" {
		if d, err := time.ParseDuration(r.Refresh); err != nil || d < time.Second {
			return fmt.Errorf("refresh: %s is no duration", text.Short(r.Refresh))
		}
	}
	for _, name := range r.Parts.Names {
		if name == "" || strings.HasPrefix(name, "-") || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
			return errors.New("parts.names: " + text.Short(name) + " is no package")
		}
	}
	return nil
}

// PackageChanges returns the differences between the key parts of two records of the layer with packages; nil when they are equal.
func PackageChanges(old, new RunPackages) []Change {
	var d differences
	d.packages("", &old.Parts.Packages, &new.Parts.Packages)
	d.value("run image", old.Parts.RunImage, new.Parts.RunImage)
	d.value("platform", old.Parts.Platform, new.Parts.Platform)
	d.value("step contract", fmt.Sprint(old.Parts.Contract), fmt.Sprint(new.Parts.Contract))
	return d
}

// packages compares packages by name. what is before "package" in the names of parts.
func (d *differences) packages(what string, old, new *Packages) {
	if old == nil {
		old = &Packages{}
	}
	if new == nil {
		new = &Packages{}
	}
	d.values(what+"package ", versions(old.Names), versions(new.Names))
	if !slices.Equal(old.Sources, new.Sources) {
		d.add(Change{Part: "sources of " + what + "packages"})
	}
	if !slices.Equal(old.Keys, new.Keys) {
		d.add(Change{Part: "keys of " + what + "packages"})
	}
	if old.Since != new.Since && len(old.Names) > 0 && len(new.Names) > 0 {
		d.value("refresh period of "+what+"packages", old.Since, new.Since)
	}
}

// versions returns what packages are wanted as, by name.
func versions(names []string) map[string]string {
	all := map[string]string{}
	for _, entry := range names {
		name, version, _ := strings.Cut(entry, "=")
		if version == "" {
			version = "any"
		}
		all[name] = version
	}
	return all
}
