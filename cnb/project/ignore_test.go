package project

import (
	"strings"
	"testing"

	"github.com/moby/patternmatcher"
	"github.com/stretchr/testify/require"

	"github.com/packfile/frontend/node"
)

// TestPatternsOfGitignoreMatchTheSameFilesAsDockerignore has as matches what git check-ignore says about the files.
func TestPatternsOfGitignoreMatchTheSameFilesAsDockerignore(t *testing.T) {
	for _, test := range []struct {
		name, pattern, want string
		matches, others     string // files, between blanks
	}{
		{"a name", "foo", "**/foo", "foo foo/a x/foo x/foo/y", "foo1 x/foo.log"},
		{"a name with a wildcard", "*.log", "**/*.log", "a.log x/a.log .log", "a.logs"},
		{"a folder", "foo/", "**/foo/**", "foo/a x/foo/y/z", "foo x/foo"},
		{"a name at the top", "/foo", "foo", "foo foo/a", "x/foo foo1"},
		{"a folder at the top", "/foo/", "foo/**", "foo/a foo/a/b", "foo x/foo/a"},
		{"a path", "a/foo", "a/foo", "a/foo a/foo/b", "x/a/foo foo"},
		{"a path to a folder", "a/foo/", "a/foo/**", "a/foo/b", "a/foo x/a/foo/b"},
		{"any folder before a name", "**/foo", "**/foo", "foo a/b/foo", "a/foo1"},
		{"any folder before a path", "**/a/foo", "**/a/foo", "a/foo x/y/a/foo", "foo"},
		{"all in a folder", "foo/**", "foo/**", "foo/a foo/a/b", "foo x/foo/a"},
		{"any folder within", "a/**/b", "a/**/b", "a/b a/x/y/b", "a/xb b"},
		{"many asterisks in a name", "a**b", "**/a*b", "ab x/acb", "a/b"},
		{"only asterisks", "**", "**/*", "a a/b", ""},
		{"only folders", "**/", "**/*/**", "a/b a/b/c", "a"},
		{"folders somewhere in a folder", "a/**/", "a/**/*/**", "a/b/c", "a/b"},
		{"a question mark", "a?c", "**/a?c", "abc x/abc", "a/c ac"},
		{"a class", "[ab]c", "**/[ab]c", "ac x/bc", "cc"},
		{"a negated class", "a[!b]c", "**/a[^/b]c", "aac x/acc", "abc a/c"},
		{"a negated class in the other form", "a[^b]c", "**/a[^/b]c", "aac", "abc a/c"},
		{"a class with a bracket", "[]a]c", `**/[\]a]c`, "]c ac", "bc"},
		{"a negated class with a bracket", "[!]a]c", `**/[^/\]a]c`, "bc", "]c ac x/c"},
		{"a quoted asterisk", `a\*`, `**/a\*`, "a* x/a*", "ab"},
		{"a quoted asterisk before another", `a\**`, `**/a\**`, "a* a*b", "ab"},
		{"a quoted bracket", `\[!b]`, `**/\[!b]`, "[!b]", "a"},
		{"a quoted hash", `\#a`, `**/\#a`, "#a x/#a", "a"},
		{"a quoted exclamation mark", `\!a`, `**/\!a`, "!a x/!a", "a"},
		{"an exclamation mark at the top", "/!a", `\!a`, "!a", "a x/!a"},
		{"a hash at the top", "/#a", `\#a`, "#a", "a"},
		{"a dot in front", "./foo", "foo", "foo", "x/foo"},
		{"blanks at the end", "foo  ", "**/foo", "foo", ""},
		{"a comment", "# foo", "", "", "foo #"},
		{"an exception", "!foo", "!**/foo", "", "foo"},
		{"an exception at the top", "!/foo/", "!foo/**", "", "foo/a"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, problem, _ := fromGitignore(test.pattern)
			require.Empty(t, problem)
			require.Equal(t, test.want, got)
			m, err := patternmatcher.New([]string{got})
			require.NoError(t, err)
			check := func(files string, want bool) {
				for _, file := range strings.Fields(files) {
					matches, err := m.MatchesOrParentMatches(file)
					require.NoError(t, err)
					require.Equal(t, want, matches, file)
				}
			}
			check(test.matches, true)
			check(test.others, false)
		})
	}
	for pattern, file := range map[string]string{`a\ `: "a ", "/ a": " a", `/a\ `: "a "} {
		got, _, _ := fromGitignore(pattern)
		m, err := patternmatcher.New([]string{got})
		require.NoError(t, err)
		matches, err := m.MatchesOrParentMatches(file)
		require.NoError(t, err)
		require.True(t, matches, "%q became %q", pattern, got)
	}
}

func TestPatternsOfGitignoreThatAreNone(t *testing.T) {
	for pattern, want := range map[string]string{
		"": "is empty", "  ": "is empty", "/": "is empty", "!": "is empty", "../a": node.LeavesFolder, "a/../b": node.LeavesFolder, "!../a": node.LeavesFolder,
		"//a": "is absolute", "a\n": "holds a control character", `a\`: "holds a backslash", "[a": "is not a valid pattern",
		".": "is not a valid pattern", "./": "is not a valid pattern", strings.Repeat("a", 1025): "is 1025 bytes long",
	} {
		_, problem, _ := fromGitignore(pattern)
		require.Equal(t, want, problem, "%q", pattern)
	}
}
