package e2e

import (
	"crypto/rand"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/packfile/frontend/internal/testbed"
)

// Exclusions (!) in patterns of inputs and match, and what is said of those that are of no use.

func TestWhatAnExclusionTakesAwayRebuildsNothingAndIsNotThere(t *testing.T) {
	t.Parallel()
	text := func() string { return rand.Text() }
	contents := map[string]string{
		"src/a.go": text(), "src/a_test.go": text(), "src/kept/b_test.go": text(), "src/gen/c.go": text(), "app/[slug]/page": text(), "app/s/page": text(),
		".dockerignore": "packfile.toml\n.dockerignore\n",
	}
	patterns := []string{"src", "!**/*_test.go", "!src/gen", "src/kept", `app/\[slug\]`}
	contents["packfile.toml"] = testbed.Packfile(
		testbed.Layer("matched").Export().Match(patterns...).Run(stamp+"test -e src/a_test.go"),
		testbed.Layer("inputs").Export().Inputs(patterns...).Run(stamp+"find . -type f | sort > $LAYER/seen"),
		testbed.Layer("both").Export().Inputs(patterns...).Match("**", "!src/kept").Run(stamp),
	)
	dir := files(t, contents)
	r := request{dir: dir, opts: map[string]string{"build-arg:PACKFILE_APP": rand.Text()}}
	stamps := func(b built) (all [3]string) {
		for i, layer := range []string{"matched", "inputs", "both"} {
			all[i] = b.read(t, "layers/packfile/"+layer+"/stamp")
		}
		return all
	}
	first := r.files(t)
	equal(t, "what run sees", first.read(t, "layers/packfile/inputs/seen"), "./app/[slug]/page\n./src/a.go\n./src/kept/b_test.go\n")
	last := stamps(first)
	for _, change := range []struct {
		name    string
		rebuilt [3]bool
	}{
		{"src/a_test.go", [3]bool{}}, {"src/gen/c.go", [3]bool{}}, {"app/s/page", [3]bool{}},
		{"src/a.go", [3]bool{true, true, true}}, {"app/[slug]/page", [3]bool{true, true, true}}, {"src/kept/b_test.go", [3]bool{true, true, true}},
	} {
		write(t, dir, map[string]string{change.name: text()})
		b := r.files(t)
		now := stamps(b)
		for i := range now {
			if rebuilt := now[i] != last[i]; rebuilt != change.rebuilt[i] {
				t.Errorf("a change of %s rebuilt layer %d: %t", change.name, i, rebuilt)
			}
		}
		last = now
	}
}

func TestAnExclusionTakesAwayWhatASymlinkLeadsTo(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		patterns []string
		links    map[string]string
		want     string // files that run sees
		says     []string
	}{
		"through a symlink":                      {[]string{"conf", "!conf/secret"}, map[string]string{"conf": "shared/conf"}, "./shared/conf/x", nil},
		"through a symlink that is no pattern's": {[]string{"shared", "!conf/secret"}, map[string]string{"conf": "shared/conf"}, "./shared/conf/x ./shared/other", nil},
		"by its own path":                        {[]string{"conf", "!shared/conf/secret"}, map[string]string{"conf": "shared/conf"}, "./shared/conf/x", nil},
		"a target": {[]string{"*.lock", "!shared/other"}, map[string]string{"a.lock": "shared/other", "b.lock": "shared/conf/x"}, "./shared/conf/x", []string{
			`the symlink "a.lock" leads to "shared/other", which is taken away by an exclusion`}},
		"a symlink alone": {[]string{"*.lock", "shared/other", "!a.lock"}, map[string]string{"a.lock": "shared/other", "b.lock": "shared/conf/x"}, "./shared/conf/x ./shared/other", nil},
		"a target again":  {[]string{"*.lock", "shared", "!shared", "shared/other"}, map[string]string{"a.lock": "shared/other"}, "./shared/other", nil},
		"a symlink on the way of a symlink": {[]string{"a.lock", "b.lock", "!mid"}, map[string]string{"a.lock": "mid/x", "mid": "shared/conf", "b.lock": "shared/other"}, "./shared/other",
			[]string{`the symlink "a.lock" leads to "mid/x", which is taken away by an exclusion`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := files(t, map[string]string{"shared/conf/secret": "1", "shared/conf/x": "2", "shared/other": "3", "packfile.toml": testbed.Packfile(
				testbed.Layer("a").Inputs(test.patterns...).Run("find . -type f | sort | xargs echo > $LAYER/seen"),
				testbed.Layer("b").Match(test.patterns...).Run("true"),
			)})
			for at, to := range test.links {
				link(t, filepath.Join(dir, at), to)
			}
			b := request{dir: dir, target: "a"}.build(t)
			equal(t, "what run sees", b.read(t, "seen"), test.want+"\n")
			log, err := buildx(t, dir)
			if err != nil {
				t.Fatal(err, log)
			}
			for _, says := range test.says {
				contains(t, log, "inputs: "+says, "match: "+says)
			}
			if strings.Contains(log, "leads to") != (test.says != nil) || strings.Contains(log, "takes nothing away") {
				t.Errorf("what is said is not that:\n%s", log)
			}
		})
	}
}

