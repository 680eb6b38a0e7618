package sbom

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/package-url/packageurl-go"
	"github.com/spdx/tools-golang/spdx/v2/common"
	"github.com/spdx/tools-golang/spdx/v2/v2_3"
)

// Deb is a package of a distribution that Debian's tools installed.
type Deb struct {
	Name, Version, Arch   string
	Source, SourceVersion string // the source package that it was built from
	Distro, DistroVersion string // ID and VERSION_ID of os-release(5)
	Licenses              []string
}

// pkg returns the package for a document, and the licences in it that SPDX does not list, by their ids.
func (d Deb) pkg() (p *v2_3.Package, unlisted map[string]string) {
	p = newPackage("deb", d.Name, d.Version, nil, d.Arch, d.Distro, d.DistroVersion)
	about := packageurl.Qualifiers{{Key: "arch", Value: line(d.Arch)}}
	if distro := strings.TrimSuffix(line(d.Distro)+"-"+line(d.DistroVersion), "-"); distro != "" {
		about = append(about, packageurl.Qualifier{Key: "distro", Value: distro})
	}
	purl := packageurl.NewPackageURL(packageurl.TypeDebian, line(d.Distro), p.PackageName, p.PackageVersion, about, "")
	p.PackageExternalReferences = append(p.PackageExternalReferences, purlReference(purl.String()))
	if source := line(d.Source); source != "" {
		p.PackageSourceInfo = strings.TrimSpace(fmt.Sprintf("built from source package %s %s", source, line(d.SourceVersion)))
	}
	var declared []string
	for _, name := range d.Licenses {
		id, listed := spdxLicense(name)
		if id == "" {
			return p, nil // leaving one out would claim that there are no other terms
		}
		if !listed {
			if unlisted == nil {
				unlisted = map[string]string{}
			}
			unlisted[id] = line(name)
		}
		if !slices.Contains(declared, id) {
			declared = append(declared, id)
		}
	}
	if len(declared) > 0 {
		if expression := licenses(declared); expression != "" {
			p.PackageLicenseDeclared = expression
			return p, unlisted
		}
	}
	return p, nil
}

// debianLicenses are SPDX's ids of licences that Debian has other names for (Debian's copyright format 1.0, "License short names").
// Those with versions are made by rule.
var debianLicenses = map[string]string{
	"expat": "MIT", "mit": "MIT", "isc": "ISC", "zlib": "Zlib", "bsd-2-clause": "BSD-2-Clause", "bsd-3-clause": "BSD-3-Clause",
	"bsd-4-clause": "BSD-4-Clause", "apache-2.0": "Apache-2.0", "apache-2": "Apache-2.0", "artistic": "Artistic-1.0-Perl",
	"artistic-2.0": "Artistic-2.0", "cc0-1.0": "CC0-1.0", "cc0": "CC0-1.0", "mpl-1.1": "MPL-1.1", "mpl-2.0": "MPL-2.0", "openssl": "OpenSSL",
	"python-2.0": "Python-2.0", "zpl-2.1": "ZPL-2.1", "w3c": "W3C", "bsl-1.0": "BSL-1.0", "unlicense": "Unlicense", "0bsd": "0BSD",
}

// gnuLicense matches Debian's names of GNU's licences: GPL-2, LGPL-2.1+, GFDL-1.3.
var gnuLicense = regexp.MustCompile(`^(A?L?GPL|GFDL)-([1-3])(\.[0-9])?(\.0)?(\+)?$`)

// spdxLicense returns the id of a licence in documents: SPDX's own when it lists the licence, else a reference. It returns "" for a
// name without a letter or digit.
func spdxLicense(name string) (id string, listed bool) {
	name = line(name)
	if id, ok := debianLicenses[strings.ToLower(name)]; ok {
		return id, true
	}
	if m := gnuLicense.FindStringSubmatch(name); m != nil {
		minor := m[3]
		if minor == "" {
			minor = ".0"
		}
		if m[5] == "+" {
			return m[1] + "-" + m[2] + minor + "-or-later", true
		}
		return m[1] + "-" + m[2] + minor + "-only", true
	}
	if short := strings.Trim(notInID.ReplaceAllString(name, "-"), "-."); short != "" {
		return "LicenseRef-debian-" + short[:min(len(short), 64)], false
	}
	return "", false
}

// addDebs adds packages to what contains them.
func (d *document) addDebs(to *v2_3.Package, debs []Deb) {
	for _, deb := range debs {
		p, unlisted := deb.pkg()
		d.relate(to.PackageSPDXIdentifier, common.TypeRelationshipContains, d.add(p))
		for id, name := range unlisted {
			d.licenses[id] = &v2_3.OtherLicense{
				LicenseIdentifier: id, LicenseName: name,
				ExtractedText: "Debian's copyright files call it " + name + ". Its text is in /usr/share/doc/PACKAGE/copyright.",
			}
		}
	}
}
