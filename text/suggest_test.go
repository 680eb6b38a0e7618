package text

import (
	"strings"
	"testing"
)

func TestNearWordsAreSuggested(t *testing.T) {
	words := []string{"name", "export", "expose", "path-as", "lock-app"}
	for wrong, want := range map[string]string{
		"exprot": "export", "exposed": "expose", "pathAs": "path-as", "path_as": "path-as", "LOCKAPP": "lock-app", "nam": "name",
		"x": "", "": "", "colour": "", "version": "", strings.Repeat("name", 100): "",
	} {
		if want != "" {
			want = `did you mean "` + want + `"?`
		}
		if got := DidYouMean(wrong, words); got != want {
			t.Errorf("%q: %q, want %q", wrong, got, want)
		}
	}
}
