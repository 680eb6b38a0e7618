package module

import (
	"context"
	"testing"

	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/tree"
	"github.com/packfile/frontend/tree/treetest"
)

// When any call that reads something fails, its error is returned.
func TestATransientErrorIsNeverReadAsNotThere(t *testing.T) {
	const text = "[config]\nid = \"m\"\nversion = \"1\"\n[[layers]]\nname = \"a\"\n[layers.build.run]\npath = \"run.sh\"\n" +
		"[[layers.build.deps]]\nname = \"d\"\nversion = \"1\"\nuri = \"https://example.com/d\"\nsha = \"" +
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"\n"
	open := func(bp packfile.Buildpack) func(context.Context, tree.Folder) error {
		return func(ctx context.Context, f tree.Folder) error {
			_, err := (&loader{world: &fakeWorld{}}).readPackage(ctx, f, "module", bp, true)
			return err
		}
	}
	for name, test := range map[string]struct {
		files treetest.Files
		read  func(context.Context, tree.Folder) error
	}{
		"a module and its files": {treetest.Files{"packfile.toml": text, "run.sh": "x", "deps/d@1": ""}, open(packfile.Buildpack{})},
		"a module without deps":  {treetest.Files{"packfile.toml": text, "run.sh": "x"}, open(packfile.Buildpack{})},
		"a buildpackage": {treetest.Files{
			"cnb/package.toml": "[default]\nid = \"m\"\n", "cnb/buildpacks/m/1/packfile.toml": text, "cnb/buildpacks/m/1/run.sh": "x",
		}, open(packfile.Buildpack{})},
		"a buildpackage of the first draft": {treetest.Files{"cnb/by-id/m/1/packfile.toml": text, "cnb/by-id/m/1/run.sh": "x"}, open(packfile.Buildpack{})},
		"a file beside a module": {treetest.Files{"modules/file": "x"}, func(ctx context.Context, f tree.Folder) error {
			_, _, err := (&loader{world: &fakeWorld{}}).statModule(ctx, f, "modules/file/none")
			return err
		}},
		"a script that is there": {treetest.Files{"bin/run.sh": "x"}, func(ctx context.Context, f tree.Folder) error {
			u := &Module{opened: opened{folder: f}}
			_, err := u.readNamed(ctx, namedFile{what: "script", name: "bin/run.sh"})
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			treetest.NoErrorIsLost(t, test.files, test.read)
		})
	}
}
