package e2e

import (
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
