package e2e

import (
	"crypto/rand"
	"path/filepath"
	"strings"
	"testing"

	"github.com/packfile/frontend/internal/testbed"
)

// What of the app is in the image: config.app, with slices and with layers that change the app.

// appFiles are the files of the app in an image: a list for each slice, and one for the rest.
func (img image) appFiles() (lists [][]string) {
	for _, l := range img.ours() {
		if strings.HasPrefix(l.origin, "app") {
			names := []string{}
			for _, n := range l.names() {
				names = append(names, strings.TrimPrefix(n, "workspace/"))
			}
			lists = append(lists, names)
		}
	}
	return lists
}

func TestTheImageHasOfTheAppWhatConfigSays(t *testing.T) {
	t.Parallel()
	app := map[string]string{
		"src/a.ts": "", "src/a.test.ts": "", "dist/a.js": "", "dist/a.js.map": "", "dist/sub/b.js": "", "dist/sub/b.js.map": "", "app/[slug]/page": "", "app/s/page": "",
	}
	for name, test := range map[string]struct {
		app   []string
		parts []testbed.Part
		want  [][]string
	}{
		"a folder without some files": {[]string{"dist", "!**/*.map"}, nil, [][]string{{"dist/a.js", "dist/sub/b.js"}}},
		"all but some":                {[]string{"!src", "!*/**/*.map", "!packfile.toml", "!app"}, nil, [][]string{{"dist/a.js", "dist/sub/b.js"}}},
		"a file again":                {[]string{"dist", "!**/*.map", "dist/sub"}, nil, [][]string{{"dist/a.js", "dist/sub/b.js", "dist/sub/b.js.map"}}},
		"a name with brackets":        {[]string{`app/\[slug\]/page`}, nil, [][]string{{"app/[slug]/page"}}},
		"in slices": {[]string{"dist", "!**/*.map"}, []testbed.Part{testbed.Slice("**/sub", "src"), testbed.Slice("**/*.map", "dist/a.js")},
			[][]string{{"dist/sub/b.js"}, {"dist/a.js"}, {}}},
		"in slices with exclusions": {[]string{"!packfile.toml"}, []testbed.Part{testbed.Slice("dist", "!dist/sub"), testbed.Slice("**", "!src", "!app")},
			[][]string{{"dist/a.js", "dist/a.js.map"}, {"dist/sub/b.js", "dist/sub/b.js.map"}, {"app/[slug]/page", "app/s/page", "src/a.test.ts", "src/a.ts"}}},
		"files that a layer makes": {[]string{"out", "!out/*.map"}, []testbed.Part{
			testbed.Layer("make").LockApp().Run("mkdir out; cp dist/*.js dist/*.map out; rm -r dist")}, [][]string{{"out/a.js"}}},
		"files that a layer makes in a slice": {[]string{"out"}, []testbed.Part{testbed.Slice("**/*.map"),
			testbed.Layer("make").LockApp().Run("mkdir out; cp dist/*.js dist/*.map out")}, [][]string{{"out/a.js.map"}, {"out/a.js"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			parts := append([]testbed.Part{
				testbed.Config("shell", "/bin/sh -eu", "app", test.app),
				testbed.Layer("seen").Export().Run("test -e src/a.ts; test -e packfile.toml; test -e dist/a.js.map; echo all > $LAYER/seen"),
			}, test.parts...)
			dir := files(t, app)
			write(t, dir, map[string]string{"packfile.toml": testbed.Packfile(parts...)})
			img := request{dir: dir}.export(t)
			equal(t, "files of the app", img.appFiles(), test.want)
			equal(t, "what steps see", img.layer(t, "layer seen").files["layers/packfile/seen/seen"].content, "all\n")
			for _, l := range img.ours() {
				if strings.HasPrefix(l.origin, "app") {
					equal(t, "owner of the app's folder", l.files["workspace"].Uid, 1000)
				}
			}
		})
	}
}

func TestAnAppThatLeavesNothingIsAnErrorAtItsKey(t *testing.T) {
	t.Parallel()
	makes := testbed.Layer("make").LockApp().Run("mkdir out; cp app.txt out")
	for name, test := range map[string]struct {
		app   []string
		parts []testbed.Part
		want  []string
	}{
		"nothing matches":          {[]string{"dist"}, nil, []string{`3:8: app: no file of the app matches "dist"`}},
		"nothing is left":          {[]string{"app.txt", "!*.txt"}, nil, []string{`3:8: app: exclusions take away every file of the app that matches "app.txt"`}},
		"all is excluded":          {[]string{"!."}, nil, nil},
		"what no layer has made":   {[]string{"dist"}, []testbed.Part{makes}, []string{`3:8: app: no file of the app matches "dist"`}},
		"what a layer has removed": {[]string{"app.txt"}, []testbed.Part{testbed.Layer("make").LockApp().Run("rm app.txt")}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := files(t, map[string]string{"app.txt": "", "packfile.toml": testbed.Packfile(append([]testbed.Part{
				testbed.Config("shell", "/bin/sh -eu", "app", test.app)}, test.parts...)...)})
			log := request{dir: dir}.fail(t)
			contains(t, log, "packfile.toml:4:7: app: nothing of the app would be in the image", ">>> app")
			for _, want := range test.want {
				contains(t, log, strings.Replace(want, "3:8", "4:8", 1))
			}
			if test.parts != nil { // a layer alone has no app
				request{dir: dir, target: "make"}.build(t)
			}
		})
	}
	t.Run("a part of it is not there when a layer has run", func(t *testing.T) {
		t.Parallel()
		dir := files(t, map[string]string{"app.txt": "", ".dockerignore": "gone", "packfile.toml": testbed.Packfile(
			testbed.Config("shell", "/bin/sh -eu", "app", []string{"out", "gone", "!out/*.map"}), makes)})
		log, err := buildx(t, dir)
		if err != nil {
			t.Fatal(err, log)
		}
		contains(t, log, `app: no file of the app matches "gone"`+"\n", `app: "!out/*.map" takes nothing away`)
		if strings.Contains(log, `matches "out"`) {
			t.Errorf("what the layer makes is missed:\n%s", log)
		}
	})
}

