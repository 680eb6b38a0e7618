package packfile

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"
)

func TestWordsOfTheFirstNotesMeanWhatTodaysWordsMean(t *testing.T) {
	old, _, err := Parse("old.toml", testdata(t, "old.toml"))
	require.NoError(t, err)
	today, _, err := Parse("old.today.toml", testdata(t, "old.today.toml"))
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(today, old, noPlaces, cmpopts.IgnoreFields(Script{}, "InLayer")))
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
		"image":                  layer + "image = true\nbuild = {}",
		"cache":                  layer + "cache = false\nbuild = {}",
		"cache that is a cache":  layer + "cache = true\n[[layers]]\nname = \"b\"\nbuild.links = [{ name = \"a\" }]",
		"use":                    layer + "build = {}\n[[layers]]\nname = \"b\"\nprovide.use = [{ name = \"a\" }]",
		"with":                   layer + "build = {}\n[[layers]]\nname = \"b\"\nprovide.with = [{ name = \"a\" }]",
		"write":                  "[[caches]]\nname = \"c\"\n" + layer + "provide.links = [{ name = \"c\", write = true }]",
		"provide.build":          layer + "provide.build.inline = \"a\"",
		"a script in provide":    layer + "provide = { shell = \"/bin/sh\", inline = \"a\" }",
		"a path in provide":      layer + "provide.path = \"a\"",
		"write-app":              layer + "provide.write-app = true",
		"a process name":         "[[processes]]\nname = \"web\"\ncommand = [\"a\"]",
		"launch.env":             layer + "provide = {}\nlaunch.env = [{ name = \"A\", value = \"b\" }]",
		"launch.profile":         layer + "provide = {}\nlaunch.profile = [{ inline = \"a\" }]",
		"an empty launch":        layer + "provide = {}\nlaunch = {}",
		"a template without dot": layer + "build.deps = [{ name = \"n\", uri = \"https://a.example/{{version}}{{a.b}}\", sha = \"{{.sha}}\" }]",
	} {
		t.Run(name, func(t *testing.T) {
			_, warnings, err := Parse("packfile.toml", []byte(text))
			require.NoError(t, err)
			require.Len(t, warnings, 1)
			require.Equal(t, OldWord.Name, warnings[0].Rule)
		})
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
		{"launch without provide", layer + "build = {}\nlaunch.env = []", `4:1: launch belongs to a layer with provide (write build.env.launch and build.profile)`},
		{"another key in launch", layer + "provide = {}\nlaunch.envs = []", `4:8: unknown key "envs" in launch (did you mean "env"?)`},
		{"write to a layer", layer + "build = {}\n[[layers]]\nname = \"b\"\nprovide.use = [{ name = \"a\", write = true }]",
			`6:30: write: a step cannot write to layer "a" (make it a cache, or write to it in its own run script)`},
		{"write that is no boolean", "[[caches]]\nname = \"c\"\n" + layer + "provide.use = [{ name = \"c\", write = 1 }]",
			`5:38: write: expected a boolean, found an integer`},
		{"a cache with other keys", layer + "cache = true\nexport = true", `4:1: unknown key "export" in a cache (keys of a cache: name, shared, setup)`},
		{"old words in build", layer + "build.inline = \"a\"", `3:7: unknown key "inline" in build (keys of build: lock-app, inputs, test, run, links, deps, env, profile, secrets, ssh)`},
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
