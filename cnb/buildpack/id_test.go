package buildpack

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/packfile/frontend/node"
)

func TestIDsAndVersionsThatAreRefused(t *testing.T) {
	for _, test := range []struct {
		what  string
		check node.Check
		good  []string
		bad   []string
	}{
		{"module id", CheckID,
			[]string{"node", "examples/node", "a.b-c/D/1"},
			[]string{"", "/a", "a/", "a//b", "..", "../a", "a/../b", "a_b", "a b", "app", "config", "generated", "sbom", strings.Repeat("a", 300)}},
		{"module version", CheckVersion, []string{"1.2.3", "dev"}, []string{"", "1/2", "..", ".1", "1 2", "1\n"}},
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
