package packfile

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/node/nodetest"
)

func TestWordsOfTheFirstNotesMeanWhatTodaysWordsMean(t *testing.T) {
	old, _, err := Parse("old.toml", nodetest.Data(t, "old.toml"))
	require.NoError(t, err)
	today, _, err := Parse("old.today.toml", nodetest.Data(t, "old.today.toml"))
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(today, old, nodetest.NoPlaces, cmpopts.IgnoreFields(Script{}, "InLayer")))
	require.True(t, old.Layers[0].Provide.Run.InLayer, "a script in provide works in LAYER")
	require.True(t, old.Layers[1].Provide.Run.InLayer, "provide.build works in LAYER")
	require.False(t, old.Layers[0].Provide.Test.Script.InLayer)
	require.False(t, today.Layers[0].Provide.Run.InLayer)
	require.True(t, old.Layers[0].Has("store"), "keys are recorded under today's name")
	require.False(t, old.Layers[0].Has("cache"))
}

func TestEachOldWordHasOneWarning(t *testing.T) {
	const layer = "[[layers]]\nname = \"a\"\n"
	for name, text := range map[string]string{
		"image":                   layer + "image = true\nSECTION = {}",
		"cache":                   layer + "cache = false\nSECTION = {}",
		"cache beside store":      layer + "cache = false\nstore = true\nSECTION = {}",
		"recover":                 layer + "recover = false\nSECTION = {}",
		"cache that is a cache":   layer + "cache = true\n[[layers]]\nname = \"b\"\nSECTION.links = [{ name = \"a\" }]",
		"recover that is a cache": layer + "recover = true\n[[layers]]\nname = \"b\"\nSECTION.links = [{ name = \"a\" }]",
		"use":                     layer + "build = {}\n[[layers]]\nname = \"b\"\nSECTION.use = [{ name = \"a\" }]",
		"with":                    layer + "build = {}\n[[layers]]\nname = \"b\"\nSECTION.with = [{ name = \"a\" }]",
		"write":                   "[[caches]]\nname = \"c\"\n" + layer + "SECTION.links = [{ name = \"c\", write = true }]",
		"cache of a link":         "[[caches]]\nname = \"c\"\n" + layer + "SECTION.links = [{ name = \"c\", cache = true }]",
		"link-contents":           layer + "build = {}\n[[layers]]\nname = \"b\"\nSECTION.links = [{ name = \"a\", link-contents = true }]",
		"for-test": layer + "build = {}\n[[layers]]\nname = \"b\"\n" +
			"SECTION = { test = { inline = \"a\" }, links = [{ name = \"a\", for-test = true }] }",
		"use-links":              layer + "SECTION.test = { inline = \"a\", use-links = true }",
		"write-app of a test":    layer + "SECTION.test = { inline = \"a\", write-app = false }",
		"build in a section":     layer + "SECTION.build.inline = \"a\"",
		"a script in a section":  layer + "SECTION = { shell = \"/bin/sh\", inline = \"a\" }",
		"a path in a section":    layer + "SECTION.path = \"a\"",
		"write-app":              layer + "SECTION.write-app = true",
		"a list of variables":    layer + "SECTION.env = [{ name = \"A\", value = \"b\" }]",
		"launch.env":             layer + "SECTION = {}\nlaunch.env = [{ name = \"A\", value = \"b\" }]",
		"launch.profile":         layer + "SECTION = {}\nlaunch.profile = [{ inline = \"a\" }]",
		"an empty launch":        layer + "SECTION = {}\nlaunch = {}",
		"a template without dot": layer + "SECTION.deps = [{ name = \"n\", uri = \"https://a.example/{{version}}{{a.b}}\", sha = \"{{.sha}}\" }]",
		"a process name":         "[[processes]]\nname = \"web\"\ncommand = [\"a\"]",
		"serial":                 "config.serial = true\n" + layer + "SECTION = {}",
	} {
		for _, section := range []string{"provide", "build"} {
			t.Run(name+" with "+section, func(t *testing.T) {
				_, warnings, err := Parse("packfile.toml", []byte(strings.ReplaceAll(text, "SECTION", section)))
				require.NoError(t, err)
				require.Len(t, warnings, 1)
				require.Equal(t, OldWord.Name, warnings[0].Rule)
			})
		}
	}
}

func TestOldWordsMeanInBuildWhatTheyMeanInProvide(t *testing.T) {
	old := string(nodetest.Data(t, "old.toml"))
	provided, _, err := Parse("old.toml", []byte(old))
	require.NoError(t, err)
	built, _, err := Parse("old.toml", []byte(strings.ReplaceAll(old, "layers.provide", "layers.build")))
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(provided, built, nodetest.NoPlaces, cmpopts.IgnoreFields(Layer{}, "Build")))
}

