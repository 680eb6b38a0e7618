package sbom

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx"
	"github.com/spdx/tools-golang/spdx/v2/common"

	"github.com/packfile/frontend/metadata"
)

var created = time.Date(1980, 1, 1, 0, 0, 1, 0, time.FixedZone("", 0))

func example() Image {
	tool := metadata.Table{
		"name": "tool", "version": "2.0", "uri": "https://user:password@example.com/tool-2.0.tgz", "sha": strings.Repeat("aB", 32),
		"metadata": metadata.Table{"purl": "pkg:npm/tool@2.0", "license": "MIT", "cpes": "cpe:2.3:a:tool:tool:2.0:*:*:*:*:*:*:*\ncpe:/a:tool:tool:2.0"},
	}
	return Image{Name: "acme/app", Version: "1.2.3", Layers: []Layer{
		{Name: "modules", Links: []string{"tool", "not-in-the-image"}, Metadata: metadata.Table{
			"version": "abc", "purl": "pkg:generic/modules", "homepage": "https://example.com/modules", "supplier": "Acme",
			"licenses": metadata.Table{"a": "MIT OR Apache-2.0", "b": "BSD-3-Clause"},
			"deps":     metadata.Table{"tool@2.0": tool, "nameless": metadata.Table{"version": "1"}, "text": "text"},
		}},
		{Name: "tool", Metadata: metadata.Table{"deps": metadata.Table{
			"tool@2.0": tool, "file@1": metadata.Table{"name": "file", "version": "1", "uri": "https://example.com/f?a=b", "sha": strings.Repeat("01", 32)},
		}}},
	}}
}

