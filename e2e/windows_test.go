package e2e

import (
	"crypto/rand"
	"maps"
	"strings"
	"testing"

	"github.com/packfile/frontend/internal/testbed"
)

// Checkouts on Windows: Git may have made CRLF of each LF, and editors begin files with a byte order mark.

// everyScript is a module that has each kind of script in a file, and one inline.
func everyScript(id string) map[string]string {
	version := rand.Text()
	return map[string]string{
		"packfile.toml": module(id, testbed.Tables(
			testbed.Cache("cache", "setup.path", "scripts/setup.sh"),
			testbed.Provided("made").Export().Require("", "path", "scripts/require.sh").Test("", "path", "scripts/test.sh").
				RunFile("scripts/run.sh").ProfileFile("scripts/profile.sh").Link("cache", "path-as", "CACHE"),
			testbed.Layer("inline").Export().Version(version).Run(`
`+stamp+`
printf '%s\n' 'two
lines' > $LAYER/lines
`),
		)),
		"scripts/require.sh": "# of the layer\necho " + version + " > $MD/from\n",
		"scripts/test.sh":    "cat $MD/from > $MD/version\n",
		"scripts/run.sh":     stamp + "\ncp $CACHE/set-up $LAYER/set-up\ncp $MD/version $LAYER/version\n",
		"scripts/profile.sh": "export SET=1\n",
		"scripts/setup.sh":   "echo once > $CACHE/set-up\n",
	}
}

// onWindows is what files of text are in a checkout on Windows.
func onWindows(contents map[string]string) map[string]string {
	changed := map[string]string{}
	for name, text := range contents {
		changed[name] = "\ufeff" + strings.ReplaceAll(text, "\n", "\r\n")
	}
	return changed
}

func TestAWindowsCheckoutIsTheSameImage(t *testing.T) {
	t.Parallel()
	folder, packed, cloned := everyScript("acme/folder"), everyScript("acme/packed"), everyScript("acme/cloned")
	image := func(checkout func(map[string]string) map[string]string) (built, pushed) {
		t.Helper()
		git := repositories(t, map[string]map[string]string{"cloned.git": checkout(cloned)})
		contents := checkout(map[string]string{
			"build.toml":    sh + uses("modules/folder", "modules/packed.tgz", git+"/cloned.git"),
			".dockerignore": "*\n!app.txt\n",
		})
		maps.Copy(contents, under("modules/folder", checkout(folder)))
		contents["modules/packed.tgz"] = gzipped(t, archive(t, checkout(packed)))
		contents["app.txt"] = "one line\nand another\n"
		return request{dir: files(t, contents), runImg: env.busybox, opts: map[string]string{
			"filename": "build.toml", "build-arg:PACKFILE_APP": "windows",
		}}.pushTo(t, imageName(t))
	}
	unix := func(contents map[string]string) map[string]string { return maps.Clone(contents) }
	first, want := image(unix)
	all := []string{"acme/folder/made", "acme/folder/inline", "acme/packed/made", "acme/packed/inline", "acme/cloned/made", "acme/cloned/inline"}
	first.wantRuns(t, all, all...)
	again, got := image(onWindows)
	again.wantRuns(t, all)
	equal(t, "label of layers", got.label, want.label)
	equal(t, "digest of the image", got.digest, want.digest)
}

func TestAScriptWithANULByteIsTheFileAsItIs(t *testing.T) {
	t.Parallel()
	b := request{target: "a", dir: files(t, map[string]string{
		"run.sh":        "tail -c 5 \"$0\" > $LAYER/payload; exit\n\x00\r\n\r\n",
		"packfile.toml": testbed.Packfile(testbed.Layer("a").RunFile("run.sh"))})}.build(t)
	if got := b.read(t, "payload"); got != "\x00\r\n\r\n" {
		t.Errorf("the payload of the script is %q", got)
	}
}
