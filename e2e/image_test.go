package e2e

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/packfile/frontend/internal/testbed"
	"github.com/packfile/frontend/layerkey"
)

// The app image: what it says of itself, what is in its layers, and what it does when it is run.

func TestImageHasOneLayerForEachPartInFileOrder(t *testing.T) {
	t.Parallel()
	layer := func(name string) testbed.LayerTable {
		return testbed.Layer(name).Run("echo " + name + " > $LAYER/file")
	}
	dir := files(t, map[string]string{"a.css": "", "img/a.png": "", "app.txt": "", "packfile.toml": testbed.Packfile(
		testbed.Process("web", "true"),
		testbed.Slice("*.css"),
		testbed.Slice("img"),
		layer("b").Export(), layer("hidden").Expose(), layer("a").Export().Expose(), layer("none").With("store", true),
	)})
	img := request{dir: dir, runImg: env.busybox}.export(t)
	ours := img.ours()
	equal(t, "layers", origins(ours), []string{"layer b", "layer a", "sbom", "app slice", "app slice", "app", "launcher", "launch metadata", "process types"})
	for i, want := range [][]string{
		{"layers/packfile/b/file"},
		{"layers/packfile/a/file"},
		{"layers/sbom/launch/packfile/a/sbom.spdx.json", "layers/sbom/launch/packfile/b/sbom.spdx.json", "layers/sbom/launch/packfile/sbom.spdx.json"},
		{"workspace/a.css"},
		{"workspace/img/a.png"},
		{"workspace/app.txt", "workspace/packfile.toml"},
		{"cnb/lifecycle/launcher"},
		{"layers/config/metadata.toml"},
		{"cnb/process/web"},
	} {
		if i < len(ours) {
			equal(t, "files of "+ours[i].origin, ours[i].names(), want)
		}
	}
	base := inspect(t, env.busybox)
	equal(t, "diff ids of the run image", img.RootFS.DiffIDs[:len(base.RootFS.DiffIDs)], base.RootFS.DiffIDs)
	equal(t, "history of the run image", img.History[:len(base.History)], base.History)
	equal(t, "link of the process", ours[len(ours)-1].files["cnb/process/web"].Linkname, "/cnb/lifecycle/launcher")
}

func TestImageConfigIsTheRunImagesWithTheLauncher(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"packfile.toml": testbed.Packfile(testbed.Process("web", "true"))})
	base := inspect(t, env.runImage)
	img := request{dir: dir, runImg: env.runImage}.export(t)
	labels := maps.Clone(base.Config.Labels)
	labels[layerkey.LabelName] = `{"name":"packfile","time":315619201,"layers":[]}`
	for _, name := range cnbLabels {
		labels[name] = img.Config.Labels[name] // see TestLabels
	}
	equal(t, "config", img.Config, ocispecs.ImageConfig{
		User: "1000:1000",
		Env: []string{
			"PATH=/cnb/process:/cnb/lifecycle:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
			"CNB_LAYERS_DIR=/layers",
			"CNB_APP_DIR=/workspace",
			"CNB_PLATFORM_API=0.12",
			"CNB_DEPRECATION_MODE=quiet",
		},
		Entrypoint: []string{"/cnb/process/web"},
		WorkingDir: "/workspace",
		Labels:     labels,
	})
	equal(t, "platform", img.Platform, base.Platform)
	equal(t, "created", img.Created.Unix(), int64(epoch))
}

func TestEntrypointIsTheDefaultProcess(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ processes, want string }{
		"the one that says so":     {"web: worker:default", "/cnb/process/worker"},
		"else web":                 {"worker: web: x:", "/cnb/process/web"},
		"else the only one":        {"worker:", "/cnb/process/worker"},
		"else the launcher":        {"worker: clock:", "/cnb/lifecycle/launcher"},
		"no process: launcher":     {"", "/cnb/lifecycle/launcher"},
		"a type with dot and dash": {"a.b-c_1:", "/cnb/process/a.b-c_1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var processes []testbed.Part
			for _, p := range strings.Fields(test.processes) {
				kind, isDefault, _ := strings.Cut(p, ":")
				processes = append(processes, testbed.Process(kind, "true").With("default", isDefault != ""))
			}
			img := request{dir: files(t, map[string]string{"packfile.toml": testbed.Packfile(processes...)})}.export(t)
			equal(t, "entrypoint", img.Config.Entrypoint, []string{test.want})
		})
	}
}

