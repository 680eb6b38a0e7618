package packfile

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/node/nodetest"
)

// mustParse is a packfile that has no errors.
func mustParse(t testing.TB, text string) *Packfile {
	t.Helper()
	pf, _, err := Parse("packfile.toml", []byte(text))
	require.NoError(t, err)
	return pf
}

func TestEveryKeyIsDecoded(t *testing.T) {
	pf, warnings, err := Parse("full.toml", nodetest.Data(t, "full.toml"))
	require.NoError(t, err)
	require.Empty(t, warnings)
	nodetest.GoldenJSON(t, "full.golden.json", pf)
}

func TestTOMLAndYAMLSayTheSame(t *testing.T) {
	fromTOML, _, err := Parse("full.toml", nodetest.Data(t, "full.toml"))
	require.NoError(t, err)
	fromYAML, _, err := Parse("full.yaml", nodetest.Data(t, "full.yaml"))
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(fromTOML, fromYAML, nodetest.NoPlaces))
}

func TestAllComplaintsComeAtOnceAndInFileOrder(t *testing.T) {
	for _, name := range []string{"bad.toml", "bad.yaml", "old.toml"} {
		t.Run(name, func(t *testing.T) {
			_, warnings, err := Parse(name, nodetest.Data(t, name))
			nodetest.Golden(t, name+".golden", nodetest.Complaints(name, warnings, err))
		})
	}
}

func TestFormatIsChosenByEndingElseByContent(t *testing.T) {
	const toml, yaml = "[config]\nid = \"a\"\n", "config:\n  id: a\n"
	for filename, texts := range map[string][]string{
		"packfile.toml": {toml}, "packfile.TOML": {toml}, "packfile.yaml": {yaml}, "a/b.yml": {yaml},
		"packfile": {toml, yaml, "\n# comment\n" + toml, "# comment\n" + yaml, "config.id = \"a\"", "\"config\" = {id = 'a'}",
			"{config: {id: a}}", "---\n" + yaml, "\ufeff" + toml, strings.ReplaceAll(toml, "\n", "\r\n")},
	} {
		for _, text := range texts {
			pf, _, err := Parse(filename, []byte(text))
			require.NoError(t, err, "%s: %q", filename, text)
			require.Equal(t, "a", pf.Config.ID, "%s: %q", filename, text)
		}
	}
}

func TestAnEmptyPackfileIsValid(t *testing.T) {
	for _, filename := range []string{"packfile", "packfile.toml", "packfile.yaml"} {
		for _, text := range []string{"", "\n", "# syntax=registry.example.com/packfile/frontend:1\n"} {
			pf, warnings, err := Parse(filename, []byte(text))
			require.NoError(t, err)
			require.Empty(t, warnings)
			require.Equal(t, "0.10", pf.API)
		}
	}
}

func TestPositionsOfKeysAndItemsAreKept(t *testing.T) {
	type place struct {
		what string
		got  node.Range
		line int
		text string // what stands in the range
	}
	for _, name := range []string{"full.toml", "full.yaml"} {
		t.Run(name, func(t *testing.T) {
			data := nodetest.Data(t, name)
			lines := strings.Split(string(data), "\n")
			pf, _, err := Parse(name, data)
			require.NoError(t, err)
			modules := &pf.Layers[1]
			toml := strings.HasSuffix(name, ".toml")
			word := func(inTOML, inYAML string) string {
				if toml {
					return inTOML
				}
				return inYAML
			}
			for _, p := range []place{
				{"a string", pf.Config.At("name"), 0, word(`"Node.js"`, `Node.js`)},
				{"a key of several words", modules.Provide.Links[0].At("path-as"), 0, word(`"NODE_HOME"`, `NODE_HOME`)},
				{"a table", modules.Provide.At("run"), 0, word("layers.build.run", "run")},
				{"the table itself", modules.Provide.Run.Range(), 0, word("layers.build.run", "run")},
				{"a key that is not there", modules.Provide.Run.At("network"), 0, word("layers.build.run", "run")},
				{"an item of a list", modules.Provide.Test.Item("match", 1), 0, word(`"patches/**/*.patch"`, `patches/**/*.patch]`)},
				{"the first line of a script", pf.Caches[0].Setup.At("inline"), 0, word(`"""`, `|`)},
				{"an array of tables", pf.At("slices"), 0, "slices"},
				{"a secret in an inline table", pf.Layers[0].Provide.Test.Secrets[1].At("env-as"), 0,
					word(`"TOKEN"`, `TOKEN, required: false }`)},
			} {
				require.Equal(t, p.got.Start.Line, p.got.End.Line, p.what)
				line := lines[p.got.Start.Line-1]
				require.Equal(t, p.text, line[p.got.Start.Column-1:p.got.End.Column], p.what)
			}
			require.True(t, modules.Has("version"))
			require.False(t, modules.Has("expose"))
			require.Equal(t, modules.Provide.Test.At("match"), modules.Provide.Test.Item("match", 9))
		})
	}
}

