package e2e

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// What patterns of match, inputs and slices match, and what is said when that is nothing.

// matching is a packfile whose layer a has a list of patterns as the value of match.
func matching(patterns string) string {
	return sh + "[[layers]]\nname = \"a\"\nexport = true\n[layers.build.test]\nmatch = " + patterns +
		"\n[layers.build.run]\ninline = '''\n" + stamp + "cat lock > $LAYER/lock || :\n'''\n"
}

func TestAMatchOfWhichNothingMatchesIsAnError(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		patterns, ignore string
		want             []string
	}{
		"a name with a typo": {`["package-lok.json"]`, "", []string{
			`packfile.toml:8:10: match: no file of the app matches "package-lok.json"`, `>>> match`}},
		"several": {`["a/**/x", "y*"]`, "", []string{
			`packfile.toml:8:10: match: no file of the app matches "a/**/x"`, `packfile.toml:8:20: match: no file of the app matches "y*"`}},
		"a folder without files": {`["empty"]`, "", []string{`no file of the app matches "empty"`}},
		"a file that is hidden": {`["package.json"]`, "# keep\n*.lock\n\npackage*\n", []string{
			`no file of the app matches "package.json": line 4 of .dockerignore, "package*", keeps it out`}},
		"by the last line that is about it": {`["./package.json"]`, "*.json\n!package.json\n**/*.json\n", []string{
			`no file of the app matches "./package.json": line 3 of .dockerignore, "**/*.json", keeps it out`}},
		"a folder of which all is hidden": {`["dir"]`, "dir/**\r\n", []string{`: line 1 of .dockerignore, "dir/**", keeps it out`}},
		"files in a hidden folder":        {`["dir/*.txt"]`, "\ufeffdir\n", []string{`: line 1 of .dockerignore, "dir", keeps it out`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := files(t, map[string]string{"packfile.toml": matching(test.patterns), "package.json": "{}", "dir/a.txt": "", "lock": ""})
			if test.ignore != "" {
				write(t, dir, map[string]string{".dockerignore": test.ignore})
			}
			if err := os.Mkdir(filepath.Join(dir, "empty"), 0o755); err != nil {
				t.Fatal(err)
			}
			contains(t, request{dir: dir}.fail(t), test.want...)
		})
	}
	t.Run("named by the packfile's own ignore file", func(t *testing.T) {
		t.Parallel()
		dir := files(t, map[string]string{
			"packfile.toml": matching(`["package.json"]`), "package.json": "", ".dockerignore": "", "packfile.toml.dockerignore": "\npackage.json\n",
		})
		contains(t, request{dir: dir}.fail(t), `: line 2 of packfile.toml.dockerignore, "package.json", keeps it out`)
	})
	t.Run("in a module", func(t *testing.T) {
		t.Parallel()
		dir := modularApp(t, uses("modules/m"), map[string]string{
			"m": module("acme/m", "[[layers]]\nname = \"a\"\n[layers.build.test]\nmatch = [\"nothing\"]\n[layers.build.run]\ninline = \"true\"\n"),
		})
		contains(t, request{dir: dir}.fail(t), `modules/m/packfile.toml:7:10: match: no file of the app matches "nothing"`)
	})
}

func TestAPatternThatMatchesNothingIsSaidInEveryBuildAndOnce(t *testing.T) {
	t.Parallel()
	contents := map[string]string{
		".dockerignore": "*.key\n", "lock": rand.Text(), "static/x": "", "secret.key": "",
		"packfile.toml": sh + `
[[layers]]
name = "a"
export = true
[layers.build]
inputs = ["lock", "typo.txt", "secret.key"]
[layers.build.test]
match = ["lock", "static/x"]
[layers.build.run]
inline = "` + stamp + `"
[[layers]]
name = "b"
[layers.build.test]
match = ["lock", "lok"]
[layers.build.run]
inline = "true"
[[slices]]
paths = ["static/**", "public", "**/*.typo", "*/x", "lock/", "*/*/x"]
`}
	want := []string{
		`packfile.toml:9: inputs: no file of the app matches "typo.txt"`,
		`packfile.toml:9: inputs: no file of the app matches "secret.key": line 1 of .dockerignore, "*.key", keeps it out`,
		`packfile.toml:11: match: no file that inputs name matches "static/x"`,
		`packfile.toml:17: match: no file of the app matches "lok"`,
		`packfile.toml:21: paths: no file of the app matches "public"`,
		`packfile.toml:21: paths: no file of the app matches "**/*.typo"`,
		`packfile.toml:21: paths: no file of the app matches "*/*/x"`,
	}
	dir := files(t, contents)
	said := regexp.MustCompile(`(?m)packfile\.toml:\d+: \w+: no file .*$`)
	slices.Sort(want)
	for _, platform := range []string{natives()[0], natives()[0], strings.Join(natives(), ",")} {
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
	contains(t, out, fmt.Sprintf("WARNING: packfile.toml:%s", `9:19: inputs: no file of the app matches "typo.txt"`))
}

func TestPatternsMeanTheFilesThatTheirPathsMean(t *testing.T) {
	t.Parallel()
	// To BuildKit a file that buildctl sends is the one that another folder has under its name, if size and time are equal too,
	// and these folders are written at the same time. No two of them have files of one size.
	var texts atomic.Int64
	text := func() string { return rand.Text() + strings.Repeat("x", int(texts.Add(1))) }
	for pattern, counted := range map[string][]string{
		".": {"lock", "dir/x"}, "./": {"lock", "dir/x"}, "./lock": {"lock"}, "dir/": {"dir/x"}, "dir//x": {"dir/x"}, "./dir/./x": {"dir/x"},
		"dir/*": {"dir/x"}, "**": {"lock", "dir/x"},
	} {
		t.Run(replace(pattern, "/", "_"), func(t *testing.T) {
			t.Parallel()
			dir := files(t, map[string]string{"packfile.toml": matching(`["` + pattern + `"]`), "lock": text(), "dir/x": text(), ".dockerignore": "packfile.toml\n"})
			r := request{dir: dir, target: "a", opts: map[string]string{"build-arg:PACKFILE_APP": rand.Text()}}
			last := r.build(t).read(t, "stamp")
			for _, name := range []string{"lock", "dir/x"} {
				write(t, dir, map[string]string{name: text()})
				now := r.build(t).read(t, "stamp")
				if rebuilt := now != last; rebuilt != slices.Contains(counted, name) {
					t.Errorf("a change of %s rebuilt the layer: %t", name, rebuilt)
				}
				last = now
			}
		})
	}
	t.Run("as inputs", func(t *testing.T) {
		t.Parallel()
		dir := files(t, map[string]string{"lock": "1", "dir/x": "1", "packfile.toml": sh + `
[[layers]]
name = "a"
[layers.build]
inputs = ["."]
[layers.build.run]
inline = "find . -type f | sort > $LAYER/seen"
`})
		equal(t, "what run sees", request{dir: dir, target: "a"}.build(t).read(t, "seen"), "./dir/x\n./lock\n./packfile.toml\n")
	})
	contains(t, request{dir: files(t, map[string]string{"packfile.toml": matching(`["{a,b}.lock"]`)})}.fail(t),
		`packfile.toml:8:10: match: "{a,b}.lock" has alternatives in braces`, `write "a.lock", "b.lock"`)
}
