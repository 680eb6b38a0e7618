package buildpack

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/node/nodetest"
)

func TestABuildpackTOMLSaysWhichModulesThereAre(t *testing.T) {
	for _, test := range []struct {
		name string
		data []byte
		want File
	}{
		{"of a composite", nodetest.Data(t, "composite.toml"), File{API: "0.10", Targets: []Target{{OS: "linux"}}, Buildpacks: []Info{
			{ID: "examples/java", Version: "8.1.0", Order: []Order{
				{Group: []Entry{{ID: "examples/ca", Version: "3.0.0", Optional: true}, {ID: "examples/jvm", Version: "9.0.0"}}},
				{Group: []Entry{{ID: "examples/graal", Version: "1.0.0"}}},
			}},
		}}},
		{"of a folder with several", nodetest.Data(t, "several.toml"), File{Buildpacks: []Info{
			{ID: "io.buildpacks.nodejs", Version: "0.0.9", Order: []Order{
				{Group: []Entry{{ID: "io.buildpacks.node", Version: "0.0.5"}, {ID: "io.buildpacks.npm", Version: "0.0.7"}}},
			}},
			{ID: "io.buildpacks.npm", Version: "0.0.7", Path: "npm-cnb"},
			{ID: "io.buildpacks.node", Version: "0.0.5"},
		}}},
		{"of an implementation", []byte("api = '0.99'\nbuildpack = { id = 'a', version = '1' }"),
			File{API: "0.99", Buildpacks: []Info{{ID: "a", Version: "1"}}}},
		{"of an implementation and what it is for", []byte("[buildpack]\nid = 'a'\nversion = '1'\nhomepage = 'h'\nclear-env = true\n" +
			"[[targets]]\n[[targets]]\nos = 'linux'\narch = 'arm'\nvariant = 'v7'\n[[targets.distros]]\nname = 'n'\nversion = '2'\n" +
			"[[stacks]]\nid = 's'\nmixins = ['m']\n[[stacks]]\nid = '*'"),
			File{
				Buildpacks: []Info{{ID: "a", Version: "1", Homepage: "h", ClearEnv: true}},
				Targets: []Target{{}, {
					OS: "linux", Arch: "arm", Variant: "v7", Distros: []Distro{{Name: "n", Version: "2"}},
				}},
				Stacks: []string{"s", "*"},
			}},
		{"of the folder itself", []byte("[[buildpacks]]\nid = 'a'\nversion = '1'\npath = './'"),
			File{Buildpacks: []Info{{ID: "a", Version: "1"}}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := Parse("buildpack.toml", test.data)
			require.NoError(t, err)
			require.Empty(t, cmp.Diff(&test.want, got, nodetest.NoPlaces))
		})
	}
}

