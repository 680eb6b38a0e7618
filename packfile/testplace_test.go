package packfile

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/packfile/frontend/node"
)

func TestEveryConditionOfATestHasItsPlace(t *testing.T) {
	pf := mustParse(t, `[[tests]]
name = "a"
command = "true"
exit-code = 1
stdout = { equal = "a", matches = ["b", "c"] }
stderr.contains = ["d"]
files = [
	{ path = "e", mode = "0644", content = { contains = ["f", "g"] } },
	{ path = "h" },
]
[[tests]]
name = "b"
process = "web"
[[tests]]
name = "c"
files = [{ path = "i" }]
`)
	for key, want := range map[string]node.Position{
		"":                           {Line: 3, Column: 11},
		"timeout":                    {Line: 3, Column: 11},
		"exit-code":                  {Line: 4, Column: 13},
		"stdout":                     {Line: 5, Column: 10},
		"stdout.equal":               {Line: 5, Column: 20},
		"stdout.matches.1":           {Line: 5, Column: 41},
		"stderr.contains.0":          {Line: 6, Column: 20},
		"files.0.path":               {Line: 8, Column: 11},
		"files.0.mode":               {Line: 8, Column: 23},
		"files.0.content":            {Line: 8, Column: 41},
		"files.0.content.contains.1": {Line: 8, Column: 60},
		"files.1.exists":             {Line: 9, Column: 2},
		"files.2.path":               {Line: 7, Column: 9},
		"files.x":                    {Line: 7, Column: 9},
		"unknown.key":                {Line: 3, Column: 11},
	} {
		require.Equal(t, want, pf.Tests[0].Place(key).Start, key)
	}
	require.Equal(t, 13, pf.Tests[1].Place("exit-code").Start.Line)
	require.Equal(t, 16, pf.Tests[2].Place("files.0.path").Start.Line)
	require.Equal(t, 14, pf.Tests[2].Place("").Start.Line)
}

func TestATestRunsOnlyProcessesThatTheImageHas(t *testing.T) {
	const test = "[[tests]]\nname = 'a'\nprocess = 'wbe'\n"
	require.Empty(t, UnknownProcesses(mustParse(t, "[[processes]]\ntype = 'wbe'\ncommand = 'a'\n"+test)))
	for _, c := range []struct{ before, hint string }{
		{"", "the image has no process"},
		{"[[processes]]\ntype = 'web'\ncommand = 'a'\n", "one of web"},
	} {
		found := UnknownProcesses(mustParse(t, c.before+test))
		require.Len(t, found, 1)
		require.Equal(t, `process: the image has no process "wbe"`, found[0].Message)
		require.Equal(t, c.hint, found[0].Hint)
	}
}
