package packfile

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/node/nodetest"
)

func TestModulesAndTheirOrder(t *testing.T) {
	const sha = `sha = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"`
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{"an id", "[[buildpacks]]\nid = 'a/b'", nil},
		{"an id with a version", "[[buildpacks]]\nid = 'a/b'\nversion = '1'", nil},
		{"a uri", "[[buildpacks]]\nuri = 'modules/a'", nil},
		{"a uri with id and version", "[[buildpacks]]\nid = 'a'\nversion = '1'\nuri = 'docker://registry.example.com/a'", nil},
		{"secrets and agents", "[[buildpacks]]\nuri = 'modules/a'\nsecrets = ['a', 'b']\nssh = ['default']", nil},
		{"a secret that is none", "[[buildpacks]]\nuri = 'modules/a'\nsecrets = ['a/b']", []string{`3:12: secrets: "a/b" holds a '/'`}},
		{"a secret that is given twice", "[[buildpacks]]\nuri = 'modules/a'\nsecrets = ['a', 'a']",
			[]string{`3:17: secret "a" is already defined on line 3`}},
		{"an agent that is given twice", "[[buildpacks]]\nuri = 'modules/a'\nssh = ['a', 'a']",
			[]string{`3:13: ssh agent "a" is already defined on line 3`}},
		{"a secret as in a section", "[[buildpacks]]\nuri = 'modules/a'\nsecrets = [{ id = 'a' }]",
			[]string{`3:12: secrets: expected an array of strings`}},
		{"an archive with its sha", "[[buildpacks]]\nuri = 'https://example.com/a.tgz'\n" + sha, nil},
		{"no id and no uri", "[[buildpacks]]\nversion = '1'", []string{`1:3: a buildpack needs "id" or "uri"`}},
		{"an id that is none", "[[buildpacks]]\nid = '../a'", []string{`2:6: id: "../a" leaves the folder of modules`}},
		{"a version that is none", "[[buildpacks]]\nid = 'a'\nversion = '1/2'", []string{`3:11: version: "1/2" holds a '/'`}},
		{"an archive without sha", "[[buildpacks]]\nuri = 'http://example.com/a.tgz'",
			[]string{`2:7: a buildpack that is downloaded needs "sha" (sha is the SHA-256 of the file: curl`}},
		{"an archive with a sha that is none", "[[buildpacks]]\nuri = 'http://example.com/a.tgz'\nsha = 'abc'",
			[]string{`3:7: sha: "abc" is not a SHA-256 checksum (64 hexadecimal digits)`}},
		{"a repository with sha", "[[buildpacks]]\nuri = 'https://example.com/a.git'\n" + sha,
			[]string{"3:7: sha: the uri names no file that is downloaded (an image is pinned by"}},
		{"a folder with sha", "[[buildpacks]]\nuri = 'modules/a'\n" + sha, []string{"3:7: sha: the uri names no file"}},
		{"an image with sha", "[[buildpacks]]\nuri = 'docker://registry.example.com/a'\n" + sha, []string{"3:7: sha: the uri names no file"}},
		{"a context with sha", "[[buildpacks]]\nid = 'a'\n" + sha, []string{"3:7: sha: there is no uri that it is for"}},
		{"no address, with sha", "[[buildpacks]]\nuri = 'ftp://example.com/a.tgz'\n" + sha,
			[]string{`2:7: uri: "ftp://example.com/a.tgz" is no address of a module`}},
		{"a uri that is no string, with sha", "[[buildpacks]]\nuri = 1\n" + sha, []string{"2:7: uri: expected a string"}},

		{"the same module in two versions", "[[buildpacks]]\nid = 'a'\nversion = '1'\n[[buildpacks]]\nid = 'a'\nversion = '2'", nil},
		{"two modules that say their ids themselves", "[[buildpacks]]\nuri = 'a'\nversion = '1'\n[[buildpacks]]\nuri = 'b'\nversion = '1'", nil},
		{"the same module twice", "[[buildpacks]]\nid = 'a'\nversion = '1'\n[[buildpacks]]\nversion = '1'\nid = 'a'\nuri = 'a'",
			[]string{`6:6: buildpack "a@1" is already defined on line 2`}},
		{"the same module twice without version", "[[buildpacks]]\nid = 'a'\n[[buildpacks]]\nid = 'a'",
			[]string{`4:6: buildpack "a" is already defined on line 2`}},

		{"an order", "[[order]]\n[[order.group]]\nid = 'a'\noptional = true\n[[order.group]]\nid = 'b'\n[[order]]\n[[order.group]]\nid = 'c'", nil},
		{"an order of modules that packages hold", "[[buildpacks]]\nuri = 'a.cnb'\n[[order]]\ngroup = [{ id = 'b' }]", nil},
		{"an order without group", "[[order]]", []string{`1:3: an order needs "group"`}},
		{"an empty group", "[[order]]\ngroup = []", []string{"2:9: group: an order names at least one module"}},
		{"an order that is no list", "[order]\ngroup = []", []string{"1:2: order: expected an array of tables, found a table (write the header"}},
		{"an entry without id", "[[order]]\ngroup = [{ version = '1' }]", []string{`2:10: an entry of a group needs "id"`}},
		{"an entry with an id that is none", "[[order]]\ngroup = [{ id = 'a_b' }]", []string{`2:17: id: "a_b" is not a module id`}},
		{"an entry with a version that is none", "[[order]]\ngroup = [{ id = 'a', version = '..' }]",
			[]string{`2:32: version: ".." begins with a dot`}},
		{"an entry with an unknown key", "[[order]]\ngroup = [{ id = 'a', optinal = true }]",
			[]string{`2:22: unknown key "optinal" in an entry of a group (did you mean "optional"?)`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := Parse("packfile.toml", []byte(test.text))
			nodetest.RequireErrors(t, err, test.want...)
		})
	}
}

func TestModulesOfAPackfileKeepTheirPlaces(t *testing.T) {
	pf := mustParse(t, "[[buildpacks]]\nid = 'a'\n[[order]]\n[[order.group]]\nid = 'a'\n")
	require.Equal(t, 1, pf.Buildpacks[0].Range().Start.Line)
	require.Equal(t, node.Position{Line: 2, Column: 6}, pf.Buildpacks[0].At("id").Start)
	require.Equal(t, 3, pf.Order[0].Range().Start.Line)
	require.Equal(t, node.Position{Line: 5, Column: 6}, pf.Order[0].Group[0].At("id").Start)
}

func TestAPackfileWithoutAnythingOfItsOwnIsOnlyAnOrder(t *testing.T) {
	for text, want := range map[string]bool{
		"": false,
		"config.id = 'a'\n[[buildpacks]]\nid = 'a'\n[[order]]\ngroup = [{ id = 'a' }]\n[[stacks]]\nid = 'a'": false,
		"[[layers]]\nname = 'a'\nbuild = {}":         true,
		"[[processes]]\ntype = 'a'\ncommand = ['a']": true,
		"[[caches]]\nname = 'a'":                     true,
		"[[slices]]\npaths = ['a']":                  true,
	} {
		require.Equal(t, want, mustParse(t, text).HasOwn(), text)
	}
}
