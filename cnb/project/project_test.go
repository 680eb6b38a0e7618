package project

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/node/nodetest"
	"github.com/packfile/frontend/packfile"
)

func TestEveryKeyOfAProjectDescriptorIsDecoded(t *testing.T) {
	p, warnings, err := Parse("project.toml", nodetest.Data(t, "full.toml"))
	require.NoError(t, err)
	require.Empty(t, warnings)
	require.False(t, p.Packfile.HasOwn())
	nodetest.GoldenJSON(t, "full.golden.json", p)
}

func TestBothVersionsOfProjectDescriptorsSayTheSame(t *testing.T) {
	today, _, err := Parse("project.toml", nodetest.Data(t, "full.toml"))
	require.NoError(t, err)
	old, warnings, err := Parse("project.toml", nodetest.Data(t, "old.toml"))
	require.NoError(t, err)
	require.Empty(t, warnings)
	require.Empty(t, cmp.Diff(today, old, nodetest.NoPlaces))
}

func TestAllComplaintsAboutAProjectComeAtOnceAndInFileOrder(t *testing.T) {
	_, warnings, err := Parse("project.toml", nodetest.Data(t, "bad.toml"))
	nodetest.Golden(t, "bad.golden", nodetest.Complaints("project.toml", warnings, err))
}

func TestWhatIsBuiltIsAProjectByNameOrByItsTables(t *testing.T) {
	for _, test := range []struct {
		name, filename, text string
		want                 bool
	}{
		{"its name", "project.toml", "", true},
		{"its name in a folder", "app/project.toml", "[[layers]]", true},
		{"its name, whatever is in it", "project.toml", "[", true},
		{"a table of version 0.2", "app.toml", "[_]\nid = 'a'", true},
		{"a table below one of version 0.2", "app.toml", "[[_.licenses]]", true},
		{"modules", "app.toml", "[[io.buildpacks.group]]", true},
		{"a table of version 0.1", "app.toml", "[project]", true},
		{"a name without ending", "project", "# syntax\n[_]", true},
		{"a byte order mark", "project", "\ufeff[_]", true},
		{"an old build table alone", "app.toml", "[build]", false},
		{"our table alone", "app.toml", "[io.packfile.config]", false},
		{"a table of another vendor", "app.toml", "[io.docker]", false},
		{"a packfile", "packfile.toml", "[config]", false},
		{"a packfile with a table of a project", "packfile.toml", "[_]\n[[order]]", false},
		{"nothing", "packfile.toml", "", false},
		{"YAML", "packfile.yaml", "_:\n  id: a", false},
		{"YAML that reads as TOML", "packfile.yaml", "[_]", false},
		{"YAML without ending", "packfile", "_:\n  id: a", false},
		{"a YAML file with such a name", "project.yaml", "_:\n  id: a", false},
		{"broken TOML", "packfile.toml", "[_]\n[", false},
		{"a text that is too long", "packfile.toml", "[_]\n" + strings.Repeat("#", node.MaxSize), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			require.Equal(t, test.want, Is(test.filename, []byte(test.text)))
		})
	}
}