func TestUserOfAppImageAndFiles(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		config   []any
		runImg   string
		uid, gid int
		user     string
	}{
		"the images'":     {nil, env.busybox, 1000, 1000, "1000:1000"},
		"that of config":  {[]any{"user", "1001:1002"}, env.busybox, 1001, 1002, "1001:1002"},
		"a name in there": {[]any{"user", "cnb"}, env.busybox, 1000, 1000, "1000:1000"},
		"scratch has one": {nil, "scratch", 1000, 1000, "1000:1000"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			img := request{runImg: test.runImg, dir: files(t, map[string]string{"app/x": "", "packfile.toml": testbed.Packfile(
				testbed.Config(append(test.config, "shell", "/bin/sh -eu")...),
				testbed.Slice("app"),
				testbed.Layer("a").Export().Run("mkdir $LAYER/d; echo x > $LAYER/d/f; ln -s f $LAYER/d/s").Env("launch", "A", "a"),
			)})}.export(t)
			equal(t, "user of the image", img.Config.User, test.user)
			for _, l := range img.ours() {
				for path, f := range l.files {
					inApp := path == "workspace" || strings.HasPrefix(path, "workspace/") || strings.HasPrefix(path, "layers/packfile/a")
					if inApp && (f.Uid != test.uid || f.Gid != test.gid) {
						t.Errorf("%s in %s belongs to %d:%d", path, l.origin, f.Uid, f.Gid)
					}
					if strings.HasPrefix(path, "cnb/") && (f.Uid != 0 || f.Gid != 0) {
						t.Errorf("%s belongs to %d:%d", path, f.Uid, f.Gid)
					}
					if f.Uname != "" || f.Gname != "" {
						t.Errorf("%s belongs to %s:%s: a name", path, f.Uname, f.Gname)
					}
				}
			}
		})
	}
}

// allKinds is an app with everything that a layer of an image can hold.
func allKinds(t *testing.T) string {
	dir := files(t, map[string]string{
		"app.txt": "", "deep/down/in/the/app.css": "x", "img/a.png": "", "gone.txt": "", "über/ß.txt": "",
		"packfile.toml": testbed.Packfile(
			testbed.Process("web", "true"),
			testbed.Slice("**/*.css"),
			testbed.Slice("img"),
			testbed.Slice("matches/nothing"),
			testbed.Cache("c"),
			testbed.Layer("a").Export().Inputs("deep/**/*.css").Run(`
mkdir -p $LAYER/bin $LAYER/empty/folder
cp -rp . $LAYER/app
find . -exec stat -c "%n %a %Y" {} + | sort > $LAYER/list
echo x > $LAYER/bin/tool
chmod 755 $LAYER/bin/tool
ln $LAYER/bin/tool $LAYER/bin/hardlink
ln -s tool $LAYER/bin/symlink
mkfifo $LAYER/fifo
touch -t 203001010000 $LAYER/future
`).
				Link("c").Env("both", "E", "e").Profile("true"),
			testbed.Layer("b").Export().Version("1").
				Run("find . /layers/packfile/a -exec stat -c '%n %a %Y' {} + | sort > $LAYER/list; cp -rp $APP $LAYER/app").
				Link("a"),
			testbed.Layer("change").LockApp().Run("echo new > new.txt; rm gone.txt; echo new > img/new.png"),
		)})
	if err := os.Symlink("app.txt", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "empty/folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestEveryFileInTheImageHasOneTime(t *testing.T) {
	t.Parallel()
	dir := allKinds(t)
	for name, test := range map[string]struct {
		opts map[string]string
		want int64
	}{
		"1980-01-02T00:00:01Z": {nil, epoch},
		"SOURCE_DATE_EPOCH":    {map[string]string{"build-arg:SOURCE_DATE_EPOCH": "1700000000"}, 1700000000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			img := request{dir: dir, runImg: env.busybox, opts: test.opts}.export(t)
			equal(t, "created", img.Created.Unix(), test.want)
			ours := img.ours()
			equal(t, "layers", origins(ours), []string{"layer a", "layer b", "sbom", "app slice", "app slice", "app slice", "app", "launcher", "launch metadata", "process types"})
			for _, h := range img.History[len(img.History)-len(ours):] {
				equal(t, "created in history of "+h.CreatedBy, h.Created.Unix(), test.want)
			}
			for _, l := range ours {
				for path, f := range l.files {
					if f.ModTime.Unix() != test.want || f.ModTime.Nanosecond() != 0 {
						t.Errorf("%s: %s has the time %s", l.origin, path, f.ModTime.UTC())
					}
					if !f.AccessTime.IsZero() || !f.ChangeTime.IsZero() {
						t.Errorf("%s: %s has more times than one: %+v", l.origin, path, f.Header)
					}
				}
			}
		})
	}
}