func TestWishesOfLinksAboutTheTestAreOfTheTestToday(t *testing.T) {
	pf := mustParse(t, `
[[layers]]
name = "a"
build = {}
[[layers]]
name = "b"
build = { test = { inline = "a" }, links = [{ name = "a", for-test = true, link-contents = true }], env = [{ name = "A", value = "b" }] }
[[layers]]
name = "c"
build = { test = { inline = "a", use-links = true }, links = [{ name = "a", for-test = false }] }
`)
	b, c := pf.Layers[1].Provide, pf.Layers[2].Provide
	require.True(t, b.Test.FullEnv)
	require.True(t, b.Links[0].LinkContent)
	require.Equal(t, "A", b.Env.Build[0].Name)
	require.Empty(t, b.Env.Both)
	require.True(t, c.Test.FullEnv)
}

func TestAScriptDirectlyInASectionWorksWhereItDidWhenItWasWritten(t *testing.T) {
	const layer = "[[layers]]\nname = \"a\"\n"
	const script = "inline = \"a\""
	for _, test := range []struct {
		name, text string
		inLayer    bool
		says       string
	}{
		{"the name of a process is of 2019", "[[processes]]\nname = \"web\"\ncommand = \"run\"\n" + layer + "build = { " + script + " }", true,
			`it works in LAYER, as in 2019's notes, of which the packfile has the word "name"`},
		{"image is", layer + "image = true\nbuild = { " + script + " }", true, `the word "image"`},
		{"so is one of another layer", layer + "build = { " + script + " }\n[[layers]]\nname = \"b\"\nprovide.use = [{ name = \"a\", write = false }]", true,
			`the word "use"`},
		{"launch is", layer + "provide = { " + script + " }\nlaunch.env = []", true, `the word "launch"`},
		{"a list of variables is", layer + "provide = { " + script + ", env = [{ name = \"A\", value = \"b\" }] }", true, `the word "env"`},
		{"a word that came later does not change that", layer + "image = true\nbuild = { " + script + ", inputs = [\"x\"] }", true, `the word "image"`},
		{"one that changes the app works there", layer + "image = true\nbuild = { write-app = true, " + script + " }", false, "it works in APP"},
		{"one that does not is not asked", layer + "image = true\nbuild = { write-app = false, " + script + " }", true, `the word "image"`},
		{"the type of a process is of 2020", "[[processes]]\ntype = \"web\"\ncommand = \"run\"\n" + layer + "build = { " + script + " }", false, "; it works in APP"},
		{"api is", "api = \"0.2\"\n" + layer + "build = { " + script + " }", false, "; it works in APP"},
		{"a dot in a template is", layer + "build = { " + script + ", deps = [{ name = \"a\", uri = \"https://a.example/{{.version}}\", sha = \"{{sha}}\" }] }", false,
			"; it works in APP"},
		{"variables with an operation are", layer + "build = { " + script + ", env.build = [{ name = \"A\", value = \"b\", op = \"append\" }] }", false, "; it works in APP"},
		{"words of both times say nothing", layer + "export = true\nstore = true\nbuild = { " + script + " }", false,
			"it works in APP, though 2019's notes had it work in LAYER: no word here is of one of the two only"},
	} {
		t.Run(test.name, func(t *testing.T) {
			pf, warnings, err := Parse("packfile.toml", []byte(test.text))
			require.NoError(t, err)
			require.Equal(t, test.inLayer, pf.Layers[0].Provide.Run.InLayer)
			said := slices.DeleteFunc(warnings, func(w node.Diagnostic) bool { return !strings.HasPrefix(w.Message, "a script directly in ") })
			require.Len(t, said, 1)
			require.True(t, strings.HasSuffix(said[0].Message, test.says), said[0].Message)
		})
	}
	pf, _, err := Parse("packfile.yaml", []byte("layers: [{ name: a, build: { inline: a } }]"))
	require.NoError(t, err)
	require.False(t, pf.Layers[0].Provide.Run.InLayer, "YAML came later than 2019's notes")
}

// keysOf returns the keys of a schema, but for some.
func keysOf[T any](s *node.Schema[T], but []string) (keys []string) {
	for _, k := range s.Keys {
		if !slices.Contains(but, k.Name) {
			keys = append(keys, k.Name)
		}
	}
	return keys
}

func TestEveryKeyThat2019DidNotHaveTellsTheAgeOfAPackfile(t *testing.T) {
	script := []string{"inline", "path", "shell"}
	for table, keys := range map[string][]string{
		"config":  keysOf(ConfigSchema, []string{"id", "version", "name", "shell"}),
		"section": keysOf(sectionSchema("build"), []string{"test", "links", "deps", "env", "profile"}),
		"test":    keysOf(testSchema, script),
		"require": keysOf(requireSchema, script),
		"dep":     keysOf(depSchema, []string{"name", "version", "uri", "sha"}),
		"var":     keysOf(variableSchema, []string{"name", "value"}),
	} {
		require.ElementsMatch(t, keys, laterWords[table], table)
	}
}

