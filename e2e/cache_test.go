package e2e

import (
	"strings"
	"testing"

	"github.com/packfile/frontend/internal/testbed"
)

// A setup script starts from an empty cache, also when it replaces another. What the other left is there again when it comes back.
func TestAChangedSetupScriptStartsFromAnEmptyCache(t *testing.T) {
	t.Parallel()
	app := map[string]string{"build-arg:PACKFILE_APP": t.TempDir()}
	for i, b := range []struct {
		name, file, want string
		setup            []any
	}{
		{name: "new", setup: []any{"setup.inline", "echo one > $CACHE/one"}, want: "one runs 1"},
		{name: "the same script", setup: []any{"setup.inline", "echo one > $CACHE/one"}, want: "one runs 2"},
		{name: "another text", setup: []any{"setup.inline", "echo two > $CACHE/two"}, want: "runs two 1"},
		{name: "another shell", setup: []any{"setup.inline", "echo two > $CACHE/two", "setup.shell", "/bin/sh"}, want: "runs two 1"},
		{name: "a file with another text", setup: []any{"setup.path", "setup.sh"}, file: "echo three > $CACHE/three", want: "runs three 1"},
		{name: "another text in the file", setup: []any{"setup.path", "setup.sh"}, file: "echo four > $CACHE/four", want: "four runs 1"},
		{name: "the file's text, inline", setup: []any{"setup.inline", "echo four > $CACHE/four"}, want: "four runs 2"},
		{name: "the first script again", setup: []any{"setup.inline", "echo one > $CACHE/one"}, want: "one runs 3"},
	} {
		dir := files(t, map[string]string{"setup.sh": b.file, "packfile.toml": testbed.Packfile(
			testbed.Cache("c", b.setup...),
			testbed.Layer("a").Run("echo "+strings.Repeat("x", i)+" >> $C/runs; cp $C/* $LAYER").Link("c", "path-as", "C"),
		)})
		got := request{dir: dir, target: "a", opts: app}.build(t)
		names := strings.Fields(allFiles(t, got.out))
		runs := strings.Count(got.read(t, "runs"), "\n")
		equal(t, b.name, strings.Join(names, " ")+" "+string(rune('0'+runs)), b.want)
	}
}
