package e2e

import (
	"strings"
	"testing"

	"github.com/packfile/frontend/internal/testbed"
)

// What a module sees of others while it is built, and what the app sees of them.

// folders makes the folders of a layer that go into the environment.
const folders = "mkdir $LAYER/bin $LAYER/lib $LAYER/include $LAYER/pkgconfig; "

// variables are those of a file that env wrote.
func variables(text string) map[string]string {
	found := map[string]string{}
	for _, line := range strings.Split(text, "\n") {
		if name, value, ok := strings.Cut(line, "="); ok {
			found[name] = value
		}
	}
	return found
}

// layerPaths are the folders of a path variable that are in layers.
func layerPaths(path string) (paths []string) {
	for _, dir := range strings.Split(path, ":") {
		if strings.HasPrefix(dir, "/layers/") {
			paths = append(paths, dir)
		}
	}
	return paths
}

// exposing are modules of which tool exposes layers; the others write down what they see.
func exposing() (packfile string, modules map[string]string) {
	exposed := func(name string) testbed.LayerTable { return testbed.Layer(name).Expose().Run(folders) }
	look := "env > $LAYER/env"
	return shortGroup("early tool more late"), map[string]string{
		"early": module("acme/early", builds("look", "export = true", look)),
		"tool": module("acme/tool", testbed.Tables(
			exposed("b-second").Env("build", "AT_BUILD", "{{.Layer}}").Env("both", "AT_BOTH", "both").Env("launch", "AT_LAUNCH", "launch").
				Env("build", "LIST", "tool", "op", "append", "delim", ":"),
			exposed("a-first"),
			testbed.Layer("hidden").Run(folders),
			testbed.Layer("exported").Export().Run(folders),
			testbed.Layer("own").Export().Run(look),
			testbed.Layer("linking").Export().Run(look).Link("hidden"),
		)),
		"more": module("acme/more", testbed.Tables(testbed.Layer("m").Expose().Run(folders+"echo \"$LIST\" > $LAYER/list").
			Env("build", "LIST", "more", "op", "append", "delim", ":"))),
		"late": module("acme/late", testbed.Tables(
			testbed.Layer("tests").Export().Test("env > $MD/env").Run("cp $MD/env $LAYER/env"),
			testbed.Layer("full").Export().Test("env > $MD/env", "full-env", true).Run("cp $MD/env $LAYER/env"),
			testbed.Layer("mine").Run("mkdir $LAYER/bin"),
			testbed.Layer("look").Export().Link("mine").
				Run(look+"; test -d /layers/acme_tool/a-first/bin; test ! -e /layers/acme_tool/hidden; test ! -e /layers/acme_early/look"),
			testbed.Required("look-required").Require("env > /tmp/env; grep AT_BUILD /tmp/env && exit 1; exit 100"),
		)),
	}
}

func TestModuleExposedLayersAreInTheEnvironmentOfLaterModules(t *testing.T) {
	t.Parallel()
	packfile, modules := exposing()
	b := request{dir: modularApp(t, packfile+allOf(modules), modules)}.files(t)
	see := func(layer string) map[string]string { return variables(b.read(t, "layers/acme_"+layer+"/env")) }

	// Of modules the last is in front, of layers of one module the last by name, and in front of all what a layer links.
	late := see("late/look")
	for name, folder := range map[string]string{
		"PATH": "bin", "LD_LIBRARY_PATH": "lib", "LIBRARY_PATH": "lib", "CPATH": "include", "PKG_CONFIG_PATH": "pkgconfig",
	} {
		want := []string{"/layers/acme_more/m/" + folder, "/layers/acme_tool/b-second/" + folder, "/layers/acme_tool/a-first/" + folder}
		if name == "PATH" {
			want = append([]string{"/layers/acme_late/mine/bin"}, want...)
		}
		equal(t, name, layerPaths(late[name]), want)
	}
	if !strings.HasSuffix(late["PATH"], ":/bin") {
		t.Errorf("the image's own PATH is not behind: %s", late["PATH"])
	}
	equal(t, "AT_BUILD", late["AT_BUILD"], "/layers/acme_tool/b-second")
	equal(t, "AT_BOTH", late["AT_BOTH"], "both")
	equal(t, "LIST", late["LIST"], "tool:more")
	if v, ok := late["AT_LAUNCH"]; ok {
		t.Errorf("the launch environment is there while building: %q", v)
	}

	t.Run("and of their tests only with full-env", func(t *testing.T) {
		equal(t, "PATH", layerPaths(see("late/full")["PATH"]), []string{"/layers/acme_more/m/bin", "/layers/acme_tool/b-second/bin", "/layers/acme_tool/a-first/bin"})
		equal(t, "AT_BUILD", see("late/full")["AT_BUILD"], "/layers/acme_tool/b-second")
		equal(t, "PATH without", layerPaths(see("late/tests")["PATH"]), []string(nil))
		equal(t, "AT_BUILD without", see("late/tests")["AT_BUILD"], "")
	})
	t.Run("and not of earlier ones", func(t *testing.T) {
		equal(t, "PATH", layerPaths(see("early/look")["PATH"]), []string(nil))
		equal(t, "AT_BOTH", see("early/look")["AT_BOTH"], "")
	})
	t.Run("and of its own module only what is linked", func(t *testing.T) {
		equal(t, "PATH", layerPaths(see("tool/own")["PATH"]), []string(nil))
		equal(t, "AT_BOTH", see("tool/own")["AT_BOTH"], "")
		equal(t, "PATH with a link", layerPaths(see("tool/linking")["PATH"]), []string{"/layers/acme_tool/hidden/bin"})
	})
}