func TestWhatBuildpacksAreFor(t *testing.T) {
	const one = "[buildpack]\nid = 'a'\nversion = '1'\n"
	for _, test := range []struct {
		name, text string
		want       []Target
	}{
		{"anything", one, nil},
		{"any stack", one + "[[stacks]]\nid = '*'", nil},
		{"stacks of which one can be anything", one + "[[stacks]]\nid = 'io.buildpacks.stacks.bionic'\n[[stacks]]\nid = '*'", nil},
		{"a stack that nobody knows", one + "[[stacks]]\nid = 'a'", nil},
		{"the stack that everybody knew", one + "[[stacks]]\nid = 'io.buildpacks.stacks.bionic'",
			[]Target{{OS: "linux", Arch: "amd64", Distros: []Distro{{Name: "ubuntu", Version: "18.04"}}}}},
		{"targets, whatever the stacks", one + "[[stacks]]\nid = 'io.buildpacks.stacks.bionic'\n[[targets]]\narch = 'arm64'",
			[]Target{{Arch: "arm64"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b, err := Parse("buildpack.toml", []byte(test.text))
			require.NoError(t, err)
			require.Empty(t, cmp.Diff(test.want, b.For(), nodetest.NoPlaces))
		})
	}
}

func TestErrorsInBuildpackTOMLs(t *testing.T) {
	_, err := Parse("buildpack.toml", nodetest.Data(t, "bad.toml"))
	nodetest.Golden(t, "bad.golden", nodetest.Complaints("", nil, err))

	const one = "[buildpack]\nid = 'a'\nversion = '1'\n"
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{"broken TOML", "[", []string{"1:1: invalid TOML"}},
		{"no module", "api = '0.10'", []string{`1:1: a buildpack.toml needs "buildpack"`}},
		{"an image extension", "[extension]\nid = 'a'", []string{`1:1: a buildpack.toml needs "buildpack"`}},
		{"an empty list of modules", "buildpacks = []", []string{"1:14: buildpacks: there is none"}},
		{"a list of modules that is none", "buildpacks = 1", []string{"1:14: buildpacks: expected an array of tables"}},
		{"a module that is none", "buildpack = 1", []string{"1:13: [buildpack] is a table, found an integer"}},
		{"both forms", "buildpacks = []\n" + one, []string{"1:14: there are buildpack and buildpacks (keep one)"}},
		{"an order of nobody", "[[order]]\ngroup = [{ id = 'a' }]\n[[buildpacks]]\nid = 'a'\nversion = '1'",
			[]string{"1:3: order belongs to one of the buildpacks (write [[buildpacks.order]])"}},
		{"no id", "[buildpack]\nversion = '1'", []string{`1:2: [buildpack] needs "id"`}},
		{"no version", "[buildpack]\nid = 'a'", []string{`1:2: [buildpack] needs "version"`}},
		{"an id that leaves its folder", "[buildpack]\nid = 'a/..'\nversion = '1'", []string{`2:6: id: "a/.." leaves the folder`}},
		{"a version that leaves its folder", "[buildpack]\nid = 'a'\nversion = '../1'", []string{`3:11: version: "../1" begins with a dot`}},
		{"an API that is none", "api = '1'\n" + one, []string{`1:7: api: "1" is not a Buildpack API version (MAJOR.MINOR, as in "0.10")`}},
		{"an order without group", one + "[[order]]", []string{`4:3: an order needs "group"`}},
		{"an empty group", one + "[[order]]\ngroup = []", []string{"5:9: group: an order names at least one module"}},
		{"an entry without id", one + "[[order]]\ngroup = [{ version = '1' }]", []string{`5:10: an entry of a group needs "id"`}},
		{"an entry with an id that is none", one + "[[order]]\ngroup = [{ id = '..' }]", []string{`5:17: id: ".." leaves`}},
		{"the same module twice", "[[buildpacks]]\nid = 'a'\nversion = '1'\n[[buildpacks]]\nid = 'a'\nversion = '1'",
			[]string{`5:6: buildpack "a@1" is already defined on line 2`}},
		{"a path that leaves its folder", "[[buildpacks]]\nid = 'a'\nversion = '1'\npath = 'a/../..'", []string{`4:8: path: "a/../.." leaves its folder`}},
		{"an absolute path", "[[buildpacks]]\nid = 'a'\nversion = '1'\npath = '/a'", []string{`4:8: path: "/a" is absolute`}},
		{"a path and an order", "[[buildpacks]]\nid = 'a'\nversion = '1'\npath = 'a'\norder = [{ group = [{ id = 'b' }] }]",
			[]string{"5:9: a buildpack has path or order, not both (keep one)"}},
		{"an environment that is neither cleared nor not", one + "clear-env = 'yes'", []string{"4:13: clear-env: expected a boolean"}},
		{"targets that are none", one + "[targets]\nos = 'linux'", []string{"4:2: targets: expected an array of tables"}},
		{"a target whose name is none", one + "[[targets]]\nos = 1", []string{"5:6: os: expected a string"}},
		{"a distribution that is none", one + "[[targets]]\ndistros = ['ubuntu']", []string{"5:12: a distribution is a table"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b, err := Parse("buildpack.toml", []byte(test.text))
			nodetest.RequireErrors(t, err, test.want...)
			require.Nil(t, b)
		})
	}
}

func TestABuildpackTOMLThatIsTooLargeIsRefused(t *testing.T) {
	_, err := Parse("buildpack.toml", make([]byte, node.MaxSize+1))
	require.EqualError(t, err, "buildpack.toml:1:1: a buildpack.toml has at most 4 MiB, this one has 4194305 bytes")
}
