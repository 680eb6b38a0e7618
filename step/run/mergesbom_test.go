package run

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packfile/frontend/step"
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

// newMergeBox is a container with what a generator left, by name of the file.
func newMergeBox(t *testing.T, files map[string]string) *box {
	b := newBox(t, step.MergeSBOM)
	b.spec.Layer, b.spec.Generator = "", "example/scanner"
	b.write(step.SpecDir+"/sbom.spdx.json", ourSBOM)
	b.mkdir(step.FoundDir)
	for name, content := range files {
		b.write(step.FoundDir+"/"+name, content)
	}
	return b
}

// merges runs the step, which must fail with this text, or not if there is none.
func (b *box) merges(text string) {
	b.t.Helper()
	out := b.run()
	if (out.code != 0) != (text != "") || !strings.Contains(out.stderr, text) || len(out.stderr) > 500 {
		b.t.Errorf("exit code %d, want %q\n%.1000s", out.code, text, out.stderr)
	}
}

// merged is the predicate that a merge left in a file.
func (b *box) merged(name string) object {
	b.t.Helper()
	var statement object
	b.must(json.Unmarshal([]byte(b.read(step.OutDir+"/"+step.MergedDir+"/"+name)), &statement))
	return statement["predicate"].(object)
}

const theirSBOM = `{"spdxVersion": "SPDX-2.2", "SPDXID": "SPDXRef-DOCUMENT", "documentNamespace": "https://example.com/1", "unknown": [12345678901234567890],
 "creationInfo": {"creators": ["Tool: scan"], "created": "2020-01-01T00:00:00Z"},
 "packages": [{"SPDXID": "SPDXRef-found", "name": "found"}],
 "relationships": [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-found"}]}`

func TestMergeAddsOurPackagesAndKeepsTheirs(t *testing.T) {
	other := found(`{"spdxVersion": "SPDX-2.3", "name": "another"}`)
	b := newMergeBox(t, map[string]string{"a.json": other, "sbom.spdx.json": found(theirSBOM)})
	b.merges("")
	doc := b.merged("sbom.spdx.json")
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
	if text := b.read(step.OutDir + "/sbom/sbom.spdx.json"); !strings.Contains(text, "12345678901234567890") || !strings.Contains(text, "1.50") {
		t.Errorf("numbers are changed: %s", text)
	}
	if got := b.read(step.OutDir + "/sbom/a.json"); got != other {
		t.Errorf("the document about something else is now %s", got)
	}
}

func TestMergeGoesIntoTheOnlyDocumentWhateverItIsCalled(t *testing.T) {
	b := newMergeBox(t, map[string]string{"result.json": found(theirSBOM)})
	b.merges("")
	if n := len(b.merged("result.json")["packages"].([]any)); n != 3 {
		t.Errorf("%d packages", n)
	}
}

func TestMergeRenamesElementsWhoseIDsAreTaken(t *testing.T) {
	theirs := strings.ReplaceAll(theirSBOM, "SPDXRef-found", "SPDXRef-image")
	theirs = strings.Replace(theirs, `"unknown"`, `"files": [{"SPDXID": "SPDXRef-image-packfile"}], "unknown"`, 1)
	b := newMergeBox(t, map[string]string{"sbom.json": found(theirs)})
	b.merges("")
	doc := b.merged("sbom.json")
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
		b := newMergeBox(t, map[string]string{"sbom.json": content})
		if want != "" {
			b.merges(`SBOM generator example/scanner: "sbom.json": `)
		}
		b.merges(want)
	}
	newMergeBox(t, nil).merges("SBOM generator example/scanner: it left no SBOM")
}

func TestMergeFollowsNoLinkAndReadsNothingTooLarge(t *testing.T) {
	b := newMergeBox(t, nil)
	b.write("/elsewhere", found(theirSBOM))
	b.symlink(b.path("/elsewhere"), step.FoundDir+"/sbom.json")
	b.merges("it is no file")
	b = newMergeBox(t, map[string]string{"sbom.json": ""})
	b.must(os.Truncate(b.path(step.FoundDir+"/sbom.json"), maxStatement+1))
	b.merges("bytes")
}