func TestAnotherChoiceOfTheAppRunsNoStepAndChangesNoOtherLayer(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"src/a": rand.Text(), "dist/a": rand.Text()})
	text := func(app ...string) string {
		return testbed.Packfile(testbed.Config("shell", "/bin/sh -eu", "app", app), testbed.Layer("version").Export().Version("1").Run(stamp),
			testbed.Layer("whole").Export().Run(stamp), testbed.Layer("inputs").Export().Inputs("src").Run(stamp))
	}
	r := request{dir: dir, opts: map[string]string{"build-arg:PACKFILE_APP": rand.Text()}}
	write(t, dir, map[string]string{"packfile.toml": text("dist"), ".dockerignore": "packfile.toml\n"})
	_, first := r.pushTo(t, imageName(t))
	write(t, dir, map[string]string{"packfile.toml": text("!src")})
	b, second := r.pushTo(t, imageName(t))
	if ran := b.runSteps(); len(ran) > 0 {
		t.Errorf("run steps ran: %v", ran)
	}
	for _, origin := range first.origins() {
		same := first.blob(t, origin).Digest == second.blob(t, origin).Digest
		if !same && origin != "app" {
			t.Errorf("%s has another digest", origin)
		}
	}
	equal(t, "records of layers", second.label, first.label)
}

func TestTheAppsChoiceIsThatOfThePackfileBeingBuilt(t *testing.T) {
	t.Parallel()
	modules := map[string]string{"m": module("acme/m", "app = [\"gone\"]\n"+testbed.Slice("*.css").String())}
	dir := modularApp(t, "app = [\"*.txt\", \"a.css\"]\n"+uses("modules/m"), modules)
	write(t, dir, map[string]string{"a.css": "", "b.css": "", "b.html": ""})
	img := request{dir: dir}.export(t)
	log, err := buildx(t, dir)
	if err != nil {
		t.Fatal(err, log)
	}
	contains(t, log, "modules/m/packfile.toml:4: config.app of a module is not used: the packfile that is built says it")
	equal(t, "files of the app", img.appFiles(), [][]string{{"a.css"}, {"app.txt"}})

	write(t, dir, map[string]string{"project.toml": descriptorHead + "[[io.buildpacks.group]]\nuri = \"modules/m\"\n[io.packfile.config]\napp = [\"*.html\", \"b.css\", \"gone\"]\n"})
	img = request{dir: dir, opts: map[string]string{"filename": "project.toml"}}.export(t)
	equal(t, "files of the app of a project", img.appFiles(), [][]string{{"b.css"}, {"b.html"}})
	log, err = buildx(t, dir, "-f", filepath.Join(dir, "project.toml"), "--build-arg", "BUILDKIT_SYNTAX="+env.frontend)
	if err != nil {
		t.Fatal(err, log)
	}
	contains(t, log, `project.toml:9: app: no file of the app matches "gone"`)
	write(t, dir, map[string]string{"project.toml": descriptorHead + "[[io.buildpacks.group]]\nuri = \"modules/m\"\n[io.packfile.config]\napp = [\"gone\"]\n"})
	contains(t, request{dir: dir, opts: map[string]string{"filename": "project.toml"}}.fail(t), "project.toml:9:7: app: nothing of the app would be in the image")
}

func TestAFolderOfAProcessThatTheAppsChoiceTakesAwayIsNamed(t *testing.T) {
	t.Parallel()
	starts := func(typ, dir string) testbed.Part {
		return testbed.Process(typ, "true").With("working-dir", dir)
	}
	dir := files(t, map[string]string{"src/a": "", "dist/sub/a": "", "lib/a": "", "packfile.toml": testbed.Packfile(
		testbed.Config("shell", "/bin/sh -eu", "app", []string{"dist"}), testbed.Text("image.volumes = ['/workspace/data']\n"),
		starts("gone", "src"), starts("absolute", "/workspace/lib"), starts("there", "dist/sub"), starts("whole", "/workspace"),
		starts("elsewhere", "/tmp"), starts("missing", "no"), starts("volume", "data"), starts("linked", "node_modules/x"),
		testbed.Layer("modules").Export().Version("1").With("build.app-symlinks.node_modules", ".").Run("mkdir $LAYER/x"),
	)})
	log, err := buildx(t, dir)
	if err != nil {
		t.Fatal(err, log)
	}
	contains(t, log, `working-dir: "src" is not in the image`, `working-dir: "lib" is not in the image`)
	equal(t, "warnings", strings.Count(log, "is not in the image: app leaves nothing of it"), 2)
}
