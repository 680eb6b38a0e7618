package packfile

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAllScriptsAreFoundInTheOrderInWhichTheyRun(t *testing.T) {
	pf := mustParse(t, `
[[layers]]
name = "a"
require.inline = "1"
[[layers]]
name = "b"
[layers.provide]
run.path = "3"
test.inline = "2"
profile = [{ inline = "4" }, { path = "5" }]
[[layers]]
name = "c"
build.test.match = ["x"]
[[caches]]
name = "plain"
[[caches]]
name = "cache"
setup.inline = "0"
`)
	type script struct {
		text, of string
		kind     ScriptKind
	}
	var got []script
	for _, s := range pf.Scripts() {
		if s.Kind == SetupScript {
			require.Nil(t, s.Layer)
			got = append(got, script{s.Inline + s.Path, s.Cache.Name, s.Kind})
			continue
		}
		require.Nil(t, s.Cache)
		got = append(got, script{s.Inline + s.Path, s.Layer.Name, s.Kind})
	}
	require.Equal(t, []script{
		{"0", "cache", SetupScript}, {"1", "a", RequireScript}, {"2", "b", TestScript}, {"3", "b", RunScript},
		{"4", "b", ProfileScript}, {"5", "b", ProfileScript},
	}, got)
	pf.Scripts()[0].Inline = "changed"
	require.Equal(t, "changed", pf.Caches[1].Setup.Inline, "they are the packfile's own")
}

func TestSectionsThatReachSomethingAreFound(t *testing.T) {
	pf := mustParse(t, `
[[layers]]
name = "a"
require = { inline = "x", ssh = ["r"] }
[layers.provide]
ssh = ["p"]
test = { inline = "x", secrets = [{ id = "t", path-as = "T" }] }
[[layers]]
name = "b"
build = {}
`)
	sections := pf.Sections()
	require.Len(t, sections, 3)
	require.Equal(t, []string{"r"}, sections[0].SSH)
	require.Equal(t, []string{"p"}, sections[1].SSH)
	require.Equal(t, 6, sections[1].At("ssh").Start.Line)
	require.Equal(t, "t", sections[2].Secrets[0].ID)
	require.Len(t, pf.Access(), 3)
}