func TestErrorsInProjects(t *testing.T) {
	const group = "[[io.buildpacks.group]]\nid = 'a'\n"
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{"nothing", "", []string{"1:1: the project names no modules (write [[build.buildpacks]]"}},
		{"no modules", "[_]\nid = 'a'", []string{"1:1: the project names no modules (write [[io.buildpacks.group]]"}},
		{"an empty group", "[io.buildpacks]\ngroup = []", []string{"1:2: the project names no modules"}},
		{"only modules before and after", "[[io.buildpacks.pre.group]]\nid = 'a'\n[[io.buildpacks.post.group]]\nid = 'b'", nil},
		{"a group that is no list, which is all there is to say", "[io.buildpacks]\ngroup = 'a'", []string{"2:9: group: expected an array of tables"}},
		{"no modules and something else", "[_]\nid = '*'", []string{"1:1: the project names no modules", `2:6: id: "*" is not a module id`}},
		{"a packfile of that name", "[[layers]]\nname = 'a'", []string{"1:1: the project names no modules (a packfile needs another name than project.toml)"}},
		{"broken TOML", "[", []string{"1:1: invalid TOML"}},
		{"a table that is none", "_ = 1\n" + group, []string{"1:5: [_] is a table, found an integer"}},
		{"tables that are none", "io = 1\n", []string{"1:1: the project names no modules"}},
		{"tables of other vendors", "[io.docker]\nfile = 1\n[[layer]]\n" + group, nil},

		{"a version that is unknown", "[_]\nschema-version = '0.3'\n" + group,
			[]string{`2:18: schema-version: "0.3" is not a version of project descriptors known here (known are 0.1 and 0.2)`}},
		{"a version that is a number", "[_]\nschema-version = 0.2\n" + group, []string{"2:18: schema-version: expected a string, found a float"}},
		{"an unknown version of a part", "[io.buildpacks]\nschema-version = '1'\n" + group, []string{"2:18: schema-version: \"1\""}},
		{"tables of both versions", "[project]\nname = 'a'\n[build]\ninclude = 1\n" + group,
			[]string{"1:2: project is of version 0.1 of project descriptors, and this one has another (write [_])",
				"3:2: build is of version 0.1 of project descriptors, and this one has another (write [io.buildpacks])"}},
		{"tables of the version that it has not", "[_]\nschema-version = '0.1'\n" + group,
			[]string{`3:6: buildpacks is of version 0.2 of project descriptors, and this one has another (write schema-version = "0.2" in [_])`}},
		{"an old project that says so", "[_]\nschema-version = '0.1'\n[[build.buildpacks]]\nid = 'a'", nil},
		{"an old project that says more", "[_]\nschema-version = '0.1'\nid = 'a'\n[[build.buildpacks]]\nid = 'a'",
			[]string{`3:1: unknown key "id" in [_] (keys of [_]: schema-version)`}},
		{"an unknown key of an old project", "[project]\nnames = 'a'\n[[build.buildpacks]]\nid = 'a'",
			[]string{`2:1: unknown key "names" in [project] (did you mean "name"?)`}},
		{"an old group by its new name", "[build]\ngroup = []\n[[build.buildpacks]]\nid = 'a'",
			[]string{`2:1: unknown key "group" in [build] (keys of [build]: builder, include, exclude, buildpacks, env)`}},

		{"an unknown key", "[_]\nlicence = []\n" + group, []string{`2:1: unknown key "licence" in [_] (did you mean "licenses"?)`}},
		{"any metadata", "_.metadata = [1, [2]]\n" + group, nil},
		{"an unknown key of the build", "[io.buildpacks]\ngruop = []\n" + group,
			[]string{`2:1: unknown key "gruop" in [io.buildpacks] (did you mean "group"?)`}},
		{"a version that is none", "_.version = '1 2'\n" + group, []string{`1:13: version: "1 2" holds white space`}},
		{"an id that is reserved", "_.id = 'app'\n" + group, []string{`1:8: id: "app" is reserved`}},
		{"a license that is none", "[[_.licenses]]\ntype = 'my own!'\n" + group, []string{`2:8: type: "my own!" is not an SPDX license expression`}},
		{"a license that is elsewhere", "[[_.licenses]]\nuri = 'LICENSE'\n" + group, nil},
		{"an empty license", "[[_.licenses]]\n" + group, []string{`1:3: a license needs "type" or "uri"`}},

		{"an inline module", "[[io.buildpacks.group]]\nid = 'a'\n[io.buildpacks.group.script]\napi = '0.5'",
			[]string{"3:22: script: a module in the descriptor itself is not supported (make it a layer of a module)"}},
		{"an archive without sha", "[[io.buildpacks.group]]\nuri = 'https://example.com/a.tgz'",
			[]string{`2:7: a buildpack that is downloaded needs "sha"`}},
		{"a uri with a version", "[[io.buildpacks.group]]\nuri = 'a'\nversion = '1'",
			[]string{"3:11: a buildpack with uri has no version in a project descriptor (the module itself says it)"}},
		{"a module without id and uri", "[[io.buildpacks.pre.group]]\nversion = '1'", []string{`1:3: a buildpack needs "id" or "uri"`}},
		{"a module twice", "[[io.buildpacks.post.group]]\nid = 'a'\n" + group, []string{`2:6: buildpack "a" is already defined on line 4`}},
		{"a module of a registry", "[[io.buildpacks.group]]\nuri = 'urn:cnb:registry:a/b'", []string{`2:7: uri: "urn:cnb:registry:a/b" is a name`}},
		{"an unknown key of a part", "[io.buildpacks.pre]\ngroups = []\n" + group,
			[]string{`2:1: unknown key "groups" in [io.buildpacks.pre] (did you mean "group"?)`}},

		{"include and exclude", "[io.buildpacks]\nexclude = []\ninclude = []\n" + group,
			[]string{"2:11: a project has include or exclude, not both (keep one)"}},
		{"a pattern that is none", "[io.buildpacks]\nexclude = ['a', '../b']\n" + group, []string{`2:17: exclude: "../b" leaves its folder`}},

		{"a reserved variable", group + "[[io.buildpacks.build.env]]\nname = 'CNB_X'\nvalue = ''",
			[]string{`4:8: name: "CNB_X" is set by the build (reserved: names that begin with CNB_)`}},
		{"a variable that is none", group + "[[io.buildpacks.build.env]]\nname = 'A-B'\nvalue = ''", []string{`4:8: name: "A-B" is not the name`}},
		{"a variable without name", group + "[[io.buildpacks.build.env]]\nvalue = ''", []string{`3:3: a variable needs "name"`}},
		{"a variable without value", group + "[[io.buildpacks.build.env]]\nname = 'A'", []string{`3:3: a variable needs "value"`}},
		{"a variable twice", group + "[[io.buildpacks.build.env]]\nname = 'A'\nvalue = ''\n[[io.buildpacks.build.env]]\nname = 'A'\nvalue = ''",
			[]string{`7:8: variable "A" is already defined on line 4`}},
		{"variables in both places", group + "[[io.buildpacks.env.build]]\nname = 'A'\nvalue = ''\n[[io.buildpacks.build.env]]\nname = 'B'\nvalue = ''",
			[]string{"3:3: env.build is another name of build.env, which is also there (keep build.env)"}},
		{"variables that are a table", group + "[io.buildpacks.build.env]\nA = 'b'", []string{"3:2: env: expected an array of tables, found a table"}},
		{"variables under another name", group + "[[io.buildpacks.build.environment]]\nname = 'A'",
			[]string{`3:23: unknown key "environment" in [io.buildpacks.build] (keys of [io.buildpacks.build]: env)`}},

		{"an unknown key of ours", "[io.packfile]\nconfg = {}\n" + group, []string{`2:1: unknown key "confg" in [io.packfile] (did you mean "config"?)`}},
		{"an unknown key of the config", "[io.packfile.config]\nimages = 'a'\n" + group, []string{`2:1: unknown key "images" in config`}},
		{"an id in two places", "[_]\nid = 'a'\n[io.packfile.config]\nid = 'a'\n" + group, []string{"4:6: id is also given on line 2 (keep that one)"}},
		{"a name in two places", "[io.packfile.config]\nname = 'a'\n[_]\nname = 'a'\n" + group, []string{"2:8: name is also given on line 4"}},
		{"a version in two places", "[_]\nversion = '1'\n[io.packfile.config]\nversion = '2'\n" + group, []string{"4:11: version is also given"}},
		{"licenses in two places", "_.licenses = []\n[io.packfile.config]\nlicenses = []\n" + group, []string{"3:12: licenses is also given on line 1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, _, err := Parse("project.toml", []byte(test.text))
			nodetest.RequireErrors(t, err, test.want...)
			require.Equal(t, err == nil, p != nil)
		})
	}
}

