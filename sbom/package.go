package sbom

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/opencontainers/go-digest"
	"github.com/package-url/packageurl-go"
	"github.com/spdx/tools-golang/spdx/v2/common"
	"github.com/spdx/tools-golang/spdx/v2/v2_3"

	"github.com/packfile/frontend/metadata"
)

const noAssertion = "NOASSERTION"

// dep is a dep that a layer was made of.
type dep struct {
	Name, Version, URI, SHA256 string
	// Of an image: its repository in full, its platform, and its digest. Digest is also that of the files of another folder.
	Image, Platform, Digest string
	Commit                  string // of a Git repository
	Metadata                metadata.Table
}

// deps returns the deps in a layer's metadata, as get-dep records them: a table for each in the table deps. It skips
// those without a name.
func deps(md metadata.Table) []dep {
	table := md.Table("deps")
	var found []dep
	for _, id := range table.Names() {
		record := table.Table(id)
		d := dep{
			Name: record.Text("name"), Version: record.Text("version"), URI: record.Text("uri"), SHA256: record.Text("sha"),
			Image: record.Text("image"), Platform: record.Text("platform"), Digest: record.Text("digest"), Commit: record.Text("commit"),
			Metadata: record.Table("metadata"),
		}
		if line(d.Name) != "" {
			found = append(found, d)
		}
	}
	return found
}

// pkg returns the dep as a package.
func (d dep) pkg() *v2_3.Package {
	more := []string{d.URI, d.SHA256}
	for _, value := range []string{d.Image, d.Platform, d.Digest, d.Commit} {
		if value != "" {
			more = append(more, value)
		}
	}
	p := newPackage("dep", d.Name, d.Version, d.Metadata, more...)
	sum := strings.ToLower(d.SHA256)
	if location := d.location(); location != "" {
		p.PackageDownloadLocation = location
	}
	if d.isImage() {
		sum = strings.TrimPrefix(d.Digest, "sha256:")
	}
	if digest.SHA256.Validate(sum) == nil {
		p.PackageChecksums = []common.Checksum{{Algorithm: common.SHA256, Value: sum}}
	}
	if !slices.ContainsFunc(p.PackageExternalReferences, isPURL) {
		purl := d.generic(p)
		if d.isImage() {
			purl = d.oci(p)
		}
		p.PackageExternalReferences = append([]*v2_3.PackageExternalReference{purlReference(purl)}, p.PackageExternalReferences...)
	}
	return p
}

// generic returns the package URL of a dep that has none of its own: a file that was downloaded from somewhere.
func (d dep) generic(p *v2_3.Package) string {
	var about packageurl.Qualifiers
	for _, sum := range p.PackageChecksums {
		about = append(about, packageurl.Qualifier{Key: "checksum", Value: "sha256:" + sum.Value})
	}
	if p.PackageDownloadLocation != noAssertion {
		key := "download_url"
		if d.repository() != "" {
			key = "vcs_url"
		}
		about = append(about, packageurl.Qualifier{Key: key, Value: p.PackageDownloadLocation})
	}
	return packageurl.NewPackageURL(packageurl.TypeGeneric, "", p.PackageName, p.PackageVersion, about, "").String()
}

// newPackage returns a package described by its metadata. more has further values that its id depends on.
func newPackage(kind, name, version string, md metadata.Table, more ...string) *v2_3.Package {
	p := &v2_3.Package{
		PackageName:             cmp.Or(line(name), noAssertion), // SPDX has none without a name
		PackageVersion:          line(version),
		PackageSPDXIdentifier:   elementID(kind, name, version, md, more),
		PackageDownloadLocation: noAssertion,
		PackageLicenseConcluded: noAssertion,
		PackageLicenseDeclared:  noAssertion,
		PackageCopyrightText:    noAssertion,
	}
	describe(p, md)
	return p
}

