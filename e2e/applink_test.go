package e2e

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Symlinks of the app: they count with what they lead to, which is there for those who may see them.

// linkedApp is an app with symlinks, and patterns of which some match one.
type linkedApp struct {
	patterns string
	links    map[string]string
	reads    string // path that leads through a symlink to file
	file     string
}

// write makes the app, with a file beside it that is none of what counts.
func (a linkedApp) write(t *testing.T, packfile string) string {
	t.Helper()
	dir := files(t, map[string]string{"packfile.toml": packfile, a.file: "first", "beside/x": "", "shared/beside": "", ".dockerignore": "packfile.toml\n"})
	for at, to := range a.links {
		link(t, filepath.Join(dir, at), to)
	}
	return dir
}

var linkedApps = map[string]linkedApp{
	"a file": {`["lock"]`, map[string]string{"lock": "shared/lock"}, "lock", "shared/lock"},
	"a chain of them": {`["*.lock"]`, map[string]string{"a.lock": "./b/lock", "b/lock": "../c/../d/lock", "d": "e", "c/x": "../e"},
		"a.lock", "e/lock"},
	"a folder":                            {`["conf/"]`, map[string]string{"conf": "other/conf"}, "conf/a/lock", "other/conf/a/lock"},
	"a folder on the way":                 {`["a/dir/lock"]`, map[string]string{"a/dir": "../other//dir/."}, "a/dir/lock", "other/dir/lock"},
	"two folders on the way":              {`["a/b/*.lock"]`, map[string]string{"a": "c", "c/b": "d", "c/d/x": "y"}, "a/b/x.lock", "c/d/x.lock"},
	"folders that a pattern names":        {`["packages/*/lock"]`, map[string]string{"packages/a": "../vendor/a", "packages/[b": "a"}, "packages/[b/lock", "vendor/a/lock"},
	"a file below a folder":               {`["dir/**"]`, map[string]string{"dir/sub/lock": "../../other/lock"}, "dir/sub/lock", "other/lock"},
	"a folder below a folder":             {`["dir/**"]`, map[string]string{"dir/sub/l": "../../other"}, "dir/sub/l/lock", "other/lock"},
	"a symlink behind a folder":           {`["dir"]`, map[string]string{"dir": "one", "one/l": "../two", "two/lock": "../three/lock"}, "dir/l/lock", "three/lock"},
	"a way through a symlink":             {`["lock"]`, map[string]string{"lock": "up/../lock", "up": "deep/er/est", "deep/er/est/x": "x"}, "lock", "deep/er/lock"},
	"names that look like patterns":       {`["l*"]`, map[string]string{"lock": "[a]/*", "!x": "y"}, "lock", "[a]/*"},
	"a folder of which a part is matched": {`["lib", "other/a"]`, map[string]string{"lib": "other", "other/a": "b"}, "lib/lock", "other/lock"},
	"the folder that it is in":            {`["dir"]`, map[string]string{"dir/self": ".", "dir/up": "../dir"}, "dir/self/up/self/lock", "dir/lock"},
	"the app":                             {`["dir/l/e/lock"]`, map[string]string{"dir/l": "..", "e": "dir"}, "dir/l/e/lock", "dir/lock"},
}

func TestASymlinkCountsAndComesAlongWithWhatItLeadsTo(t *testing.T) {
	t.Parallel()
	for name, app := range linkedApps {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := app.write(t, sh+`
[[layers]]
name = "matched"
export = true
[layers.build.test]
match = `+app.patterns+`
[layers.build.run]
inline = "`+stamp+`cat '`+app.reads+`' > $LAYER/got"
[[layers]]
name = "inputs"
export = true
[layers.build]
inputs = `+app.patterns+`
[layers.build.run]
inline = "`+stamp+`test ! -e beside; test ! -e shared/beside; cat '`+app.reads+`' > $LAYER/got"
`)
			r := request{dir: dir, opts: map[string]string{"build-arg:PACKFILE_APP": rand.Text()}}
			layers := []string{"layers/packfile/matched/", "layers/packfile/inputs/"}
			first := r.files(t)
			write(t, dir, map[string]string{"beside/x": "changed", "shared/beside": "changed"})
			second := r.files(t)
			write(t, dir, map[string]string{app.file: "second"})
			third := r.files(t)
			for _, l := range layers {
				equal(t, "what run reads: "+l, first.read(t, l+"got"), "first")
				equal(t, "what run has made after a change of another file: "+l, second.read(t, l+"stamp"), first.read(t, l+"stamp"))
				equal(t, "what run reads after a change: "+l, third.read(t, l+"got"), "second")
			}
		})
	}
}

