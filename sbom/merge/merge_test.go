package merge

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// ourSBOM is a document as the frontend writes it, as far as merging looks into it.
const ourSBOM = `{"SPDXID": "SPDXRef-DOCUMENT", "creationInfo": {"creators": ["Tool: packfile-frontend"]},
 "packages": [{"SPDXID": "SPDXRef-image", "name": "image"}, {"SPDXID": "SPDXRef-tool", "name": "tool"}],
 "relationships": [
  {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-image"},
  {"spdxElementId": "SPDXRef-image", "relationshipType": "CONTAINS", "relatedSpdxElement": "SPDXRef-tool"}]}`

func found(predicate string) string {
	return `{"_type": "https://in-toto.io/Statement/v0.1", "subject": [], "extra": 1.50, "predicateType": "` + spdxPredicate + `", "predicate": ` + predicate + "}\n"
}

// place is where a generator left files.
type place struct {
	t             *testing.T
	found, merged string
}

// newPlace has what a generator left, by name of the file.
func newPlace(t *testing.T, files map[string]string) *place {
	t.Helper()
	root := t.TempDir()
	p := &place{t: t, found: filepath.Join(root, "found"), merged: filepath.Join(root, "merged")}
	if err := os.Mkdir(p.found, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(p.found, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// merges adds our document, which must fail with this text, or not if there is none.
func (p *place) merges(text string) {
	p.t.Helper()
	os.RemoveAll(p.merged) // of an earlier call
	err := Folder(p.found, []byte(ourSBOM), p.merged)
	if (err != nil) != (text != "") || err != nil && (!strings.Contains(err.Error(), text) || len(err.Error()) > 500) {
		p.t.Errorf("%.1000v, want %q", err, text)
	}
}

func (p *place) read(name string) string {
	p.t.Helper()
	data, err := os.ReadFile(filepath.Join(p.merged, name))
	if err != nil {
		p.t.Fatal(err)
	}
	return string(data)
}

// statement is the predicate that a merge left in a file.
func (p *place) statement(name string) object {
	p.t.Helper()
	var statement object
	if err := json.Unmarshal([]byte(p.read(name)), &statement); err != nil {
		p.t.Fatal(err)
	}
	return statement["predicate"].(object)
}

const theirSBOM = `{"spdxVersion": "SPDX-2.2", "SPDXID": "SPDXRef-DOCUMENT", "documentNamespace": "https://example.com/1", "unknown": [12345678901234567890],
 "creationInfo": {"creators": ["Tool: scan"], "created": "2020-01-01T00:00:00Z"},
 "packages": [{"SPDXID": "SPDXRef-found", "name": "found"}],
 "relationships": [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-found"}]}`

func TestMergeAddsOurPackagesAndKeepsTheirs(t *testing.T) {
	other := found(`{"spdxVersion": "SPDX-2.3", "name": "another"}`)
	p := newPlace(t, map[string]string{"a.json": other, "sbom.spdx.json": found(theirSBOM)})
	p.merges("")
	doc := p.statement("sbom.spdx.json")
	var ids, relations []string
	for _, p := range doc["packages"].([]any) {
		ids = append(ids, p.(object)["SPDXID"].(string))
	}
	for _, r := range doc["relationships"].([]any) {
		r := r.(object)
		relations = append(relations, fmt.Sprint(r["spdxElementId"], " ", r["relatedSpdxElement"]))
	}
	if diff := cmp.Diff([]string{"SPDXRef-found", "SPDXRef-image", "SPDXRef-tool"}, ids); diff != "" {
		t.Error(diff)
	}
	want := []string{"SPDXRef-DOCUMENT SPDXRef-found", "SPDXRef-DOCUMENT SPDXRef-image", "SPDXRef-image SPDXRef-tool"}
	if diff := cmp.Diff(want, relations); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(object{"creators": []any{"Tool: scan", "Tool: packfile-frontend"}, "created": "2020-01-01T00:00:00Z"}, doc["creationInfo"]); diff != "" {
		t.Error(diff)
	}
	if doc["spdxVersion"] != "SPDX-2.3" || doc["documentNamespace"] == "https://example.com/1" {
		t.Errorf("%v", doc)
	}
	if text := p.read("sbom.spdx.json"); !strings.Contains(text, "12345678901234567890") || !strings.Contains(text, "1.50") {
		t.Errorf("numbers are changed: %s", text)
	}
	if got := p.read("a.json"); got != other {
		t.Errorf("the document about something else is now %s", got)
	}
}

func TestMergeGoesIntoTheOnlyDocumentWhateverItIsCalled(t *testing.T) {
	p := newPlace(t, map[string]string{"result.json": found(theirSBOM)})
	p.merges("")
	if n := len(p.statement("result.json")["packages"].([]any)); n != 3 {
		t.Errorf("%d packages", n)
	}
}

func TestMergeRenamesElementsWhoseIDsAreTaken(t *testing.T) {
	theirs := strings.ReplaceAll(theirSBOM, "SPDXRef-found", "SPDXRef-image")
	theirs = strings.Replace(theirs, `"unknown"`, `"files": [{"SPDXID": "SPDXRef-image-packfile"}], "unknown"`, 1)
	p := newPlace(t, map[string]string{"sbom.json": found(theirs)})
	p.merges("")
	doc := p.statement("sbom.json")
	seen := map[any]bool{"SPDXRef-image-packfile": true}
	for _, p := range doc["packages"].([]any) {
		id := p.(object)["SPDXID"]
		if seen[id] {
			t.Errorf("%s is there twice", id)
		}
		seen[id] = true
	}
	last := doc["relationships"].([]any)[2].(object)
	if last["spdxElementId"] != "SPDXRef-image-packfile-packfile" || last["relatedSpdxElement"] != "SPDXRef-tool" {
		t.Errorf("%v", last)
	}
}

func TestMergeNamesTheGeneratorOfWhatIsNoSBOM(t *testing.T) {
	for content, want := range map[string]string{
		"":                              "no in-toto statement",
		"garbage":                       "no in-toto statement",
		"null":                          "no in-toto statement",
		"[]":                            "no in-toto statement",
		found(theirSBOM) + "x":          "no in-toto statement",
		strings.Repeat(`{"a":`, 100000): "no in-toto statement",
		`{"predicateType": ["` + strings.Repeat("x", 1000) + `"]}`: "predicateType",
		found("null"):                                                                       "no SPDX document",
		found(`{"spdxVersion": "SPDX-3.0"}`):                                                "SPDX-3.0",
		found(`{"spdxVersion": 2}`):                                                         "no SPDX document",
		found(`{"spdxVersion": "SPDX-2.3", "packages": {}}`):                                "packages",
		found(`{"spdxVersion": "SPDX-2.3", "relationships": 1}`):                            "relationships",
		found(`{"spdxVersion": "SPDX-2.3"}`):                                                "creationInfo",
		found(`{"spdxVersion": "SPDX-2.3", "creationInfo": {"creators": "me"}}`):            "creators",
		found(`{"spdxVersion": "SPDX-2.3", "creationInfo": {}, "packages": [1, null, []]}`): "",
	} {
		p := newPlace(t, map[string]string{"sbom.json": content})
		if want != "" {
			p.merges(`"sbom.json": `)
		}
		p.merges(want)
	}
	newPlace(t, nil).merges("it left no SBOM")
}

func TestMergeFollowsNoLinkAndReadsNothingTooLarge(t *testing.T) {
	p := newPlace(t, nil)
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	for _, err := range []error{os.WriteFile(elsewhere, []byte(found(theirSBOM)), 0o644), os.Symlink(elsewhere, filepath.Join(p.found, "sbom.json"))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	p.merges("it is no file")
	p = newPlace(t, map[string]string{"sbom.json": ""})
	if err := os.Truncate(filepath.Join(p.found, "sbom.json"), maxStatement+1); err != nil {
		t.Fatal(err)
	}
	p.merges("bytes")
}