func TestOldWordsInYAML(t *testing.T) {
	pf, warnings, err := Parse("packfile.yaml", []byte("layers:\n- name: a\n  image: true\n  provide:\n    writeApp: true\n"))
	require.NoError(t, err)
	require.Len(t, warnings, 2)
	require.Equal(t, `"writeApp" is called "lockApp" today`, warnings[1].Text())
	require.True(t, pf.Layers[0].Export)
	require.True(t, pf.Layers[0].Provide.LockApp)
}

func TestOldWordsAreRefusedWhereTheyAreAmbiguous(t *testing.T) {
	const layer = "[[layers]]\nname = \"a\"\n"
	for _, test := range []struct{ name, text, want string }{
		{"image and export", layer + "image = true\nexport = true\nbuild = {}", `3:1: "image" is an old name of "export", which is also there (keep export)`},
		{"cache and store", layer + "cache = true\nstore = false\nbuild = {}", `3:1: "cache" is an old name of "store", which is also there (keep store)`},
		{"use and with", layer + "provide = { use = [], with = [] }", `3:23: "with" is an old name of "links", which is also there (keep links)`},
		{"provide.build and run", layer + "provide = { build = { inline = \"a\" }, run = { inline = \"a\" } }",
			`3:13: "build" is an old name of "run", which is also there (keep run)`},
		{"a script in provide and run", layer + "provide = { inline = \"a\", run = { inline = \"a\" } }",
			`3:13: "provide.inline" is an old name of "provide.run", which is also there (keep provide.run)`},
		{"launch.profile and profile", layer + "provide.profile = [{ inline = \"a\" }]\nlaunch.profile = [{ inline = \"a\" }]",
			`4:8: "launch.profile" is an old name of "provide.profile", which is also there (keep provide.profile)`},
		{"launch.env and env.launch", layer + "provide.env.launch = []\nlaunch.env = []",
			`4:8: "launch.env" is an old name of "provide.env.launch", which is also there (keep provide.env.launch)`},
		{"launch without a section", layer + "require = {}\nlaunch.env = []", `4:1: launch belongs to a layer with provide or build (write build.env.launch and build.profile)`},
		{"a script in build and run", layer + "build = { inline = \"a\", run = { inline = \"a\" } }",
			`3:11: "build.inline" is an old name of "build.run", which is also there (keep build.run)`},
		{"a test that changes the app", layer + "build.test = { inline = \"a\", write-app = true }",
			`3:30: write-app: a test cannot change the app (change it in the run script, with lock-app)`},
		{"cache of a link to a layer", layer + "build = {}\n[[layers]]\nname = \"b\"\nprovide.use = [{ name = \"a\", cache = true }]",
			`6:30: cache: a step cannot write to layer "a" (make it a cache, or write to it in its own run script)`},
		{"serial that is no boolean", "config.serial = 1", `1:17: serial: expected a boolean, found an integer`},
		{"another key in launch", layer + "provide = {}\nlaunch.envs = []", `4:8: unknown key "envs" in launch (did you mean "env"?)`},
		{"write to a layer", layer + "build = {}\n[[layers]]\nname = \"b\"\nprovide.use = [{ name = \"a\", write = true }]",
			`6:30: write: a step cannot write to layer "a" (make it a cache, or write to it in its own run script)`},
		{"write that is no boolean", "[[caches]]\nname = \"c\"\n" + layer + "provide.use = [{ name = \"c\", write = 1 }]",
			`5:38: write: expected a boolean, found an integer`},
		{"a cache with other keys", layer + "cache = true\nexport = true", `4:1: unknown key "export" in a cache (keys of a cache: name, shared, setup)`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := Parse("packfile.toml", []byte(test.text))
			require.EqualError(t, err, "packfile.toml:"+test.want)
		})
	}
}

func TestOnlySingleWordsOfATemplateGetADot(t *testing.T) {
	for s, want := range map[string]string{
		"{{version}}":               "{{.version}}",
		"a{{ a.b }}c{{d}}":          "a{{ .a.b }}c{{.d}}",
		"{{.version}}":              "{{.version}}",
		"{{if .a}}b{{else}}{{end}}": "{{if .a}}b{{else}}{{end}}",
		"{{index . \"a\"}}":         "{{index . \"a\"}}",
		"{{version":                 "{{version",
		"}}{{":                      "}}{{",
		"{{}}":                      "{{}}",
		"version":                   "version",
	} {
		require.Equal(t, want, addDots(s))
	}
}
