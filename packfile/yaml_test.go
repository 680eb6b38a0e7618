package packfile

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/packfile/frontend/node/nodetest"
)

func TestAScalarOfYAMLIsItsTextWhereAStringIsWanted(t *testing.T) {
	for _, text := range []string{
		"0.2", "2.7", "1.10", "10", "0x10", "0o17", "1_000", "1e3", ".inf", "-1", "true", "True", "FALSE", "2020-01-01",
		"2020-01-01T00:00:00Z", strings.Repeat("0123456789", 6) + "0123",
	} {
		pf, _, err := Parse("packfile.yaml", []byte("config: { name: "+text+" }"))
		require.NoError(t, err)
		require.Equal(t, text, pf.Config.Name)
	}
}

func TestAScalarOfYAMLIsItsTextInEveryPlaceOfAString(t *testing.T) {
	// <…> is a scalar: bare in one packfile, quoted in the other.
	text := `
api: <0.2>
config:
  id: <1>
  version: <1.10>
  description: <2>
  licenses: [<0>]
  labels: { a: <1.0>, b: <true> }
  shell: <3>
  buildImage: <4>
  runImage: <5>
  launcher: <6>
  user: <1000>
processes:
- type: <1>
  command: [<2>, <3.0>, <true>]
  args: [<80>, <false>]
  direct: true
  workingDir: <7>
- type: <2>
  command: <8080>
caches:
- name: <3>
  setup: { inline: <0x10>, shell: <1> }
layers:
- name: <1>
  version: <2.70>
  metadata: { a: <1.50>, b: { c: <true> } }
  require: { inline: <100> }
  provide:
    inputs: [<1>, <2.0>]
    secrets: [{ id: <1>, envAs: A }]
    ssh: [<1>]
    test: { inline: <1>, refresh: <24h> }
    run: { path: <7>, shell: <8> }
    deps: [{ name: <1>, version: <2.70>, uri: <https://example.com/1>, sha: <` + strings.Repeat("01234567", 8) + `>, metadata: { year: <2020-01-01> } }]
    env: { both: [{ name: A, value: <1.0>, delim: <0> }] }
    profile: [{ inline: <1> }]
- name: <2>
  build: { test: { match: [<3>] }, links: [{ name: <1> }, { name: <3> }] }
slices: [{ paths: [<4>] }]
stacks: [{ id: <5>, mixins: [<6>] }]
buildpacks: [{ id: <7>, version: <1.0>, uri: <8> }]
order: [{ group: [{ id: <7>, version: <1.0> }] }]
`
	parse := func(quote string) *Packfile {
		pf, _, err := Parse("packfile.yaml", []byte(strings.NewReplacer("<", quote, ">", quote).Replace(text)))
		require.NoError(t, err)
		return pf
	}
	require.Empty(t, cmp.Diff(parse(`"`), parse(""), nodetest.NoPlaces))
}