func TestAPatternThatIsOfNoUseIsSaidInEveryBuildAndOnce(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{
		".dockerignore": "*.key\npackfile.toml\n", "src/a.go": rand.Text(), "src/a_test.go": rand.Text(), "app/[slug]/page": "", "static/a.css": "", "static/b.css": "", "x.key": "",
		"packfile.toml": `[config]
shell = "/bin/sh -eu"
app = ["src", "static", "!**/*.map", "gone", "app", "!app"]
[[layers]]
name = "a"
[layers.build]
inputs = ["!src/a.go", "src", "!**/*_test.go", "!lib", "!x.key", "app/[slug]/page"]
[layers.build.test]
match = ["src", "!src/a_test.go", "src/a_test.go", "!src/*.css"]
[layers.build.run]
inline = "true"
[[slices]]
paths = ["static", "!static/b.css", "!src", "app/**", "static/b.css", "!static/b.css"]
`})
	want := []string{
		`4: app: "!**/*.map" takes nothing away`,
		`4: app: no file of the app matches "gone"`,
		`4: app: exclusions take away every file of the app that matches "app"`,
		`8: inputs: "!src/a.go" takes nothing away`,
		`8: inputs: "!lib" takes nothing away`,
		`8: inputs: "!x.key" takes nothing away: line 1 of .dockerignore, "*.key", keeps it out`,
		`8: inputs: no file of the app matches "app/[slug]/page": brackets are a set of characters; the name is written "app/\\[slug\\]/page"`,
		`10: match: "!src/a_test.go" takes nothing away`,
		`10: match: no file that inputs name matches "src/a_test.go"`,
		`10: match: "!src/*.css" takes nothing away`,
		`14: paths: "!src" takes nothing away`,
		`14: paths: no file that config.app chooses matches "app/**"`,
		`14: paths: exclusions take away every file that config.app chooses that matches "static/b.css"`,
	}
	for i := range want {
		want[i] = "packfile.toml:" + want[i]
	}
	slices.Sort(want)
	said := regexp.MustCompile(`(?m)packfile\.toml:\d+: (?:app|inputs|match|paths): .*$`)
	for _, platform := range []string{natives()[0], strings.Join(natives(), ",")} {
		log, err := buildx(t, dir, "--platform="+platform)
		if err != nil {
			t.Fatal(err, log)
		}
		equal(t, "warnings of a build for "+platform, slices.Sorted(slices.Values(said.FindAllString(log, -1))), want)
	}
	out, err := buildx(t, dir, "--call=packfile.explain")
	if err != nil {
		t.Fatal(err, out)
	}
	contains(t, out, `WARNING: packfile.toml:8:48: inputs: "!lib" takes nothing away`, `WARNING: packfile.toml:4:25: app: "!**/*.map"`)
}

func TestAMatchOfWhichExclusionsLeaveNothingIsAnError(t *testing.T) {
	t.Parallel()
	for patterns, want := range map[string]string{
		`["src/*", "!src"]`:   `match: exclusions take away every file of the app that matches "src/*"`,
		`["gone", "!src"]`:    `match: no file of the app matches "gone"`,
		`["!src/a", "src/b"]`: `match: no file of the app matches "src/b"`,
	} {
		log := request{dir: files(t, map[string]string{"packfile.toml": matching(patterns), "src/a": ""})}.fail(t)
		contains(t, log, "packfile.toml:8:", want, ">>> match")
	}
	log := request{dir: files(t, map[string]string{"packfile.toml": matching(`["!src"]`), "src/a": ""})}.fail(t)
	contains(t, log, "packfile.toml:8:9: match: exclusions alone select no file")
}
