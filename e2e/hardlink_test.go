package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/packfile/frontend/internal/testbed"
)

// fsutil gives a hard link the name of the file that it is, as it gives a symlink its text.
func TestAHardLinkIsAFile(t *testing.T) {
	t.Parallel()
	dir := modularApp(t, uses("modules/m"), map[string]string{"m": module("acme/m", testbed.Tables(
		testbed.Layer("a").Export().RunFile("run.sh").
			Dep("x", "1", "https://registry.invalid/x", "sha", "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"),
	))})
	m := filepath.Join(dir, "modules", "m")
	write(t, m, map[string]string{"run.sh": "#!/bin/sh\ncat $(get-dep x) > $LAYER/x\n", "deps/x@1": "x"})
	// Of two names it is the second one that is the link.
	for first, second := range map[string]string{"0": "packfile.toml", "a": "run.sh", "deps/x": "deps/x@1"} {
		if err := os.Rename(filepath.Join(m, second), filepath.Join(m, first)); err != nil {
			t.Fatal(err)
		}
		if err := os.Link(filepath.Join(m, first), filepath.Join(m, second)); err != nil {
			t.Fatal(err)
		}
	}
	equal(t, "the layer", request{dir: dir, target: "acme/m/a"}.build(t).read(t, "x"), "x")
}
