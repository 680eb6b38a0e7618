package image

import (
	"bytes"
	"encoding/json"
	"maps"
	"path"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/graph"
	"github.com/packfile/frontend/group"
	"github.com/packfile/frontend/internal/testbed"
	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/step"
)

var shipped = testbed.Packfile(
	testbed.Config("id", "acme/app", "shell", "/bin/sh"),
	testbed.Layer("inside").Version("1").Run("x"),
	testbed.Layer("tool").Version("1").Export().Run("x").Link("inside"),
	testbed.Provided("user").Export().Require("x").Run("x").Link("tool"),
)

// filesOf returns the files of the SBOM under some facts.
func filesOf(d *graph.Decisions) (map[string][]byte, error) {
	im, _ := SBOM(d)
	return sbomFiles(sbomModules(d), im, d.Time)
}

func built(md metadata.Table) fact.Answer { return fact.Answer{Result: step.Result{Metadata: md}} }

func TestSBOMIsOfTheLayersInTheImageAndNotKnownBeforeTheyAreDescribed(t *testing.T) {
	b := newBuild(t, shipped)
	f := answers(b)
	d := b.decided(t, f)
	if _, known := SBOM(d); known {
		t.Error("it is known before the layers are")
	}
	if document, err := TargetDocument(d); document != nil || err != nil {
		t.Errorf("%s %v", document, err)
	}
	guessed, err := filesOf(d)
	if err != nil {
		t.Fatal(err)
	}
	for _, layer := range []string{"acme/app/inside", "acme/app/tool", "acme/app/user"} {
		f[fact.Question{Layer: layer, Kind: fact.Built}] = built(d.Metadata(b.byID(layer)))
	}
	if files, err := filesOf(b.decided(t, f)); err != nil || !maps.EqualFunc(files, guessed, bytes.Equal) {
		t.Errorf("run steps that add nothing give other files than were expected: %v", err)
	}
	for _, layer := range []string{"acme/app/inside", "acme/app/tool", "acme/app/user"} {
		f[fact.Question{Layer: layer, Kind: fact.Built}] = built(metadata.Table{"version": "1", "license": "MIT", "of": path.Base(layer)})
	}
	d = b.decided(t, f)
	im, known := SBOM(d)
	if !known {
		t.Fatal("it is not known")
	}
	var got []string
	for _, l := range im.Layers {
		got = append(got, l.Name+" "+l.Metadata["of"].(string)+" links "+string(must(json.Marshal(l.Links))))
	}
	if diff := cmp.Diff([]string{"tool tool links null", `user user links ["tool"]`}, got); diff != "" || im.Name != "acme/app" {
		t.Errorf("%s %s", im.Name, diff)
	}
	files, err := filesOf(d)
	if err != nil {
		t.Fatal(err)
	}
	dir := "/layers/sbom/launch/acme_app/"
	want := []string{dir + "sbom.spdx.json", dir + "tool/sbom.spdx.json", dir + "user/sbom.spdx.json"}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(files))); diff != "" {
		t.Error(diff)
	}
	document, err := TargetDocument(d)
	if err != nil || !bytes.Equal(document, files[dir+"sbom.spdx.json"]) {
		t.Errorf("what is attested is not what the image says: %v", err)
	}
	target := newBuild(t, shipped, func(in *testInput) { in.Target = "inside" })
	if im, known = SBOM(target.decided(t, f)); !known || len(im.Layers) != 1 || im.Layers[0].Name != "inside" {
		t.Errorf("%+v %t", im, known)
	}
}

func TestSBOMHasNoLayerThatIsNotCreated(t *testing.T) {
	f := fact.Facts{{Layer: "acme/app/user", Kind: fact.Required}: {Result: step.Result{Asked: step.Asked{NotWanted: true}}}, {Layer: "acme/app/tool", Kind: fact.Built}: built(nil), {Layer: "acme/app/inside", Kind: fact.Built}: built(nil)}
	b := newGraph(t, []string{shipped}, func(*group.Detector) fact.Facts { return f })
	im, known := SBOM(b.decided(t, f))
	if !known || len(im.Layers) != 1 || im.Layers[0].Name != "tool" {
		t.Errorf("%+v %t", im, known)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