// read is a document as SPDX's own library reads it, with packages by name and relationships in words.
func read(t *testing.T, data []byte) (doc *spdx.Document, packages map[string]*spdx.Package, relationships []string) {
	t.Helper()
	doc, err := spdxjson.Read(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	packages = map[string]*spdx.Package{}
	names := map[common.ElementID]string{"DOCUMENT": "document"}
	for _, p := range doc.Packages {
		if !regexp.MustCompile(`^[A-Za-z0-9.-]+$`).MatchString(string(p.PackageSPDXIdentifier)) {
			t.Errorf("%q is no id", p.PackageSPDXIdentifier)
		}
		if names[p.PackageSPDXIdentifier] != "" {
			t.Errorf("%q is the id of two packages", p.PackageSPDXIdentifier)
		}
		packages[p.PackageName] = p
		names[p.PackageSPDXIdentifier] = p.PackageName
	}
	for _, r := range doc.Relationships {
		a, b := names[r.RefA.ElementRefID], names[r.RefB.ElementRefID]
		if a == "" || b == "" {
			t.Errorf("relationship with something that is not in the document: %+v", r)
		}
		relationships = append(relationships, a+" "+r.Relationship+" "+b)
	}
	return doc, packages, relationships
}

func TestDocumentTellsWhatTheImageIsMadeOf(t *testing.T) {
	data, err := example().Document(created)
	if err != nil {
		t.Fatal(err)
	}
	doc, packages, relationships := read(t, data)
	if doc.SPDXVersion != "SPDX-2.3" || doc.DataLicense != "CC0-1.0" || doc.DocumentName != "acme/app 1.2.3" || doc.CreationInfo.Created != "1980-01-01T00:00:01Z" {
		t.Errorf("%s", data)
	}
	want := []string{
		"acme/app CONTAINS modules", "acme/app CONTAINS tool", "document DESCRIBES acme/app", "modules DEPENDS_ON tool",
		"modules DEPENDS_ON tool", "tool DEPENDS_ON file", "tool DEPENDS_ON tool",
	}
	if len(doc.Packages) != 5 {
		t.Errorf("%d packages:\n%s", len(doc.Packages), data)
	}
	slices.Sort(relationships)
	if diff := cmp.Diff(want, relationships); diff != "" {
		t.Error(diff)
	}
	modules := packages["modules"]
	if modules.PackageVersion != "abc" || modules.PackageLicenseDeclared != "(MIT OR Apache-2.0) AND BSD-3-Clause" ||
		modules.PackageHomePage != "https://example.com/modules" || modules.PackageSupplier.Supplier != "Acme" {
		t.Errorf("modules: %+v", modules)
	}
	if diff := cmp.Diff([]string{"pkg:generic/modules"}, locators(modules)); diff != "" {
		t.Error(diff)
	}
	file := packages["file"]
	if file.PackageDownloadLocation != "https://example.com/f?a=b" || file.PackageLicenseDeclared != "NOASSERTION" ||
		len(file.PackageChecksums) != 1 || file.PackageChecksums[0].Value != strings.Repeat("01", 32) {
		t.Errorf("file: %+v", file)
	}
	generic := "pkg:generic/file@1?checksum=sha256:" + strings.Repeat("01", 32) + "&download_url=https:%2F%2Fexample.com%2Ff%3Fa%3Db"
	if diff := cmp.Diff([]string{generic}, locators(file)); diff != "" {
		t.Error(diff)
	}
	for _, p := range doc.Packages {
		if p.PackageName == "tool" && p.PackageVersion == "2.0" {
			want := []string{"pkg:npm/tool@2.0", "cpe:2.3:a:tool:tool:2.0:*:*:*:*:*:*:*", "cpe:/a:tool:tool:2.0"}
			if diff := cmp.Diff(want, locators(p)); diff != "" || p.PackageChecksums[0].Value != strings.Repeat("ab", 32) ||
				p.PackageDownloadLocation != "https://example.com/tool-2.0.tgz" || p.PackageLicenseDeclared != "MIT" {
				t.Errorf("%s %+v", diff, p)
			}
		}
	}
	if strings.Contains(string(data), "password") {
		t.Errorf("there is a password in it:\n%s", data)
	}
}

func TestAnImageAndARepositoryHaveWhatTheirKindIsKnownBy(t *testing.T) {
	const commit = "0123456789abcdef0123456789abcdef01234567"
	sum := strings.Repeat("01", 32)
	image := metadata.Table{"uri": "docker://registry.example.com/go:1", "image": "registry.example.com/go", "platform": "linux/arm/v7", "digest": "sha256:" + sum}
	for name, test := range map[string]struct {
		record             metadata.Table
		purl, from, digest string
	}{
		"an image":                {image, "pkg:oci/go@sha256:" + sum + "?arch=arm%2Fv7&repository_url=registry.example.com%2Fgo", "", sum},
		"an image in no registry": {metadata.Table{"uri": "context:x", "platform": "linux/arm64", "digest": "sha256:" + sum}, "pkg:oci/tool@sha256:" + sum + "?arch=arm64", "", sum},
		"a repository": {metadata.Table{"uri": "https://user@example.com/a.git?submodules=0#main:/sub/", "commit": commit},
			"pkg:generic/tool@1?vcs_url=git%2Bhttps:%2F%2Fexample.com%2Fa.git%40" + commit + "%23sub", "git+https://example.com/a.git@" + commit + "#sub", ""},
		"a repository over ssh": {metadata.Table{"uri": "git@example.com:a/b.git", "commit": commit},
			"pkg:generic/tool@1?vcs_url=git%2Bssh:%2F%2Fexample.com%2Fa%2Fb.git%40" + commit, "git+ssh://example.com/a/b.git@" + commit, ""},
		"a folder":                        {metadata.Table{"uri": "context:x", "digest": sum}, "pkg:generic/tool@1", "", ""},
		"a commit that is none":           {metadata.Table{"uri": "https://example.com/a.git", "commit": "x y"}, "pkg:generic/tool@1?download_url=https:%2F%2Fexample.com%2Fa.git", "https://example.com/a.git", ""},
		"a digest that is none":           {metadata.Table{"uri": "docker://registry.example.com/x", "platform": "linux/x", "digest": "sha256:0"}, "pkg:generic/tool@1", "", ""},
		"a repository without an address": {metadata.Table{"uri": "\x00#", "commit": commit}, "pkg:generic/tool@1", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			test.record["name"], test.record["version"] = "tool", "1"
			layer := Layer{Name: "a", Metadata: metadata.Table{"deps": metadata.Table{"tool@1": test.record}}}
			data, err := layer.Document(created)
			if err != nil {
				t.Fatal(err)
			}
			_, packages, _ := read(t, data)
			p := packages["tool"]
			from := test.from
			if from == "" {
				from = "NOASSERTION"
			}
			if diff := cmp.Diff([]string{test.purl}, locators(p)); diff != "" || p.PackageDownloadLocation != from {
				t.Errorf("%s from %s", diff, p.PackageDownloadLocation)
			}
			if (test.digest == "") != (len(p.PackageChecksums) == 0) || test.digest != "" && p.PackageChecksums[0].Value != test.digest {
				t.Errorf("checksums %v", p.PackageChecksums)
			}
		})
	}
}

