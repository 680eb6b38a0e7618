package image

import (
	"slices"
	"testing"

	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/step"
)

// shaped changes the app after tested did, and seen looks into shaped.
const shaped = `
[config]
shell = "/bin/sh"
[[layers]]
name = "tested"
[layers.build]
lock-app = true
[layers.build.test]
inline = "x"
[layers.build.run]
inline = "x"
[[layers]]
name = "shaped"
version = "1"
[layers.build]
lock-app = true
[layers.build.run]
inline = "x"
[[layers]]
name = "seen"
export = true
version = "1"
[layers.build.run]
inline = "x"
[[layers.build.links]]
name = "shaped"
`

// A layer that changes the app runs on the app as earlier such layers left it: its content is not known before it is known what
// becomes of them.
func TestALayerThatChangesTheAppIsNotBuiltBeforeThoseThatChangeItBefore(t *testing.T) {
	b := newBuild(t, shaped, from(t, imageOf(t, shaped)))
	d := b.decided(t, fact.Facts{})
	test, built := fact.Question{Layer: "tested", Kind: fact.Tested}, fact.Question{Layer: "shaped", Kind: fact.Built}
	if qs := d.Questions(); !slices.Equal(qs, []fact.Question{test}) {
		t.Fatalf("asked %v", qs)
	}
	d, err := d.With(fact.Facts{test: {Result: step.Result{Metadata: metadata.Table{"version": "1"}}}})
	if err != nil {
		t.Fatal(err)
	}
	if qs := d.Questions(); !slices.Equal(qs, []fact.Question{built}) {
		t.Fatalf("then asked %v", qs)
	}
}
