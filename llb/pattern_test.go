package llb

import (
	"testing"

	"github.com/moby/patternmatcher"
	"github.com/stretchr/testify/require"
)

// hardPaths are paths that hold what is special in patterns.
var hardPaths = []string{
	"a", "a/b.sh", "[a].sh", "a]", "*", "**/x", "?", "!a", "!", "a!", "a/!b", " a", "a ", " ", "a b", "#a", "^a*", "a^[b", `a\b`, `\`, `a\`,
	"{a,b}", "(a|b)", "$a.+", "a/[b]/*", "\u00a0a\u2003", "é*", "[!a]", "[^a]", "a-[b-c]",
}

// otherPaths are what a pattern would match if it was one.
var otherPaths = []string{"a.sh", "x", "b", "ab", "a/b/c", "aa", "b/x/x", "a/b", "a|b", "c", "d", "-"}

func TestALiteralPatternMatchesItsPathAndNoOther(t *testing.T) {
	for _, path := range hardPaths {
		for _, other := range append(otherPaths, hardPaths...) {
			got, err := patternmatcher.MatchesOrParentMatches(other, []string{Literal(path)})
			require.NoError(t, err, path)
			want := other == path || len(other) > len(path) && other[:len(path)+1] == path+"/"
			require.Equal(t, want, got, "%q matches %q, as %q", path, other, Literal(path))
		}
	}
}

func TestASimilarPatternMatchesItsPath(t *testing.T) {
	for _, path := range hardPaths {
		got, err := patternmatcher.MatchesOrParentMatches(path, []string{Similar(path)})
		require.NoError(t, err, path)
		require.True(t, got, "%q, as %q", path, Similar(path))
	}
	require.Equal(t, "scripts/b.sh", Similar("scripts/b.sh"))
}
