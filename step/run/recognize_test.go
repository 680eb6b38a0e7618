package run

import (
	"fmt"
	"strings"
	"testing"

	"github.com/packfile/frontend/step"
)

func TestAnotherIdentityOfWhatSeemsToBeTheSameAppIsSaidOnce(t *testing.T) {
	b := newBox(t, step.KindRecognize)
	b.mkdir(step.KnownDir)
	recognize := func() string {
		t.Helper()
		o := b.run()
		if o.code != 0 {
			t.Fatal(o.stderr)
		}
		return o.stderr
	}
	const text = "packfile that means something else"
	for i, test := range []struct {
		identity string
		names    []string
		said     bool
	}{
		{"one", []string{"deps", "gen"}, false}, // new
		{"two", []string{"other"}, false},       // has nothing in common
		{"three", []string{"deps"}, true},
		{"three", []string{"deps"}, false},
		{"one", []string{"deps", "gen"}, false}, // back again
		{"four", nil, false},
	} {
		b.spec.Recognize = step.Recognize{Identity: test.identity, Names: test.names}
		if got := strings.Contains(recognize(), text); got != test.said {
			t.Errorf("build %d: said: %t", i, got)
		}
	}
	for i := range 2 * maxKnown {
		b.spec.Recognize.Identity = fmt.Sprint("more-", i)
		recognize()
	}
	if b.exists(step.KnownDir + "/one") {
		t.Error("all identities are remembered for ever")
	}
}