func TestLayerHasADocumentOfItsOwn(t *testing.T) {
	data, err := example().Layers[1].Document(created)
	if err != nil {
		t.Fatal(err)
	}
	doc, _, relationships := read(t, data)
	slices.Sort(relationships)
	want := []string{"document DESCRIBES tool", "tool DEPENDS_ON file", "tool DEPENDS_ON tool"}
	if diff := cmp.Diff(want, relationships); diff != "" || doc.DocumentName != "tool" {
		t.Errorf("%s %s", diff, doc.DocumentName)
	}
}

func TestDocumentIsNamedByItsContent(t *testing.T) {
	name := func(im Image, at time.Time) string {
		data, err := im.Document(at)
		if err != nil {
			t.Fatal(err)
		}
		again, err := im.Document(at)
		if err != nil || !bytes.Equal(data, again) {
			t.Errorf("the same image has two documents: %v", err)
		}
		doc, _, _ := read(t, data)
		return doc.DocumentNamespace
	}
	changed := example()
	changed.Layers[0].Metadata["license"] = "MIT"
	seen := map[string]bool{}
	for _, namespace := range []string{name(example(), created), name(example(), created.Add(time.Second)), name(changed, created)} {
		if seen[namespace] || !strings.HasPrefix(namespace, "https://") {
			t.Errorf("namespace %s of two documents", namespace)
		}
		seen[namespace] = true
	}
	if !seen[name(example(), created.In(time.FixedZone("", 3600)))] {
		t.Error("the time zone is part of the document")
	}
}

func TestWhatSPDXHasNoFormForIsLeftOut(t *testing.T) {
	hostile := "\"\n\x00\x1b[31m\u2028<script>&\xff" + strings.Repeat("x", 1000)
	everywhere := metadata.Table{"version": hostile}
	for _, key := range []string{"purl", "purls", "cpe", "cpes", "license", "licenses", "homepage", hostile} {
		everywhere[key] = hostile
	}
	everywhere["deps"] = metadata.Table{hostile: metadata.Table{"name": hostile, "version": hostile, "uri": hostile, "sha": hostile, "metadata": everywhere}}
	data, err := Image{Name: hostile, Version: hostile, Layers: []Layer{{Name: hostile, Metadata: shallow(everywhere), Links: []string{hostile}}}}.Document(created)
	if err != nil {
		t.Fatal(err)
	}
	doc, packages, _ := read(t, data)
	if len(doc.Packages) != 3 || len(packages) != 1 {
		t.Errorf("%d packages of %d names", len(doc.Packages), len(packages))
	}
	for _, p := range doc.Packages {
		if p.PackageLicenseDeclared != "NOASSERTION" || p.PackageDownloadLocation != "NOASSERTION" || p.PackageHomePage != "" || len(p.PackageChecksums) > 0 {
			t.Errorf("%+v", p)
		}
		for _, l := range locators(p) {
			if packageURL(l) != l {
				t.Errorf("locator %q", l)
			}
		}
		if strings.ContainsAny(p.PackageName, "\n\x00\x1b") {
			t.Errorf("name %q", p.PackageName)
		}
	}
	if !json.Valid(data) {
		t.Error("it is no JSON")
	}
}

// shallow keeps one level of deps in deps.
func shallow(md metadata.Table) metadata.Table {
	dep := md["deps"].(metadata.Table)
	for _, v := range dep {
		record := v.(metadata.Table)
		inner := metadata.Table{}
		for k, v := range record["metadata"].(metadata.Table) {
			if k != "deps" {
				inner[k] = v
			}
		}
		record["metadata"] = inner
	}
	return md
}

