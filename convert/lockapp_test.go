package convert

import (
	"slices"
	"testing"

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

// A layer that changes the app runs on the app as those before left it: what it leaves is not known before what becomes of them.
func TestALayerThatChangesTheAppIsNotBuiltBeforeThoseThatChangeItBefore(t *testing.T) {
	b := newBuild(t, shaped, from(t, imageOf(t, shaped)))
	d := b.decided(t, Facts{})
	test, built := Question{"tested", Tested}, Question{"shaped", Built}
	if qs := d.Questions(); !slices.Equal(qs, []Question{test}) {
		t.Fatalf("asked %v", qs)
	}
	d, err := d.With(Facts{test: {Result: step.Result{Metadata: map[string]any{"version": "1"}}}})
	if err != nil {
		t.Fatal(err)
	}
	if qs := d.Questions(); !slices.Equal(qs, []Question{built}) {
		t.Fatalf("then asked %v", qs)
	}
}
