package node

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStringsThatAreRefused(t *testing.T) {
	for _, test := range []struct {
		what  string
		check Check
		good  []string
		bad   []string
	}{
		{"variable", VariableName,
			[]string{"PATH", "_x", "a1"}, []string{"", "1a", "A-B", "A B", "A=B", "A.B", "Ä"}},
		{"image", Word, []string{"node:22", "a@sha256:b"}, []string{"", " ", "a b", "a\n"}},
		{"sha", SHA256,
			[]string{strings.Repeat("a", 64), strings.Repeat("F", 64)},
			[]string{"", "a", "sha256:" + strings.Repeat("a", 64), strings.Repeat("g", 64), strings.Repeat("a", 64) + "\n"}},
		{"uri", WebAddress,
			[]string{"https://a.example/x", "http://a.example:8080/x?y=z", "https://a.example"},
			[]string{"", "a.example/x", "ftp://a.example/x", "file:///etc/passwd", "https:///x", "https://u@a.example/x", "https://u:p@a.example/x", "https://a\x7f.example", ":"}},
		{"file name", FileName, []string{"a", "a b", "größe"}, []string{"", ".", "..", ".a", "a/b", "a\n", strings.Repeat("a", 256)}},
		{"path", InsidePath, []string{"a", "./a", "a/b", "."}, []string{"", "/a", "..", "a/../b", `a\b`, "a\x00", strings.Repeat("a", 1025)}},
	} {
		for _, s := range test.good {
			problem, _ := test.check(s)
			require.Empty(t, problem, "%s %q", test.what, s)
		}
		for _, s := range test.bad {
			problem, _ := test.check(s)
			require.NotEmpty(t, problem, "%s %q", test.what, s)
		}
	}
}

func TestAWordThatIsNearlyOneOfFewValuesIsSuggested(t *testing.T) {
	check := OneOf("default", "none")
	problem, hint := check("non")
	require.Equal(t, "is not one of its values", problem)
	require.Equal(t, `did you mean "none"?`, hint)
	_, hint = check("anything")
	require.Equal(t, "one of default, none", hint)
	problem, _ = check("none")
	require.Empty(t, problem)
}