func TestABuilderIsNotUsed(t *testing.T) {
	_, warnings, err := Parse("project.toml", []byte("[io.buildpacks]\nbuilder = 'a'\n[[io.buildpacks.group]]\nid = 'a'"))
	require.NoError(t, err)
	require.Len(t, warnings, 1)
	require.Equal(t, packfile.UnusedBuilder.Name, warnings[0].Rule)
	require.Equal(t, node.Position{Line: 2, Column: 11}, warnings[0].Range.Start)
	require.Equal(t, `builder "a" is not used (name build-image and run-image in [io.packfile.config], or with `+
		`--build-context build-image=docker-image://NAME)`, warnings[0].Text())
}

func TestWhatAProjectSaysOfItselfIsItsConfig(t *testing.T) {
	const text = "[_]\nid = 'a'\ndocumentation-url = '%s'\nlicenses = [{ uri = 'x' }, { type = 'MIT' }]\n" +
		"[io.packfile]\nconfig = { network = 'none'%s }\n[[io.buildpacks.group]]\nuri = 'b'"
	for _, test := range []struct{ name, documentation, config, homepage string }{
		{"a web address", "https://example.com", "", "https://example.com"},
		{"another address", "git@example.com:a", "", ""},
		{"an address with a password", "https://a:b@example.com", "", ""},
		{"an address besides the homepage", "https://example.com", ", homepage = 'https://a.example'", "https://a.example"},
	} {
		t.Run(test.name, func(t *testing.T) {
			text := strings.Replace(strings.Replace(text, "%s", test.documentation, 1), "%s", test.config, 1)
			p, _, err := Parse("project.toml", []byte(text))
			require.NoError(t, err)
			c := p.Packfile.Config
			require.Equal(t, test.homepage, c.Homepage)
			require.Equal(t, "none", c.Network)
			require.Equal(t, []string{"MIT"}, c.Licenses)
			require.Equal(t, node.Position{Line: 2, Column: 6}, c.At("id").Start)
			require.Equal(t, node.Position{Line: 4, Column: 37}, c.Item("licenses", 0).Start)
			require.Equal(t, 7, p.Packfile.At("buildpacks").Start.Line)
			require.Equal(t, "0.10", p.Packfile.API)
		})
	}
}

