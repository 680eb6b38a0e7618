package image

import (
	"slices"
	"strings"
	"testing"
	"time"

	digest "github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/cnb/label"
	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/step"
)

// packed is chain with packages in its image.
var packed = strings.Replace(chain, "[config]\n", "[config]\nrun-packages = [\"bb=1\", \"aa\"]\n", 1)

// onExact makes equal digests of the run image mean equal contents.
func onExact(in *testInput) { in.Run.Exact = true }

// packedImage returns the image of a packfile with packages, and its previous image.
func packedImage(t *testing.T, text string, change ...func(*testInput)) (*Image, testGraph, fact.Facts, func(*testInput)) {
	t.Helper()
	b := newBuild(t, text, append([]func(*testInput){exact, onExact}, change...)...)
	f := describeAll(b, answers(b), nil)
	img := b.image(t, f)
	f = describeParts(img, f)
	q := fact.Question{Layer: packagesPart, Kind: fact.Part}
	if a, asked := f[q]; asked {
		a.Packages = []step.Package{{Name: "a", Version: "7", Arch: "all", Distro: "debian"}, {Name: "b", Version: "1", Arch: "all", Distro: "debian"}}
		f[q] = a
	}
	f = describedAgain(t, b, img, f)
	cfg, err := b.config(t, img, f)
	if err != nil {
		t.Fatal(err)
	}
	cfg.RootFS.DiffIDs = []digest.Digest{digest.FromString("base"), digest.FromString(packagesPart)}
	for _, l := range b.Layers {
		if l.Export {
			cfg.RootFS.DiffIDs = append(cfg.RootFS.DiffIDs, digest.FromString(l.Name))
		}
	}
	return img, b, f, from(t, cfg)
}

// describedAgain answers what is left of an image under more facts, in which the SBOM has the packages.
func describedAgain(t *testing.T, b testGraph, img *Image, f fact.Facts) fact.Facts {
	t.Helper()
	again, err := img.Again(t.Context(), b.decided(t, f))
	if err != nil {
		t.Fatal(err)
	}
	return describeParts(again, f)
}

func TestPackagesAreOneLayerBelowAllOthersAndTheLabelNamesThem(t *testing.T) {
	img, b, f, _ := packedImage(t, packed)
	if first := img.layers[0]; first.part != packagesPart || first.origin != "run packages" || len(img.layers) < 2 {
		t.Errorf("%+v", first)
	}
	cfg, err := b.config(t, img, f)
	if err != nil {
		t.Fatal(err)
	}
	said, err := layerkey.ParseLabel(cfg.Config.Labels[layerkey.LabelName])
	if err != nil {
		t.Fatal(err)
	}
	r := said.RunPackages
	if r == nil || !slices.Equal(r.Parts.Names, []string{"aa", "bb=1"}) || r.DiffID != diffID(packagesPart) || len(r.Installed) != 2 || r.Owner != "1000:1000" {
		t.Fatalf("%+v", r)
	}
	if key, err := r.Parts.MakeKey(); err != nil || key != r.Key {
		t.Errorf("key %s, %v", r.Key, err)
	}
	if got := cfg.Config.Labels[label.Rebasable]; got != "false" {
		t.Errorf("rebasable is %q", got)
	}
	md, err := lifecycleMetadataOf(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range md.App {
		if l.SHA == r.DiffID {
			t.Error("the layer is one of the app's")
		}
	}
	if cfg, err := b.config(t, img, fact.Facts{}); err == nil {
		t.Errorf("before it is described, the label is %s", cfg.Config.Labels[layerkey.LabelName])
	}
	none, bare, f := newBuild(t, chain, exact, onExact), "", fact.Facts(nil)
	f = describeAll(none, answers(none), nil)
	plain := none.image(t, f)
	if cfg, err = none.config(t, plain, describeParts(plain, f)); err != nil {
		t.Fatal(err)
	}
	if bare = cfg.Config.Labels[layerkey.LabelName]; strings.Contains(bare, "ackages") {
		t.Errorf("without packages, the label is %s", bare)
	}
}

func TestWhetherPackagesAreReusedAndWhyNot(t *testing.T) {
	_, _, _, before := packedImage(t, packed)
	_, _, _, plain := packedImage(t, packed, func(in *testInput) { in.Run.Exact = false })
	with := func(names string) string { return strings.Replace(packed, `"bb=1", "aa"`, names, 1) }
	for name, test := range map[string]struct {
		text      string
		change    []func(*testInput)
		want, why string
	}{
		"nothing changed":         {packed, []func(*testInput){before, onExact}, "reused", ""},
		"another order of names":  {with(`"aa", "bb=1"`), []func(*testInput){before, onExact}, "reused", ""},
		"other names":             {with(`"aa", "cc"`), []func(*testInput){before, onExact}, "built", "package bb removed, package cc added"},
		"another version":         {with(`"aa", "bb=2"`), []func(*testInput){before, onExact}, "built", "package bb 1 -> 2"},
		"a refresh":               {strings.Replace(packed, "[config]\n", "[config]\napt.refresh = '1d'\n", 1), []func(*testInput){before, onExact}, "built", "refresh period of packages added"},
		"another run image":       {packed, []func(*testInput){before, onExact, func(in *testInput) { in.Run.Digest = "sha256:2" }}, "built", "run image sha256:"},
		"a run image that floats": {packed, []func(*testInput){before}, "built", "the run image has no digest"},
		"one that floated before": {packed, []func(*testInput){plain, onExact}, "built", "the previous image was built on a run image that has no digest"},
		"another time of files":   {packed, []func(*testInput){before, onExact, func(in *testInput) { in.Time = time.Unix(1, 0) }}, "reused", "downloaded and copied"},
		"no cache is wanted":      {packed, []func(*testInput){before, onExact, func(in *testInput) { in.NoCache = func(name string) bool { return name == container.RunPackages } }}, "built", "no cache is wanted"},
		"no previous image":       {packed, []func(*testInput){onExact}, "built", ""},
		"a previous image that has no layer that can be taken by reference": {packed, []func(*testInput){before, onExact, func(in *testInput) { in.Previous = in.Previous.Copied() }}, "built", "the previous image does not have it"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBuild(t, test.text, append([]func(*testInput){exact}, test.change...)...)
			e, err := ExplainPackages(b.decided(t, answers(b)), b.in)
			if err != nil {
				t.Fatal(err)
			}
			if string(e.Action) != test.want || !strings.HasPrefix(e.Why, test.why) || test.why == "" && e.Why != "" {
				t.Errorf("%s: %s", e.Action, e.Why)
			}
		})
	}
}

func TestPackagesThatAreReusedAreTakenByReferenceAndAskNothing(t *testing.T) {
	_, _, _, before := packedImage(t, packed)
	b := newBuild(t, packed, exact, onExact, before)
	f := answers(b)
	img := b.image(t, f)
	for q := range leftOf(img) {
		if q.Layer == packagesPart {
			t.Error("what was installed is asked")
		}
	}
	cfg, err := b.config(t, img, describeParts(img, f))
	if err != nil {
		t.Fatal(err)
	}
	said, err := layerkey.ParseLabel(cfg.Config.Labels[layerkey.LabelName])
	if err != nil || said.RunPackages.DiffID != diffID(packagesPart) || len(said.RunPackages.Installed) != 2 {
		t.Errorf("%+v %v", said.RunPackages, err)
	}
	if Reused(b.decided(t, f), b.in) == nil {
		t.Error("nothing is reused")
	}
}
