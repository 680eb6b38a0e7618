package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/packfile/frontend/internal/testbed"
	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx"
)

const bothPlatforms = "linux/amd64,linux/386"

// described is a project with a dep, a dep of a layer that is not in the image, and metadata of all kinds.
func described(t *testing.T) (dir string, s *shelf) {
	t.Helper()
	s = newShelf(t, map[string]string{"/tool.tgz": "tool", "/compiler.tgz": "compiler", "/unused.tgz": "unused"})
	return files(t, map[string]string{"app.txt": "app", "packfile.toml": testbed.Packfile(
		testbed.Config("id", "acme/app", "version", "1.2.3", "shell", "/bin/sh -eu"),
		testbed.Layer("compiler").Version("1").Run("cp $(get-dep compiler) $LAYER").
			Dep("compiler", "1", s.URL+"/compiler.tgz", "sha", sha("compiler")),
		testbed.Layer("tool").Export().Version("2.0").
			With("metadata.license", "no licence at all", "metadata.purl", "pkg:generic/acme/tool@2.0").
			Run("cp $(get-dep tool) $LAYER; echo MIT > $MD/license").Link("compiler").
			Dep("tool", "{{.version}}", s.URL+"/tool.tgz", "sha", sha("tool"), "metadata.cpe", "cpe:2.3:a:acme:tool:2.0:*:*:*:*:*:*:*", "metadata.license", "Apache-2.0").
			Dep("unused", "1", s.URL+"/unused.tgz", "sha", sha("unused")),
		testbed.Layer("modules").Export().Version("abc").Run(`
echo modules > $LAYER/content
mkdir -p $MD/deps/left-pad
echo left-pad > $MD/deps/left-pad/name
echo 1.3.0 > $MD/deps/left-pad/version
`).
			Link("tool"),
	)}), s
}

// bill is an SBOM as SPDX's own library reads it.
type bill struct {
	*spdx.Document
	data []byte
}

