package sbom

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPackagesOfTheDistributionAreInTheImageWithTheirLicences(t *testing.T) {
	im := Image{Name: "app", Debs: []Deb{
		{Name: "libstdc++6", Version: "1:12.2.0-14~x", Arch: "amd64", Source: "gcc-12", SourceVersion: "12.2.0-14", Distro: "debian", DistroVersion: "12",
			Licenses: []string{"Expat", "GPL-3+", "Expat"}},
		{Name: "odd", Version: "1", Arch: "all", Distro: "debian", Licenses: []string{"GPL-2", "permissive, or so\x1b[2J"}},
		{Name: "silent", Version: "1", Arch: "all", Distro: "ubuntu", DistroVersion: "24.04", Licenses: []string{"BSD-3-clause", "***"}},
	}}
	data, err := im.Document(created)
	if err != nil {
		t.Fatal(err)
	}
	doc, packages, relationships := read(t, data)
	type said struct{ URL, Licence, Source string }
	got := map[string]said{}
	for name, p := range packages {
		if name != "app" {
			got[name] = said{p.PackageExternalReferences[0].Locator, p.PackageLicenseDeclared, p.PackageSourceInfo}
		}
	}
	want := map[string]said{
		"libstdc++6": {"pkg:deb/debian/libstdc%2B%2B6@1:12.2.0-14~x?arch=amd64&distro=debian-12", "MIT AND GPL-3.0-or-later", "built from source package gcc-12 12.2.0-14"},
		"odd":        {"pkg:deb/debian/odd@1?arch=all&distro=debian", "GPL-2.0-only AND LicenseRef-debian-permissive-or-so-2J", ""},
		"silent":     {"pkg:deb/ubuntu/silent@1?arch=all&distro=ubuntu-24.04", "NOASSERTION", ""}, // a licence without a name
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(doc.OtherLicenses) != 1 || doc.OtherLicenses[0].LicenseIdentifier != "LicenseRef-debian-permissive-or-so-2J" || doc.OtherLicenses[0].LicenseName != "permissive, or so [2J" {
		t.Errorf("%+v", doc.OtherLicenses)
	}
	for name := range want {
		if !slices.ContainsFunc(relationships, func(r string) bool { return r == "app CONTAINS "+name }) {
			t.Errorf("%s is not in the image: %q", name, relationships)
		}
	}
}
