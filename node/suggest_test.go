package node

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNearWordsAreSuggested(t *testing.T) {
	words := []string{"name", "export", "expose", "path-as", "lock-app"}
	for wrong, want := range map[string]string{
		"exprot": "export", "exposed": "expose", "pathAs": "path-as", "path_as": "path-as", "LOCKAPP": "lock-app", "nam": "name",
		"x": "", "colour": "", "version": "", strings.Repeat("name", 100): "",
	} {
		require.Equal(t, want, nearest(wrong, words), wrong)
	}
}
