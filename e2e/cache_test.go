package e2e

import (
	"strings"
	"testing"
)

// A setup script starts from an empty cache, also when it replaces another. What the other left is there again when it comes back.
func TestAChangedSetupScriptStartsFromAnEmptyCache(t *testing.T) {
	t.Parallel()
	const packfile = `
[[caches]]
name = "c"
[caches.setup]
SETUP

[[layers]]
name = "a"
[layers.build.run]
inline = "echo VERSION >> $C/runs; cp $C/* $LAYER"
[[layers.build.links]]
name = "c"
path-as = "C"
`
	app := map[string]string{"build-arg:PACKFILE_APP": t.TempDir()}
	for i, b := range []struct{ name, setup, file, want string }{
		{name: "new", setup: `inline = "echo one > $CACHE/one"`, want: "one runs 1"},
		{name: "the same script", setup: `inline = "echo one > $CACHE/one"`, want: "one runs 2"},
		{name: "another text", setup: `inline = "echo two > $CACHE/two"`, want: "runs two 1"},
		{name: "another shell", setup: "inline = \"echo two > $CACHE/two\"\nshell = \"/bin/sh\"", want: "runs two 1"},
		{name: "a file with another text", setup: `path = "setup.sh"`, file: "echo three > $CACHE/three", want: "runs three 1"},
		{name: "another text in the file", setup: `path = "setup.sh"`, file: "echo four > $CACHE/four", want: "four runs 1"},
		{name: "the file's text, inline", setup: `inline = "echo four > $CACHE/four"`, want: "four runs 2"},
		{name: "the first script again", setup: `inline = "echo one > $CACHE/one"`, want: "one runs 3"},
	} {
		dir := files(t, map[string]string{
			"setup.sh":      b.file,
			"packfile.toml": sh + replace(replace(packfile, "SETUP", b.setup), "VERSION", strings.Repeat("x", i)),
		})
		got := request{dir: dir, target: "a", opts: app}.build(t)
		names := strings.Fields(allFiles(t, got.out))
		runs := strings.Count(got.read(t, "runs"), "\n")
		equal(t, b.name, strings.Join(names, " ")+" "+string(rune('0'+runs)), b.want)
	}
}