// A layer that is exposed is seen by those that may look at it, and so it is another one to them when it changes.
func TestModuleExposedLayerThatChangesRebuildsLaterModules(t *testing.T) {
	t.Parallel()
	modules := func(content string) map[string]string {
		return map[string]string{
			"early": module("acme/early", builds("e", "export = true\nversion = \"1\"", stamp)),
			"tool":  module("acme/tool", builds("x", "expose = true\nversion = \"1\"", "echo "+content+" > $LAYER/content")),
			"user":  module("acme/user", builds("u", "export = true\nversion = \"1\"", stamp)),
		}
	}
	dir := modularApp(t, shortGroup("early tool user")+allOf(modules("")), modules("one"))
	r := request{dir: dir, opts: map[string]string{"build-arg:PACKFILE_APP": dir}}
	stamps := func() [2]string {
		b := r.files(t)
		return [2]string{b.read(t, "layers/acme_early/e/stamp"), b.read(t, "layers/acme_user/u/stamp")}
	}
	first := stamps()
	equal(t, "stamps when nothing changed", stamps(), first)
	for name, text := range modules("two") {
		write(t, dir, map[string]string{"modules/" + name + "/packfile.toml": text})
	}
	second := stamps()
	if second[0] != first[0] || second[1] == first[1] {
		t.Errorf("stamps of an earlier and a later module were %q and are %q", first, second)
	}
}

func TestModuleExportedLayersAreInTheLaunchEnvironment(t *testing.T) {
	t.Parallel()
	variable := func(name, value, more string) string {
		return "[[layers.build.env.launch]]\nname = \"" + name + "\"\nvalue = \"" + value + "\"\n" + more
	}
	list := "op = \"append\"\ndelim = \":\"\n"
	modules := map[string]string{
		"a": module("acme/a", builds("z", "export = true", folders)+variable("OVER", "a/z", "")+variable("LIST", "a/z", list)+
			builds("y", "export = true", folders)+variable("OVER", "a/y", "")+variable("LIST", "a/y", list)),
		"b": module("acme/b", process("web", "env")+
			builds("x", "export = true", folders)+variable("OVER", "b/x", "")+variable("LIST", "b/x", list)+
			builds("exposed", "expose = true", folders)+variable("HIDDEN", "x", "")),
		"c": module("acme/c", requires("wanted", "export = true")),
		"d": module("acme/d", testbed.Tables(testbed.Provided("wanted").Run("mkdir $LAYER/bin").Env("launch", "WANTED", "{{.Layer}}"))),
	}
	image := request{dir: modularApp(t, shortGroup("d a b c")+allOf(modules), modules), runImg: env.busybox}.push(t)
	got := variables(container(t, image, nil))
	equal(t, "PATH", layerPaths(got["PATH"]), []string{"/layers/acme_b/x/bin", "/layers/acme_a/z/bin", "/layers/acme_a/y/bin", "/layers/acme_d/wanted/bin"})
	equal(t, "LD_LIBRARY_PATH", layerPaths(got["LD_LIBRARY_PATH"]), []string{"/layers/acme_b/x/lib", "/layers/acme_a/z/lib", "/layers/acme_a/y/lib"})
	equal(t, "OVER", got["OVER"], "b/x")
	equal(t, "LIST", got["LIST"], "a/y:a/z:b/x")
	equal(t, "WANTED", got["WANTED"], "/layers/acme_d/wanted")
	if _, ok := got["HIDDEN"]; ok {
		t.Error("the environment of a layer that is not exported is there")
	}
}
