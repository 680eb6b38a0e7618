package e2e

import (
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/packfile/frontend/internal/testbed"
)

// Files whose names hold what is special in patterns.

// hardFileNames are such names. As a pattern each would match another file, or none.
var hardFileNames = []string{
	"[abc]", "*", "?", "!a", "a!", " a", "a ", "a b", "#a", "^a*", "{a,b}", "[!a]", "a**", "[", "]", "a[b]/c", "!a/b", "*/a",
}

func TestScriptPathsAreNamesAndNotPatterns(t *testing.T) {
	t.Parallel()
	contents := map[string]string{"a": "exit 2", "b": "exit 3", "ab": "exit 4", "abc/c": "exit 5", "x/a": "exit 6"}
	text, want := testbed.Packfile(testbed.Layer("a").RunFile("scripts/[run].sh")), ""
	for i, name := range hardFileNames {
		contents["scripts/"+name+".sh"] = fmt.Sprintf("P%d=1\n", i)
		want += fmt.Sprintf("P%d=1\n", i)
		text += fmt.Sprintf("[[layers.build.profile]]\npath = \"scripts/%s.sh\"\n", name)
	}
	contents["scripts/[run].sh"] = "echo ran > $LAYER/ran\n"
	for i, name := range []string{"!top.sh", " top.sh", "*top.sh"} { // where nothing stands before them
		contents[name] = fmt.Sprintf("T%d=1\n", i)
		want += contents[name]
		text += fmt.Sprintf("[[layers.build.profile]]\npath = %q\n", name)
	}
	contents["packfile.toml"] = text
	b := request{dir: files(t, contents), target: "a"}.build(t)
	equal(t, "what the run script left", b.read(t, "ran"), "ran\n")
	got := ""
	for i := range len(hardFileNames) + 3 {
		got += b.read(t, fmt.Sprintf("profile.d/%02d.sh", i))
	}
	equal(t, "profile scripts", got, want)
}

func TestTheNameOfThePackfileIsNoPattern(t *testing.T) {
	t.Parallel()
	text := func(says string) string {
		return sh + "[[layers]]\nname = \"a\"\n[layers.build.run]\npath = \"run.sh\"\n[[layers.build.profile]]\ninline = \"" + says + "\"\n"
	}
	for _, name := range []string{"[s]ub*/packfile.toml", "sub/!packfile?.toml", "*.toml", "!packfile.toml", " packfile.toml"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := files(t, map[string]string{
				"sub1/packfile.toml": text("wrong"), "sub/packfile1.toml": text("wrong"), "a.toml": text("wrong"), "packfile.toml": text("wrong"),
				"seen": "", "hidden": "",
			})
			write(t, dir, map[string]string{
				name: text("right"), name + ".dockerignore": "hidden\n", filepath.Join(filepath.Dir(name), "run.sh"): "ls $APP > $LAYER/app\n",
			})
			b := request{dir: dir, target: "a", opts: map[string]string{"filename": name}}.build(t)
			equal(t, "what the packfile says", b.read(t, "profile.d/00.sh"), "right")
			app := b.read(t, "app")
			contains(t, app, "seen")
			if strings.Contains(app, "hidden") {
				t.Errorf("its .dockerignore does not hold: the app has\n%s", app)
			}
		})
	}
}

func TestPathsOfModulesAndDepsAreNamesAndNotPatterns(t *testing.T) {
	t.Parallel()
	const dep = "a dep that needs no network"
	contents := map[string]string{"modules/a/packfile.toml": "not one", "modules/m.tgz": "not one", "deps/d@1": "not it"}
	text := sh
	var names []string
	for i, name := range hardFileNames {
		id := fmt.Sprintf("acme/m%d", i)
		names = append(names, "["+id+"/l] run")
		made := map[string]string{
			"packfile.toml": module(id, testbed.Tables(testbed.Layer("l").RunFile("[run].sh").Dep("[d]", "*", "http://nowhere.invalid/data", "sha", sha(dep)))),
			"[run].sh":      "# " + name + "\ncp \"$(get-dep '[d]')\" $LAYER/data",
			"deps/[d]@*":    dep,
		}
		if i%2 == 0 {
			contents["modules/"+name+".tgz"] = gzipped(t, archive(t, made))
			text += uses("modules/" + name + ".tgz")
			continue
		}
		maps.Copy(contents, under("modules/"+name, made))
		text += uses("modules/" + name)
	}
	contents["packfile.toml"] = text
	b := request{dir: files(t, contents)}.build(t)
	for _, name := range names {
		b.ran(t, name)
	}
}