// describe adds the metadata of a package for which SPDX has fields.
func describe(p *v2_3.Package, md metadata.Table) {
	for _, text := range texts(md, "purl", "purls") {
		if purl := packageURL(text); purl != "" {
			p.PackageExternalReferences = append(p.PackageExternalReferences, purlReference(purl))
		}
	}
	for _, text := range texts(md, "cpe", "cpes") {
		if kind := cpeKind(text); kind != "" {
			p.PackageExternalReferences = append(p.PackageExternalReferences, &v2_3.PackageExternalReference{
				Category: common.CategorySecurity, RefType: kind, Locator: text,
			})
		}
	}
	if expression := licenses(texts(md, "license", "licenses")); expression != "" {
		p.PackageLicenseDeclared = expression
	}
	for _, text := range texts(md, "homepage") {
		p.PackageHomePage = webAddress(text)
	}
	for _, text := range texts(md, "supplier") {
		p.PackageSupplier = &common.Supplier{SupplierType: "Organization", Supplier: line(text)}
	}
}

// texts returns the values that metadata has under some names: each line of a string is a value, and each string of a
// table.
func texts(md metadata.Table, names ...string) (found []string) {
	add := func(text string) {
		for l := range strings.Lines(text) {
			if l = strings.TrimSpace(l); l != "" {
				found = append(found, l)
			}
		}
	}
	for _, name := range names {
		add(md.Text(name))
		table := md.Table(name)
		for _, key := range table.Names() {
			add(table.Text(key))
		}
	}
	return found
}

func purlReference(purl string) *v2_3.PackageExternalReference {
	return &v2_3.PackageExternalReference{Category: common.CategoryPackageManager, RefType: common.TypePackageManagerPURL, Locator: purl}
}

func isPURL(r *v2_3.PackageExternalReference) bool { return r.RefType == common.TypePackageManagerPURL }

// packageURL returns a package URL in its canonical form, "" when the text is none.
func packageURL(text string) string {
	purl, err := packageurl.FromString(text)
	if err != nil || !isURI(text) {
		return ""
	}
	return purl.String()
}

// Names of platforms and software in the forms of CPE 2.3 and 2.2 (NIST IR 7695).
var (
	cpe23 = regexp.MustCompile(`^cpe:2\.3:[aho*-](:(((\?*|\*?)([a-zA-Z0-9._-]|\\[^\s\w])+(\?*|\*?))|[*-])){10}$`)
	cpe22 = regexp.MustCompile(`^cpe:/[aho]?(:[A-Za-z0-9._~%-]*){0,6}$`)
)

// cpeKind returns the SPDX reference type of a CPE, "" when the text is no CPE.
func cpeKind(text string) string {
	switch {
	case cpe23.MatchString(text):
		return common.TypeSecurityCPE23Type
	case cpe22.MatchString(text):
		return common.TypeSecurityCPE22Type
	}
	return ""
}

// webAddress returns an address without user and password, "" when the text is no address of a server.
func webAddress(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	u.User = nil
	if text = u.String(); !isURI(text) {
		return ""
	}
	return text
}

// isURI reports whether a text has only characters that an address may have (RFC 3986).
func isURI(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune("<>\"{}|\\^`", r)
	})
}

// line returns a text as one line, without control characters.
func line(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, " "))
	return strings.Join(strings.Fields(text), " ")
}

var notInID = regexp.MustCompile(`[^A-Za-z0-9.-]+`)

// elementID returns the id of a package: readable as far as possible, and made of everything that tells the package from
// others.
func elementID(kind, name string, rest ...any) common.ElementID {
	data := fmt.Appendf(nil, "%q", []any{kind, name, rest}) // tables in the order of their keys
	shown := strings.Trim(notInID.ReplaceAllString(name, "-"), "-")
	return common.ElementID(strings.Join([]string{"packfile", kind, shown[:min(len(shown), 64)], digest.FromBytes(data).Encoded()[:16]}, "-"))
}
