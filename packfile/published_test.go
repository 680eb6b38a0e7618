package packfile

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/node/nodetest"
)

// published are the packfiles in testdata/published by the name of their folder.
func published(t *testing.T) map[string]*Packfile {
	t.Helper()
	found, err := filepath.Glob("testdata/published/*/packfile.*")
	require.NoError(t, err)
	require.NotEmpty(t, found)
	all := map[string]*Packfile{}
	var said strings.Builder
	for _, name := range found {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		folder := filepath.Base(filepath.Dir(name))
		pf, warnings, err := Parse(name, data)
		require.NoError(t, err)
		all[folder] = pf
		fmt.Fprintf(&said, "%s\n%s\n", folder, nodetest.Complaints(filepath.Base(name), warnings, nil))
	}
	nodetest.Golden(t, "published/golden.txt", said.String())
	return all
}

func TestEveryPublishedShapeIsReadAndLintSaysOnlyWhatIsOld(t *testing.T) {
	all := published(t)
	for toml, yaml := range map[string]string{"npm-toml": "npm-yaml", "node-engine-toml": "node-engine-yaml"} {
		require.Empty(t, cmp.Diff(all[toml], all[yaml], nodetest.NoPlaces), "both formats say the same")
	}
	// Each of them starts the app by a line for a shell.
	for _, name := range []string{"2019-09-01", "2019-09-11", "2020-02", "nodejs", "npm-toml", "npm-yaml"} {
		require.Equal(t, []Process{{Type: "web", Command: []string{"npm start"}}}, withoutPlaces(all[name].Processes), name)
	}
	marked := map[string]bool{}
	for name, pf := range all {
		for _, l := range pf.Layers {
			if l.Provide != nil && l.Provide.Run.InLayer {
				marked[name+" "+l.Name] = true
			}
		}
	}
	require.Equal(t, map[string]bool{"2019-09-01 nodejs": true, "2019-09-11 nodejs": true, "2019-12 server": true}, marked)
	versions := []string{}
	for _, d := range all["ruby"].Layers[0].Provide.Deps {
		versions = append(versions, d.Version+" "+d.SHA[:2])
	}
	require.Equal(t, []string{"2.7 27", "2.6 26", "2.5 25"}, versions)
}

// withoutPlaces is processes without their places.
func withoutPlaces(processes []Process) (bare []Process) {
	for _, p := range processes {
		p.Table = node.Table{}
		bare = append(bare, p)
	}
	return bare
}
