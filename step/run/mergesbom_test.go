package run

import (
	"strings"
	"testing"

	"github.com/packfile/frontend/step"
)

func TestMergeNamesTheGeneratorOfWhatIsNoSBOM(t *testing.T) {
	b := newBox(t, step.KindMergeSBOM)
	b.spec.Layer, b.spec.Generator = "", "example/scanner"
	b.write(step.SpecDir+"/"+step.SBOMFile, `{"creationInfo": {}}`)
	b.write(step.FoundDir+"/sbom.json", "garbage")
	b.fail(1, `SBOM generator example/scanner: "sbom.json": it is no in-toto statement`)
	b.write(step.FoundDir+"/sbom.json", `{"predicateType": "https://spdx.dev/Document", "predicate": {"spdxVersion": "SPDX-2.3", "creationInfo": {}, "name": "theirs"}}`)
	if out := b.run(); out.code != 0 || !strings.Contains(b.read(step.OutDir+"/"+step.MergedDir+"/sbom.json"), `"name":"theirs"`) {
		t.Errorf("%+v", out)
	}
}
