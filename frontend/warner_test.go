package frontend

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	gw "github.com/moby/buildkit/frontend/gateway/client"

	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/packfile"
)

// recorded returns a warner, and functions that return what it shows and notes.
func recorded(asked bool) (w *warner, shown, noted func() []string) {
	var mu sync.Mutex
	var shows, notes []string
	add := func(to *[]string, text string) {
		mu.Lock()
		defer mu.Unlock()
		*to = append(*to, text)
	}
	w = &warner{
		show:  func(_ context.Context, message string, _ gw.WarnOpts) { add(&shows, message) },
		note:  func(_ context.Context, name string) error { add(&notes, name); return context.Canceled },
		asked: asked,
	}
	return w, func() []string { return shows }, func() []string { return notes }
}

func TestAWarningThatComesLateIsInTheLogToo(t *testing.T) {
	w, shown, noted := recorded(false)
	w.warn(t.Context(), "message", "detail") // that it cannot be noted is no error
	want := []string{"message"}
	if !cmp.Equal(want, shown()) || !cmp.Equal(want, noted()) {
		t.Errorf("%q, %q", shown(), noted())
	}
}

func TestWhatSeveralPlatformsSayOfPatternsIsSaidOnce(t *testing.T) {
	at := func(line int, message string) node.Diagnostic {
		return node.Diagnostic{Message: message, Range: node.Range{Start: node.Position{Line: line, Column: 2}}}
	}
	for _, asked := range []bool{false, true} {
		w, shown, _ := recorded(asked)
		var platforms sync.WaitGroup
		for range 4 {
			platforms.Go(func() {
				w.warnOnce(t.Context(), "packfile.toml", []node.Diagnostic{at(1, "nothing matches x"), at(2, "nothing matches x")})
			})
		}
		platforms.Wait()
		if len(w.patternSays.list) != 2 {
			t.Errorf("%q are kept for the answer", w.patternSays.list)
		}
		if want := 2; asked && len(shown()) != 0 || !asked && len(shown()) != want {
			t.Errorf("asked: %t, and %q are shown", asked, shown())
		}
	}
}

func TestWhyThePreviousImageIsNotUsedIsOneLine(t *testing.T) {
	for _, asked := range []bool{false, true} {
		w, shown, _ := recorded(asked)
		w.warnPrevious(t.Context(), "it is\nno  image")
		want := []string{"previous image: it is no image"}
		if diff := cmp.Diff(want, w.previousSays.list); diff != "" {
			t.Error(diff)
		}
		if asked == cmp.Equal(want, shown()) {
			t.Errorf("asked: %t, and %q are shown", asked, shown())
		}
	}
}

func TestOfDepsWithoutAChecksumABuildSaysMoreLater(t *testing.T) {
	w, shown, _ := recorded(false)
	w.warnAbout(t.Context(), "m/packfile.toml", []node.Diagnostic{{Message: "a", Rule: packfile.UnpinnedDep.Name}, {Message: "b", Rule: packfile.OldWord.Name}})
	if len(shown()) != 1 || !strings.HasPrefix(shown()[0], "m/packfile.toml:0: b") {
		t.Errorf("%q", shown())
	}
}