func TestLicenses(t *testing.T) {
	for _, c := range []struct {
		list []string
		want string
	}{
		{[]string{"MIT"}, "MIT"},
		{[]string{"GPL-2.0+"}, "GPL-2.0+"},
		{[]string{"LicenseRef-mine"}, "LicenseRef-mine"},
		{[]string{"DocumentRef-x:LicenseRef-y"}, "DocumentRef-x:LicenseRef-y"},
		{[]string{"GPL-2.0-only WITH Classpath-exception-2.0"}, "GPL-2.0-only WITH Classpath-exception-2.0"},
		{[]string{"(MIT OR (Apache-2.0 AND BSD-2-Clause))"}, "(MIT OR (Apache-2.0 AND BSD-2-Clause))"},
		{[]string{"MIT", "Apache-2.0 OR ISC"}, "MIT AND (Apache-2.0 OR ISC)"},
		{[]string{"Newer-than-our-list-1.0 WITH newer-exception"}, "Newer-than-our-list-1.0 WITH newer-exception"},
		{[]string{"LicenseRef-mine WITH Classpath-exception-2.0"}, "LicenseRef-mine WITH Classpath-exception-2.0"},
		{[]string{"NONE"}, "NONE"},
		{nil, ""},
		{[]string{"MIT", "NONE"}, ""},
		{[]string{"MIT", "the usual one"}, ""},
		{[]string{"MIT OR"}, ""},
		{[]string{"OR MIT"}, ""},
		{[]string{"MIT Apache-2.0"}, ""},
		{[]string{"(MIT"}, ""},
		{[]string{"MIT)"}, ""},
		{[]string{"MIT WITH"}, ""},
		{[]string{"AND"}, ""},
		{[]string{"MIT WITH (MIT)"}, ""},
		{[]string{"MIT ORApache-2.0"}, ""},
		{[]string{"M/T"}, ""},
		{[]string{strings.Repeat("MIT OR ", 500) + "MIT"}, strings.Repeat("MIT OR ", 500) + "MIT"},
		{[]string{strings.Repeat("MIT OR ", 600) + "MIT"}, ""},
		{[]string{strings.Repeat("(", 100000) + "MIT" + strings.Repeat(")", 100000)}, ""},
	} {
		if got := licenses(c.list); got != c.want {
			t.Errorf("%.50q: %q, want %q", c.list, got, c.want)
		}
	}
}

func TestPackageURLsAndCPEs(t *testing.T) {
	for text, want := range map[string]string{
		"pkg:npm/%40scope/name@1.0": "pkg:npm/%40scope/name@1.0", "pkg:npm/@scope/name@1.0": "pkg:npm/%40scope/name@1.0",
		"pkg:deb/debian/curl@7?arch=amd64&distro=sid#sub/path": "pkg:deb/debian/curl@7?arch=amd64&distro=sid#sub/path",
		"pkg:generic/a?download_url=https%3A%2F%2Fx":           "pkg:generic/a?download_url=https:%2F%2Fx",
		"pkg:generic/a?z=1&b&a=2":                              "pkg:generic/a?a=2&z=1", // a qualifier without a value says nothing
		"PKG:GitHub/Acme/Tool":                                 "pkg:github/acme/tool",
		"pkg:npm":                                              "", "npm/a": "", "": "", "pkg:generic/": "", "pkg:npm/a b": "", "pkg:npm/a\x00": "", "pkg:npm/a?b=%zz": "",
	} {
		if got := packageURL(text); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
	for text, want := range map[string]string{
		"cpe:2.3:a:openjs:node.js:20.1.0:*:*:*:*:*:*:*": "cpe23Type", `cpe:2.3:a:a\/b:c:-:*:*:*:*:*:*:*`: "cpe23Type",
		"cpe:/a:openjs:node.js:20": "cpe22Type", "cpe:2.3:a:b": "", "cpe:2.3:x:a:b:1:*:*:*:*:*:*:*": "", "cpe:/z:a": "", "cpe": "",
	} {
		if got := cpeKind(text); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}

// FuzzDocument: whatever metadata says, there is a document, and SPDX's own library reads it.
func FuzzDocument(f *testing.F) {
	f.Add("pkg:generic/a?b", "MIT AND (", "cpe:2.3:a", "http://[::1", "a\xffb")
	f.Add("pkg:npm/%40a/b@1?x=y#z", "MIT", "cpe:/a:b:c", "https://u:p@h/%zz?q#f", "")
	f.Fuzz(func(t *testing.T, purl, license, cpe, uri, text string) {
		md := metadata.Table{"purl": purl, "license": license, "cpe": cpe, "homepage": uri, "version": text}
		md["deps"] = metadata.Table{"d": metadata.Table{"name": text, "version": text, "uri": uri, "sha": text, "metadata": metadata.Table{"purl": purl}}}
		data, err := Image{Name: text, Layers: []Layer{{Name: text, Metadata: md}}}.Document(created)
		if err != nil {
			t.Fatal(err)
		}
		read(t, data)
	})
}

func locators(p *spdx.Package) (list []string) {
	for _, r := range p.PackageExternalReferences {
		list = append(list, r.Locator)
	}
	return list
}
