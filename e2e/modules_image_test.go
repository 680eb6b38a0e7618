package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"github.com/packfile/frontend/cnb/label"
	"github.com/packfile/frontend/internal/testbed"
)

// The image of a build with modules: what each of them is in it.

func TestModuleLayersSlicesAndLabelsComeInGroupOrder(t *testing.T) {
	t.Parallel()
	slice := func(glob string) string { return testbed.Tables(testbed.Slice(glob)) }
	modules := map[string]string{
		"z": module("acme/z@1.0", "[config.labels]\nwho = \"z\"\nonly-z = \"z\"\n"+slice("*.css")+
			builds("same", "export = true\nstore = true", "echo of z > $LAYER/file")+builds("last", "export = true", "echo l > $LAYER/file")),
		"a": module("acme/a@2.0", "homepage = \"https://example.com/a\"\nname = \"A\"\n[config.labels]\nwho = \"a\"\n"+slice("*.css")+slice("*.png")+
			builds("same", "export = true", "echo of a > $LAYER/file; cat /layers/acme_z/same/file && exit 1; true")),
		"none": module("acme/none", process("none", "true")),
	}
	packfile := "id = \"acme/app\"\nversion = \"3.0\"\n[config.labels]\nonly-app = \"app\"\n" + slice("*.txt") +
		builds("same", "export = true", "echo of app > $LAYER/file") + shortGroup("z a none") + allOf(modules)
	dir := modularApp(t, packfile, modules)
	write(t, dir, map[string]string{"a.css": "", "a.png": "", "a.html": ""})
	img := request{dir: dir, runImg: env.busybox}.export(t)
	equal(t, "layers", origins(img.ours()), []string{
		"layer acme/z/same", "layer acme/z/last", "layer acme/a/same", "layer acme/app/same", "sbom",
		"app slice", "app slice", "app slice", "app slice", "app", "launcher", "launch metadata", "process types",
	})
	var slices [][]string
	for _, l := range img.ours() {
		switch {
		case strings.HasPrefix(l.origin, "layer "):
			id, name, _ := cutLast(strings.TrimPrefix(l.origin, "layer "), "/")
			equal(t, "files of "+l.origin, l.names(), []string{"layers/" + strings.ReplaceAll(id, "/", "_") + "/" + name + "/file"})
		case strings.HasPrefix(l.origin, "app"):
			slices = append(slices, l.names())
		}
	}
	equal(t, "slices", slices, [][]string{{"workspace/a.css"}, nil, {"workspace/a.png"}, {"workspace/app.txt"}, {"workspace/a.html"}})
	for origin, want := range map[string]string{"acme/z": "of z\n", "acme/a": "of a\n", "acme/app": "of app\n"} {
		equal(t, origin, img.layer(t, "layer "+origin+"/same").files["layers/"+strings.Replace(origin, "/", "_", 1)+"/same/file"].content, want)
	}

	equal(t, "the label of the last counts", img.Config.Labels["who"], "a")
	equal(t, "labels of one", img.Config.Labels["only-z"]+img.Config.Labels["only-app"], "zapp")
	equal(t, "what the app is called", img.Config.Labels["org.opencontainers.image.version"], "3.0")
	if title, ok := img.Config.Labels["org.opencontainers.image.title"]; ok {
		t.Errorf("the name of a module is the image's: %q", title)
	}

	md := cnbLabel[label.LifecycleMetadata](t, img.Config.Labels[label.Lifecycle])
	var of []string
	for _, bp := range md.Buildpacks {
		for _, name := range sortedKeys(bp.Layers) {
			of = append(of, fmt.Sprintf("%s@%s/%s %t", bp.Key, bp.Version, name, bp.Layers[name].Cache))
			equal(t, "diff id of "+bp.Key+"/"+name, bp.Layers[name].SHA, img.diffID(t, "layer "+bp.Key+"/"+name, 0))
		}
	}
	equal(t, "layers in the label of the lifecycle", of, []string{
		"acme/z@1.0/last false", "acme/z@1.0/same true", "acme/a@2.0/same false", "acme/app@3.0/same false",
	})
	equal(t, "app layers", len(md.App), 5)
	build := cnbLabel[label.BuildMetadata](t, img.Config.Labels[label.Build])
	equal(t, "buildpacks", build.Buildpacks, []label.Buildpack{
		{ID: "acme/z", Version: "1.0"}, {ID: "acme/a", Version: "2.0", Homepage: "https://example.com/a"},
		{ID: "acme/none", Version: "0.0.0"}, {ID: "acme/app", Version: "3.0"},
	})
	var launch struct {
		Buildpacks []struct{ ID string }
		Slices     []struct{ Paths []string }
	}
	if _, err := toml.Decode(img.layer(t, "launch metadata").files["layers/config/metadata.toml"].content, &launch); err != nil {
		t.Fatal(err)
	}
	equal(t, "launch metadata", fmt.Sprint(launch), "{[{acme/z} {acme/a} {acme/none} {acme/app}] [{[*.css]} {[*.css]} {[*.png]} {[*.txt]}]}")
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

func sortedKeys[V any](m map[string]V) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func TestModuleProcessReplacesThatOfAnEarlierModule(t *testing.T) {
	t.Parallel()
	modules := map[string]string{
		"a": module("acme/a", process("web", "echo web of a")+process("worker", "echo worker of a")),
		"b": module("acme/b", process("web", "echo web of b; id -u")+process("clock", "echo clock of b")),
	}
	image := request{dir: modularApp(t, process("clock", "echo clock of app")+allOf(modules), modules), runImg: env.busybox}.push(t)
	for kind, want := range map[string]string{"web": "web of b\n1000\n", "worker": "worker of a\n", "clock": "clock of app\n"} {
		equal(t, kind, container(t, image, []string{"--entrypoint", "/cnb/process/" + kind}), want)
	}
	equal(t, "default", container(t, image, nil), "clock of app\n")
	var of []string
	for _, p := range cnbLabel[label.BuildMetadata](t, inspect(t, image).Config.Labels[label.Build]).Processes {
		of = append(of, p.Type+" "+p.BuildpackID)
	}
	equal(t, "processes", of, []string{"clock packfile", "web acme/b", "worker acme/a"})
}

func TestModuleDefaultProcess(t *testing.T) {
	t.Parallel()
	const isDefault = "default = true\n"
	for name, test := range map[string]struct{ a, b, app, want string }{
		"the one that a module marks":                  {process("x", "true") + isDefault, process("web", "true"), "", "x"},
		"the last that is marked":                      {process("x", "true") + isDefault, process("y", "true") + isDefault, "", "y"},
		"not one that is replaced by another":          {process("x", "true") + isDefault, process("x", "true") + process("web", "true"), "", "web"},
		"else web":                                     {process("web", "true"), process("x", "true"), "", "web"},
		"else the only one":                            {process("x", "true"), process("x", "true"), "", "x"},
		"else the launcher":                            {process("x", "true"), process("y", "true"), "", ""},
		"nor one that another has in the app":          {process("web", "true") + isDefault, "", process("z", "true"), "z"},
		"the packfile that is built has the last word": {process("x", "true") + isDefault, "", process("z", "true") + isDefault, "z"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			modules := map[string]string{"a": module("acme/a", test.a), "b": module("acme/b", test.b)}
			want := "/cnb/lifecycle/launcher"
			if test.want != "" {
				want = "/cnb/process/" + test.want
			}
			equal(t, "entrypoint", request{dir: modularApp(t, test.app+allOf(modules), modules)}.export(t).Config.Entrypoint, []string{want})
		})
	}
}