func TestASymlinkThatLeadsNowhereIsSaid(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		patterns string
		links    map[string]string
		want     string
	}{
		"to a file that is not there": {`["lock"]`, map[string]string{"lock": "shared/nothing"}, `the symlink "lock" leads to "shared/nothing", which is not in the app`},
		"to a file that is hidden": {`["lock"]`, map[string]string{"lock": "shared/hidden.lock"},
			`the symlink "lock" leads to "shared/hidden.lock", which is not in the app: line 2 of .dockerignore, "**/*.lock", keeps it out`},
		"to itself":    {`["dir"]`, map[string]string{"dir/a": "b", "dir/b": "a"}, `the symlink "dir/b" leads to "dir/a", which is behind more than 40 symlinks, or behind itself`},
		"below a file": {`["lock"]`, map[string]string{"lock": "shared/lock/x"}, `the symlink "lock" leads to "shared/lock/x", which is below a file`},
		"on the way":   {`["dir/lock", "shared"]`, map[string]string{"dir": "nothing"}, `no file of the app matches "dir/lock"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			layer := func(name, key string) string {
				return "[[layers]]\nname = \"" + name + "\"\n[layers.build]\n" + key + " = " + test.patterns + "\nrun.inline = \"true\"\n"
			}
			dir := files(t, map[string]string{
				"shared/lock": "1", "shared/hidden.lock": "1", ".dockerignore": "\n**/*.lock\n",
				"packfile.toml": sh + layer("a", "test.match") + layer("b", "inputs"),
			})
			for at, to := range test.links {
				link(t, filepath.Join(dir, at), to)
			}
			for range 2 { // the step is cached the second time
				log, err := buildx(t, dir)
				if err != nil {
					t.Fatal(err, log)
				}
				contains(t, log, "packfile.toml:7: match: "+test.want+"\n", "packfile.toml:12: inputs: "+test.want+"\n")
			}
		})
	}
}

func TestASymlinkThatLeadsOutOfTheAppIsAnErrorAndReadsNothing(t *testing.T) {
	t.Parallel()
	outside := filepath.Join(t.TempDir(), "outside")
	secret := rand.Text()
	if err := os.WriteFile(outside, []byte(secret), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		patterns string
		links    map[string]string
	}{
		"an absolute one":        {`["lock"]`, map[string]string{"lock": outside}},
		"at the end of a chain":  {`["lock"]`, map[string]string{"lock": "b/c", "b/c": "../d", "d": outside}},
		"a folder on the way":    {`["dir/outside", "dir/*"]`, map[string]string{"dir": filepath.Dir(outside)}},
		"one of several folders": {`["packages/*/outside"]`, map[string]string{"packages/a": filepath.Dir(outside)}},
		"in a linked folder":     {`["dir"]`, map[string]string{"dir": "other", "other/x": outside}},
		"through another":        {`["lock"]`, map[string]string{"lock": "up/../../etc/passwd", "up": "a/b", "a/b/x": "y", "etc": "a"}},
		"the builder's files":    {`["etc/passwd"]`, map[string]string{"etc": "../../../../../../etc"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, key := range []string{"test.match", "inputs"} {
				dir := files(t, map[string]string{
					"packfile.toml": sh + "[[layers]]\nname = \"a\"\n[layers.build]\n" + key + " = " + test.patterns + "\nrun.inline = \"cat $(find -type l)\"\n",
				})
				for at, to := range test.links {
					link(t, filepath.Join(dir, at), to)
				}
				log := request{dir: dir}.fail(t)
				contains(t, log, "which is outside of the app", ">>> "+key)
				if strings.Contains(log, secret) || strings.Contains(log, "root:") {
					t.Errorf("the file outside was read:\n%s", log)
				}
			}
		})
	}
}
