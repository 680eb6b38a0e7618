package run

import (
	"os"
	"strings"
	"testing"

	"github.com/packfile/frontend/step"
)

// newSetupBox is a container with a cache that has a setup script, which notes every run in the cache.
func newSetupBox(t *testing.T) *box {
	b := newBox(t, step.KindRun).script(`cat "$NPM/runs"`)
	b.mkdir("/caches/npm")
	b.write(step.SpecDir+"/setup", `echo ran >> "$CACHE/runs"`)
	b.spec.Links = []step.Link{{Name: "npm", Dir: b.path("/caches/npm"), Cache: true, PathAs: "NPM"}}
	b.spec.Setups = []step.Setup{{CacheDir: b.path("/caches/npm"), Script: step.Script{Shell: []string{"/bin/sh"}, File: "setup"}}}
	return b
}

func TestACacheIsEmptiedAndSetUpWhenItIsNewOrItsScriptChanged(t *testing.T) {
	b := newSetupBox(t)
	b.expect("ran")
	b.expect("ran")
	b.write(step.SpecDir+"/setup", `echo ran again >> "$CACHE/runs"`)
	b.expect("ran again")
	b.write("/caches/npm/left/by/a/script", "x")
	b.must(os.Chmod(b.path("/caches/npm/left/by"), 0o555))
	b.spec.Setups[0].Script.Shell = []string{"/usr/bin/env", "sh"}
	b.expect("ran again")
	if b.exists("/caches/npm/left") {
		t.Error("with another shell the cache is not emptied")
	}
	b.expect("ran again")
	b.must(os.RemoveAll(b.path("/caches/npm")))
	b.mkdir("/caches/npm")
	b.expect("ran again")
}

func TestASetupThatFailsFailsTheStepAndRunsAgain(t *testing.T) {
	b := newSetupBox(t)
	b.write(step.SpecDir+"/setup", `echo ran >> "$CACHE/runs"; exit 9`)
	for range 2 {
		b.fail(9, `layer "modules": setup script of cache "npm" failed with exit code 9`)
	}
	if b.exists("/caches/npm/" + setupMarker) {
		t.Error("the cache is marked")
	}
	if got := b.read("/caches/npm/runs"); got != "ran\n" {
		t.Errorf("runs: %q", got)
	}

	t.Run("also in a cache that was set up with another script", func(t *testing.T) {
		b := newSetupBox(t)
		b.expect("ran")
		good := b.read(step.SpecDir + "/setup")
		b.write(step.SpecDir+"/setup", "exit 100") // not wanted means nothing here
		b.fail(100, "setup script of cache")
		b.write(step.SpecDir+"/setup", good)
		b.expect("ran")
	})
}

func TestASetupSeesTheUsersEnvironmentAndItsCache(t *testing.T) {
	b := newSetupBox(t)
	b.write(step.SpecDir+"/setup", "pwd; cat file\n"+see("APP", "CACHE", "USER_VAR", "PATH", "MD", "LAYER", "NPM", "LINK", "OWN"))
	b.write(step.SetupAppDir+"/file", "the app's\n")
	b.spec.Script = nil
	b.spec.Platform = []step.Variable{{Name: "USER_VAR", Value: "x"}}
	b.spec.Links = append(b.spec.Links, b.layer("one"))
	b.spec.Env = []step.EnvFile{{Dir: "env", Name: "OWN", Op: "override", Value: "x"}}
	b.expect("ROOT/packfile/app", "the app's", "APP=ROOT/packfile/app", "CACHE=ROOT/caches/npm", "USER_VAR=x",
		"PATH=ROOT/packfile/bin:/usr/local/bin:/usr/bin:/bin", "MD unset", "LAYER unset", "NPM unset", "LINK unset", "OWN unset")
}

func TestAMarkerThatIsNoFileIsReplaced(t *testing.T) {
	for _, test := range []struct {
		name string
		make func(b *box, marker string)
	}{
		{"a symlink", func(b *box, marker string) { b.symlink(b.path("/precious"), marker) }},
		{"a symlink in place of the next marker", func(b *box, marker string) { b.symlink(b.path("/precious"), marker+".next") }},
		{"a folder", func(b *box, marker string) { b.write(marker+"/file", "") }},
		{"something longer", func(b *box, marker string) { b.write(marker, strings.Repeat("x", 100)) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newSetupBox(t)
			b.write("/precious", "precious")
			test.make(b, "/caches/npm/"+setupMarker)
			b.expect("ran")
			b.expect("ran")
			if b.read("/precious") != "precious" {
				t.Error("a link was followed")
			}
		})
	}
}