func TestVariablesOfAProjectInTheOtherPlace(t *testing.T) {
	p, _, err := Parse("project.toml", []byte("[[io.buildpacks.env.build]]\nname = 'A'\nvalue = 'b'\n[[io.buildpacks.group]]\nid = 'a'"))
	require.NoError(t, err)
	require.Empty(t, cmp.Diff([]packfile.Variable{{Name: "A", Value: "b"}}, p.Env, nodetest.NoPlaces))
	require.Equal(t, node.Position{Line: 2, Column: 8}, p.Env[0].At("name").Start)
}

func TestTheConfigOfAProjectStandsWhereItTellsOfItself(t *testing.T) {
	const group = "[[io.buildpacks.group]]\nid = 'a'\n"
	for text, line := range map[string]int{
		group + "[_]\nid = 'a'": 3, group + "[_]\nid = 'a'\n[io.packfile.config]\nuser = '1'": 5, group: 1,
	} {
		p, _, err := Parse("project.toml", []byte(text))
		require.NoError(t, err)
		require.Equal(t, line, p.Packfile.Config.At("network").Start.Line, text)
	}
}

func TestFilesThatAProjectIncludes(t *testing.T) {
	p, _, err := Parse("project.toml", []byte("[io.buildpacks]\ninclude = ['cmd/', 'go.mod']\n[[io.buildpacks.group]]\nid = 'a'"))
	require.NoError(t, err)
	require.Equal(t, []string{"**/cmd/**", "**/go.mod"}, p.Include)
	require.Nil(t, p.Exclude)
}

func TestAProjectThatIsTooLargeIsRefused(t *testing.T) {
	_, _, err := Parse("project.toml", make([]byte, node.MaxSize+1))
	require.EqualError(t, err, "project.toml:1:1: a project descriptor has at most 4 MiB, this one has 4194305 bytes")
}