func TestSlicesTakeEachFileOnce(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{
		"top.css": "", "index.html": "", "public/a.css": "", "public/img/a.png": "", "public/img/deep/b.css": "", "public/page.html": "",
		"other/img/c.png": "", "docs.d/x.css/inside.txt": "", "script[1].js": "", "packfile.toml": testbed.Packfile(
			testbed.Slice("public/img"),
			testbed.Slice("*.css", "docs.d/"),
			testbed.Slice("**/*.css", "img"),
			testbed.Slice("public/*", "./script[[]1].js"),
		)})
	ours := request{dir: dir}.export(t).ours()
	var got [][]string
	for _, l := range ours {
		if strings.HasPrefix(l.origin, "app") {
			got = append(got, l.names())
		}
	}
	equal(t, "slices and rest", got, [][]string{
		{"workspace/public/img/a.png", "workspace/public/img/deep/b.css"}, // a folder takes its children
		{"workspace/docs.d/x.css/inside.txt", "workspace/top.css"},        // a * does not match in folders below
		{"workspace/public/a.css"},                                        // what is in a slice is in no later one
		{"workspace/public/page.html", "workspace/script[1].js"},
		{"workspace/index.html", "workspace/other/img/c.png", "workspace/packfile.toml"}, // globs start at the app's folder
	})
	seen := map[string]string{}
	for _, l := range ours {
		for _, name := range l.names() {
			if other, ok := seen[name]; ok {
				t.Errorf("%s is in %s and in %s", name, other, l.origin)
			}
			seen[name] = l.origin
		}
	}
}

func TestLayerOfAnImageIsTheSameWhateverIsAroundIt(t *testing.T) {
	t.Parallel()
	packfile := testbed.Packfile(
		testbed.Slice("a.css"),
		testbed.Layer("a").Export().Version("1").Run(stamp),
	)
	dir := files(t, map[string]string{"a.css": "", "b.css": "", "packfile.toml": packfile})
	layers := func(runImg string) map[string]digest.Digest {
		img := request{dir: dir, runImg: runImg, opts: map[string]string{"build-arg:PACKFILE_APP": dir}}.export(t)
		all := map[string]digest.Digest{}
		for _, l := range img.ours() {
			all[l.origin] = l.digest
		}
		return all
	}
	first := layers(env.busybox)
	equal(t, "layers on another run image", layers(env.empty), first)
	write(t, dir, map[string]string{"b.css": "edited", "packfile.toml": packfile + "[[processes]]\ntype = \"web\"\ncommand = [\"true\"]\n"})
	second := layers(env.busybox)
	for _, origin := range []string{"layer a", "app slice", "launcher"} {
		if second[origin] != first[origin] {
			t.Errorf("%s changed with an edit elsewhere", origin)
		}
	}
	for _, origin := range []string{"app", "launch metadata"} {
		if second[origin] == first[origin] {
			t.Errorf("%s is as before its edit", origin)
		}
	}
}