func readBill(t *testing.T, data []byte) bill {
	t.Helper()
	doc, err := spdxjson.Read(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	return bill{doc, data}
}

// packages are those of an SBOM, as NAME@VERSION, in order.
func (b bill) packages() (names []string) {
	for _, p := range b.Packages {
		names = append(names, p.PackageName+"@"+p.PackageVersion)
	}
	slices.Sort(names)
	return names
}

// one is the package of a name that was downloaded from somewhere, or if from is "" from nowhere.
func (b bill) one(t *testing.T, name, from string) *spdx.Package {
	t.Helper()
	for _, p := range b.Packages {
		if p.PackageName == name && p.PackageDownloadLocation == or(from, "NOASSERTION") {
			return p
		}
	}
	t.Fatalf("no package %s from %s in\n%s", name, from, b.data)
	return nil
}

// wantExample fails unless the SBOM is that of the described project, perhaps among more.
func (b bill) wantExample(t *testing.T, s *shelf) {
	t.Helper()
	for _, p := range []string{"acme/app@1.2.3", "left-pad@1.3.0", "modules@abc", "tool@2.0"} {
		if !slices.Contains(b.packages(), p) {
			t.Errorf("no package %s in %q", p, b.packages())
		}
	}
	dep, layer := b.one(t, "tool", s.URL+"/tool.tgz"), b.one(t, "tool", "")
	if dep.PackageChecksums[0].Value != sha("tool") || dep.PackageLicenseDeclared != "Apache-2.0" || layer.PackageLicenseDeclared != "MIT" {
		t.Errorf("packages of tool:\n%+v\n%+v", dep, layer)
	}
	for _, unwanted := range []string{"compiler", "unused"} {
		if bytes.Contains(b.data, []byte(unwanted)) {
			t.Errorf("%s is in the SBOM:\n%s", unwanted, b.data)
		}
	}
	relations := map[string]bool{}
	for _, r := range b.Relationships {
		relations[string(r.RefA.ElementRefID)+" "+r.Relationship+" "+string(r.RefB.ElementRefID)] = true
	}
	id := func(p *spdx.Package) string { return string(p.PackageSPDXIdentifier) }
	for _, want := range []string{
		"DOCUMENT DESCRIBES " + id(b.one(t, "acme/app", "")), id(b.one(t, "acme/app", "")) + " CONTAINS " + id(layer),
		id(layer) + " DEPENDS_ON " + id(dep), id(b.one(t, "modules", "")) + " DEPENDS_ON " + id(layer),
		id(b.one(t, "modules", "")) + " DEPENDS_ON " + id(b.one(t, "left-pad", "")),
	} {
		if !relations[want] {
			t.Errorf("no relationship %q in %v", want, relations)
		}
	}
}

func (a attested) bill(t *testing.T, platform string) bill {
	t.Helper()
	return readBill(t, a.one(t, platform, spdxPredicate).Predicate)
}

// exportedBill is the SBOM beside the files of a local export.
func exportedBill(t *testing.T, b built) bill {
	t.Helper()
	var s statement
	decode(t, []byte(b.read(t, "sbom.spdx.json")), &s)
	return readBill(t, s.Predicate)
}

func TestSBOMTellsWhatTheImageIsMadeOfAndNeedsNoScanner(t *testing.T) {
	t.Parallel()
	dir, s := described(t)
	for _, provenance := range []string{"", "mode=max"} {
		r := request{dir: dir, opts: map[string]string{"platform": bothPlatforms}, args: []string{"--opt", "attest:sbom="}}
		if provenance != "" {
			r.opts["attest:provenance"] = provenance
		}
		b, a := r.attest(t)
		if strings.Contains(b.log, "syft") {
			t.Errorf("the default scanner was asked for:\n%s", b.log)
		}
		for platform, image := range a.images {
			a.bill(t, platform).wantExample(t, s)
			of := a.one(t, platform, spdxPredicate).Subject
			if len(of) != 1 || of[0].Digest["sha256"] != image.Digest.Encoded() {
				t.Errorf("%s: the SBOM is about %+v, not %s", platform, of, image.Digest)
			}
			if got, want := len(a.statements[platform]), 1+min(len(provenance), 1); got != want {
				t.Errorf("%s: %d statements, want %d", platform, got, want)
			}
		}
		if len(a.images) != 2 {
			t.Errorf("images: %v", a.images)
		}
	}
}

func TestSBOMOfOnePlatformThroughBuildx(t *testing.T) {
	t.Parallel()
	dir, s := described(t)
	image := imageName(t)
	out, err := buildx(t, dir, "--sbom=true", "--push", "--tag", image)
	if err != nil || strings.Contains(out, "syft") {
		t.Fatalf("%v\n%s", err, out)
	}
	a := pullAttested(t, image)
	a.bill(t, "linux/amd64").wantExample(t, s)
	a.one(t, "linux/amd64", slsaPredicate)
	text := must(t, "buildx", "imagetools", "inspect", image, "--format", "{{json .SBOM.SPDX}}")
	readBill(t, []byte(text)).wantExample(t, s)
}

func TestSBOMIsThatOfTheImageHoweverItWasBuilt(t *testing.T) {
	t.Parallel()
	dir, s := described(t)
	r := request{dir: dir, opts: map[string]string{}, args: []string{"--opt", "attest:sbom="}}
	_, first := r.attest(t)
	want := first.bill(t, "linux/amd64")
	want.wantExample(t, s)
	_, cached := r.attest(t)
	equal(t, "SBOM from the cache", string(cached.bill(t, "linux/amd64").data), string(want.data))
	r.opts["no-cache"] = ""
	_, again := r.attest(t)
	equal(t, "SBOM without cache", string(again.bill(t, "linux/amd64").data), string(want.data))
	delete(r.opts, "no-cache")
	r.previous, r.host = first.name, secondDaemon(t)
	b, reused := r.attest(t)
	if b.hasVertex("[acme/app/tool] run") {
		t.Errorf("the layer was not reused:\n%s", b.log)
	}
	equal(t, "SBOM of reused layers", string(reused.bill(t, "linux/amd64").data), string(want.data))
	equal(t, "digest with reused layers", reused.images, first.images)
}

func TestSBOMOfARebasedImageIsThatOfTheImage(t *testing.T) {
	t.Parallel()
	dir, _ := described(t)
	r := request{dir: dir, opts: map[string]string{"platform": bothPlatforms}, args: []string{"--opt", "attest:sbom="}}
	_, first := r.attest(t)
	r.previous, r.runImg, r.image, r.host = first.name, env.busybox, "", otherDaemon(t)
	r.opts["target"] = "rebase"
	b, rebased := r.attest(t)
	if strings.Contains(b.log, "syft") {
		t.Errorf("the default scanner was asked for:\n%s", b.log)
	}
	for platform := range first.images {
		equal(t, "SBOM for "+platform, string(rebased.bill(t, platform).data), string(first.bill(t, platform).data))
	}
}

func TestSBOMIsInThePlaceOfCloudNativeBuildpacks(t *testing.T) {
	t.Parallel()
	dir, s := described(t)
	img := request{dir: dir}.export(t)
	found := map[string]file{}
	for _, l := range img.layers {
		for name, f := range l.files {
			if strings.HasPrefix(name, "layers/sbom/launch/") && f.Typeflag == '0' {
				found[strings.TrimPrefix(name, "layers/sbom/launch/")] = f
			}
		}
	}
	if len(found) != 3 {
		t.Fatalf("files: %v", found)
	}
	readBill(t, []byte(found["acme_app/sbom.spdx.json"].content)).wantExample(t, s)
	equal(t, "packages of layer tool", readBill(t, []byte(found["acme_app/tool/sbom.spdx.json"].content)).packages(), []string{"tool@2.0", "tool@2.0"})
	equal(t, "packages of layer modules", readBill(t, []byte(found["acme_app/modules/sbom.spdx.json"].content)).packages(), []string{"left-pad@1.3.0", "modules@abc"})
}

func TestSBOMOfATargetIsThatOfTheLayer(t *testing.T) {
	t.Parallel()
	dir, _ := described(t)
	b := request{dir: dir, target: "tool", args: []string{"--opt", "attest:sbom="}}.build(t)
	if strings.Contains(b.log, "syft") {
		t.Errorf("the default scanner was asked for:\n%s", b.log)
	}
	equal(t, "packages", exportedBill(t, b).packages(), []string{"acme/app@1.2.3", "tool@2.0", "tool@2.0"})
	b.read(t, "tool.tgz")
}

func TestSBOMBreaksNoExport(t *testing.T) {
	t.Parallel()
	dir, s := described(t)
	for _, kind := range []string{"oci", "docker", "local", "tar"} {
		to := filepath.Join(t.TempDir(), "out")
		request{dir: dir, output: "type=" + kind + ",dest=" + to, args: []string{"--opt", "attest:sbom="}}.build(t)
		if kind == "local" {
			exportedBill(t, built{out: to}).wantExample(t, s)
		}
		if _, err := os.Stat(to); err != nil {
			t.Error(err)
		}
	}
	request{dir: dir, args: []string{"--opt", "attest:sbom="}}.build(t)
	request{dir: files(t, map[string]string{"packfile.toml": sh}), output: "type=oci,dest=" + filepath.Join(t.TempDir(), "x"), args: []string{"--opt", "attest:sbom="}}.build(t)
}

// generator is an image that scans as BuildKit's protocol wants it (docs/attestations/sbom-protocol.md there), with a script.
func generator(t *testing.T, script string) string {
	t.Helper()
	dir := files(t, map[string]string{
		"Dockerfile": "FROM " + env.busybox + "\nCOPY scan /scan\nENTRYPOINT [\"/bin/sh\", \"-eu\", \"/scan\"]\n", "scan": script,
	})
	image := imageName(t)
	must(t, "buildctl", "build", "--frontend=dockerfile.v0", "--local=context="+dir, "--local=dockerfile="+dir, "--output=type=image,push=true,name="+image)
	return image
}

// scan is a generator's script that finds one file of the image.
const scan = `
test -e "$BUILDKIT_SCAN_SOURCE/layers/acme_app/tool/tool.tgz"
test "$BUILDKIT_SCAN_COLOR" = red
cat > "$BUILDKIT_SCAN_DESTINATION/sbom.spdx.json" <<END
{"_type": "https://in-toto.io/Statement/v0.1", "predicateType": "https://spdx.dev/Document", "subject": [],
 "predicate": {"spdxVersion": "SPDX-2.2", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": "scan",
  "documentNamespace": "https://example.com/scan", "creationInfo": {"created": "2020-01-01T00:00:00Z", "creators": ["Tool: scan"]},
  "packages": [{"SPDXID": "SPDXRef-found", "name": "found", "versionInfo": "9", "downloadLocation": "NOASSERTION"}],
  "files": [{"SPDXID": "SPDXRef-file", "fileName": "layers/acme_app/tool/tool.tgz", "checksums": [{"algorithm": "SHA1", "checksumValue": "da39a3ee5e6b4b0d3255bfef95601890afd80709"}]}],
  "relationships": [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-found"}]}}
END
`

func TestGeneratorsSBOMHasOursInIt(t *testing.T) {
	t.Parallel()
	dir, s := described(t)
	scanner := generator(t, scan)
	r := request{dir: dir, opts: map[string]string{"attest:sbom": "generator=" + scanner + ",COLOR=red", "platform": bothPlatforms, "attest:provenance": "mode=max"}}
	_, a := r.attest(t)
	for platform := range a.images {
		b := a.bill(t, platform)
		b.wantExample(t, s)
		if b.one(t, "found", "").PackageVersion != "9" || len(b.Files) != 1 || b.SPDXVersion != "SPDX-2.3" || b.DocumentNamespace == "https://example.com/scan" {
			t.Errorf("%s", b.data)
		}
		// BuildKit adds this to the document about the image itself, and to no other.
		contains(t, b.Files[0].FileComment, "layerID: sha256:")
		contains(t, string(b.data), "Tool: scan", "Tool: packfile-frontend")
	}
	r.opts["platform"] = ""
	r.output = "type=local,dest=" + t.TempDir()
	r.build(t)
}

func TestGeneratorThatIsWrongIsNamed(t *testing.T) {
	t.Parallel()
	dir, _ := described(t)
	for name, c := range map[string]struct{ script, want string }{
		"garbage":     {`echo garbage > $BUILDKIT_SCAN_DESTINATION/sbom.spdx.json`, "it is no in-toto statement"},
		"nothing":     {`true`, "it left no SBOM"},
		"other":       {`echo '{"predicateType": "https://slsa.dev/provenance/v1"}' > $BUILDKIT_SCAN_DESTINATION/sbom.json`, "no in-toto statement about SPDX"},
		"no document": {`echo '{"predicateType": "https://spdx.dev/Document", "predicate": 1}' > $BUILDKIT_SCAN_DESTINATION/sbom.json`, "no SPDX document"},
		"link":        {`ln -s /etc/passwd $BUILDKIT_SCAN_DESTINATION/sbom.json`, "it is no file"},
		"failure":     {`echo cannot scan >&2; exit 7`, "cannot scan"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			scanner := generator(t, c.script)
			log := request{dir: dir, output: "type=oci,dest=" + filepath.Join(t.TempDir(), "x"), opts: map[string]string{"attest:sbom": "generator=" + scanner}}.fail(t)
			contains(t, log, c.want, "SBOM generator "+scanner)
		})
	}
	contains(t, request{dir: dir, opts: map[string]string{"attest:sbom": "generator=nowhere.invalid/scanner"}}.fail(t), "SBOM generator nowhere.invalid/scanner")
}