func TestColumnsCountBytes(t *testing.T) {
	for filename, text := range map[string]string{
		"a.toml": "config = { name = \"größe\", id = 1 }\n",
		"a.yaml": "config: { name: \"größe\", id: /1 }\n",
	} {
		_, _, err := Parse(filename, []byte(text))
		var e *node.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, node.Position{Line: 1, Column: strings.IndexAny(text, "1/") + 1}, e.Diagnostics[0].Range.Start)
	}
}

func TestLineBreaksThatOnlyYAMLKnowsDoNotShiftPositions(t *testing.T) {
	_, _, err := Parse("a.yaml", []byte("# a\u2028# b\nconfig:\n  nothing: 1\n"))
	require.ErrorContains(t, err, "a.yaml:3:3: unknown key")
}

func TestScriptsHaveTheSameTextWithWindowsLineEnds(t *testing.T) {
	unix, _, err := Parse("full.toml", nodetest.Data(t, "full.toml"))
	require.NoError(t, err)
	for _, name := range []string{"full.toml", "full.yaml"} {
		windows, _, err := Parse(name, []byte(strings.ReplaceAll(string(nodetest.Data(t, name)), "\n", "\r\n")))
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(unix, windows, nodetest.NoPlaces))
	}
}

func TestWhatIsWrittenAsALineEndStaysOne(t *testing.T) {
	for name, text := range map[string]string{
		"a.toml": "[[caches]]\nname = \"c\"\n[caches.setup]\ninline = \"\"\"\nprintf 'a\\r\\n'\necho\n\"\"\"\n",
		"a.yaml": "caches:\n- name: c\n  setup:\n    inline: \"printf 'a\\r\\n'\\necho\\n\"\n",
	} {
		for _, end := range []string{"\n", "\r\n"} {
			pf, _, err := Parse(name, []byte("\ufeff"+strings.ReplaceAll(text, "\n", end)))
			require.NoError(t, err)
			require.Equal(t, "printf 'a\r\n'\necho\n", pf.Caches[0].Setup.Inline, "%s with %q", name, end)
		}
	}
}

func TestScriptShellIsSplitAsAShebangLineIs(t *testing.T) {
	for _, test := range []struct {
		script, config string
		want           []string
	}{
		{"", "", []string{"/usr/bin/env", "bash"}},
		{"", "/bin/sh", []string{"/bin/sh"}},
		{"/bin/bash -eu", "/bin/sh", []string{"/bin/bash", "-eu"}},
		{"  /bin/bash   -e -u ", "", []string{"/bin/bash", "-e -u"}},
	} {
		got := ScriptShell(&Packfile{Config: Config{Shell: test.config}}, &Script{Shell: test.script})
		require.Equal(t, test.want, got)
	}
}

func TestDirectFollowsTheAPI(t *testing.T) {
	const process = "\n[[processes]]\ntype = \"web\"\ncommand = [\"npm\"]\n"
	require.False(t, mustParse(t, `api = "0.8"`+process).Processes[0].Direct)
	require.True(t, mustParse(t, `api = "0.9"`+process).Processes[0].Direct)
	require.True(t, mustParse(t, process).Processes[0].Direct)
	require.False(t, mustParse(t, process+"direct = false").Processes[0].Direct)
}
