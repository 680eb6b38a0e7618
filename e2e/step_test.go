package e2e

import (
	"strings"
	"testing"

	"github.com/packfile/frontend/internal/testbed"
)

// sh is a [config] for the busybox build image.
const sh = "[config]\nshell = \"/bin/sh -eu\"\n"

func replace(text, old, with string) string { return strings.ReplaceAll(text, old, with) }

// One test for each row of the step contract's table, and one for each rule below it.

func TestRequireStepSeesAppReadOnlyAndWritesMetadata(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"app.txt": "from the app", "packfile.toml": testbed.Packfile(
		testbed.Provided("a").Version("1").With("metadata.color", "red", "metadata.nested.depth", 2).Require(`
test "$PWD" = "$APP"
test "$(cat app.txt)" = "from the app"
if (echo x > "$APP/written") 2>/dev/null; then echo "APP can be written to"; exit 1; fi
test "$(cat "$MD/version")" = 1
test "$(cat "$MD/nested/depth")" = 2
test -z "${LAYER:-}"
echo 2 > "$MD/version"
printf blue > "$MD/color"
mkdir "$MD/more"
echo deep > "$MD/more/key"
echo private > "$MD/.hidden"
`).
			Run(`
cp -r "$MD" "$LAYER/md"
`),
	)})
	b := request{dir: dir, target: "a"}.build(t)
	for file, want := range map[string]string{"version": "2", "color": "blue", "nested/depth": "2", "more/key": "deep"} {
		if got := b.read(t, "md/"+file); got != want {
			t.Errorf("md/%s is %q, want %q", file, got, want)
		}
	}
}

func TestTestStepMayChangeAppAndNobodySeesIt(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"app.txt": "original", "packfile.toml": testbed.Packfile(
		testbed.Layer("a").Test(`
test "$PWD" = "$APP"
test -z "${LAYER:-}"
echo changed > "$APP/app.txt"
echo v7 > "$MD/version"
`).
			Run(`
cat "$APP/app.txt" "$MD/version" > "$LAYER/seen"
`),
	)})
	b := request{dir: dir, target: "a"}.build(t)
	if got := b.read(t, "seen"); got != "originalv7" {
		t.Errorf("run saw %q", got)
	}
}

func TestRunStepHasAppMetadataAndAnEmptyLayer(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"app.txt": "x", "packfile.toml": testbed.Packfile(
		testbed.Layer("a").Run(`
test "$PWD" = "$APP"
test -z "$(ls -A "$LAYER")"
echo scribble > "$APP/app.txt"
id -u > "$LAYER/uid"
echo done > "$LAYER/file"
`),
		testbed.Layer("b").Run(`
cp "$APP/app.txt" "$LAYER/app"
`),
	)})
	b := request{dir: dir, target: "a"}.build(t)
	if got := b.read(t, "file"); got != "done\n" {
		t.Errorf("file is %q", got)
	}
	if got := b.read(t, "uid"); got != "1000\n" {
		t.Errorf("steps run as %q, want an ordinary user", got)
	}
	if got := (request{dir: dir, target: "b"}).build(t).read(t, "app"); got != "x" {
		t.Errorf("another layer sees %q: what run did to the app was kept without lock-app", got)
	}
}

func TestLinksGivePathsVersionsMetadataAndEnvironment(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"packfile.toml": testbed.Packfile(
		testbed.Layer("tool").Version("3").With("metadata.flavor", "plain").Run(`
mkdir "$LAYER/bin" "$LAYER/lib" "$LAYER/include" "$LAYER/pkgconfig"
printf '#!/bin/sh\necho tool runs\n' > "$LAYER/bin/tool"
chmod +x "$LAYER/bin/tool"
echo sweet > "$MD/flavor"
`).
			Env("both", "AT_BOTH", "both").Env("build", "AT_BUILD", "{{.Layer}}/build").
			Env("launch", "AT_LAUNCH", "launch"),
		testbed.Layer("user").Run(`
{
tool
test -d "$TOOL"
if touch "$TOOL/x" 2>/dev/null; then exit 1; fi
echo "version $TOOL_VERSION"
echo "flavor $(cat "$TOOL_MD/flavor")"
echo "build $AT_BUILD, both $AT_BOTH, launch ${AT_LAUNCH:-unset}"
echo "own $OWN"
echo "lib $LD_LIBRARY_PATH:$LIBRARY_PATH include $CPATH pkg $PKG_CONFIG_PATH"
} > "$LAYER/log"
`).
			Link("tool", "path-as", "TOOL", "version-as", "TOOL_VERSION", "metadata-as", "TOOL_MD").
			Env("build", "OWN", "mine"),
	)})
	b := request{dir: dir, target: "user"}.build(t)
	tool := "/layers/packfile/tool"
	want := "tool runs\nversion 3\nflavor sweet\nbuild " + tool + "/build, both both, launch unset\nown mine\n" +
		"lib " + tool + "/lib:" + tool + "/lib include " + tool + "/include pkg " + tool + "/pkgconfig\n"
	if got := b.read(t, "log"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestTestStepSeesVersionsOfLinksAndWithFullEnvTheirContent(t *testing.T) {
	t.Parallel()
	for fullEnv, want := range map[bool]string{
		false: "version 5 metadata 5 path none",
		true:  "version 5 metadata 5 path /layers/packfile/tool\ncontent",
	} {
		dir := files(t, map[string]string{"packfile.toml": testbed.Packfile(
			testbed.Layer("tool").Test("echo 5 > $MD/version").Run("echo content > $LAYER/file"),
			testbed.Layer("user").Test(`
echo "version $TV metadata $(cat $TM/version) path ${TP:-none}" > $MD/seen
test -z "${TP:-}" || cat $TP/file >> $MD/seen
`, "full-env", fullEnv).Run("cp $MD/seen $LAYER/seen").
				Link("tool", "path-as", "TP", "version-as", "TV", "metadata-as", "TM"),
		)})
		if got := (request{dir: dir, target: "user"}).build(t).read(t, "seen"); got != want {
			t.Errorf("with full-env = %t the test saw %q, want %q", fullEnv, got, want)
		}
	}
}

func TestCacheIsKeptAndSetUpOnceUntilItsScriptChanges(t *testing.T) {
	t.Parallel()
	packfile := testbed.Packfile(
		testbed.Cache("downloads", "setup.inline", `
test "$PWD" = "$APP"
if touch "$APP/x" 2>/dev/null; then echo "APP can be written to"; exit 1; fi
test -z "${LAYER:-}"
test -f app.txt
echo setup-TEXT >> "$CACHE/log"
`),
		testbed.Layer("a").Run(`
echo run-RUN >> "$STORE/log"
cp "$STORE/log" "$LAYER/log"
`).
			Link("downloads", "path-as", "STORE"),
	)
	dir := files(t, map[string]string{"app.txt": ""})
	build := func(text, run string) string {
		write(t, dir, map[string]string{"packfile.toml": replace(replace(packfile, "TEXT", text), "RUN", run)})
		return request{dir: dir, target: "a", opts: map[string]string{"build-arg:PACKFILE_APP": dir}}.build(t).read(t, "log")
	}
	if got := build("1", "1"); got != "setup-1\nrun-1\n" {
		t.Fatalf("first build: %q", got)
	}
	if got := build("1", "2"); got != "setup-1\nrun-1\nrun-2\n" {
		t.Errorf("second build: the cache was not kept, or set up again: %q", got)
	}
	if got := build("2", "2"); got != "setup-2\nrun-2\n" { // the cache is a new one
		t.Errorf("after the setup script changed: %q", got)
	}
}

func TestPlatformEnvironmentComesFromBuildArgsBeforeLinksAndOwnEnvironment(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"packfile.toml": testbed.Packfile(
		testbed.Layer("base").Run("true").Env("build", "BOTH_SET", "-link", "op", "append"),
		testbed.Layer("a").Run(`
echo "$FROM_ARG $BOTH_SET ${PACKFILE_APP:-hidden} ${BUILDKIT_X:-hidden}" > "$LAYER/env"
`).
			Link("base").Env("build", "BOTH_SET", "-own", "op", "append"),
	)})
	b := request{dir: dir, target: "a", opts: map[string]string{
		"build-arg:FROM_ARG": "arg", "build-arg:BOTH_SET": "arg", "build-arg:PACKFILE_APP": "x", "build-arg:BUILDKIT_X": "y",
	}}.build(t)
	if got := b.read(t, "env"); got != "arg arg-link-own hidden hidden\n" {
		t.Errorf("environment: %q", got)
	}
}

func TestExitCode100OfRequireMeansNotRequired(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"packfile.toml": testbed.Packfile(
		testbed.Provided("gone").Require("exit 100").Run("echo must not run; exit 1"),
		testbed.Layer("a").Run("echo path=${GONE:-unset} > $LAYER/log").Link("gone", "path-as", "GONE"),
	)})
	if got := (request{dir: dir, target: "a"}).build(t).read(t, "log"); got != "path=unset\n" {
		t.Errorf("log is %q", got)
	}
	request{dir: dir}.build(t)
}

func TestExitCode100OfTestMeansNoLayer(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"packfile.toml": testbed.Packfile(testbed.Layer("gone").Test("exit 100").Run("echo must not run; exit 1"))})
	request{dir: dir}.build(t)
	contains(t, request{dir: dir, target: "gone"}.fail(t), `layer "gone" is not created this time`, "packfile.toml:")
}

func TestAnyOtherExitCodeFailsTheBuildAndSaysWhere(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"packfile.toml": sh + `
[config2]
`})
	contains(t, request{dir: dir}.fail(t), "packfile.toml:5", `"config2"`)
	for _, step := range []string{"require", "build.test", "build.run"} {
		other := ""
		if step == "require" {
			other = "[layers.provide]\n"
		}
		dir := files(t, map[string]string{"packfile.toml": sh + `
[[layers]]
name = "broken"
` + other + `[layers.` + step + `]
inline = """
echo last words of the script
exit 7
"""
`})
		log := request{dir: dir}.fail(t)
		contains(t, log, "packfile.toml: [broken] ", "failed with exit code 7", "last words of the script", "inline = ", ">>>")
	}
}

func TestLockAppStepsRunInFileOrderEachOnTheAppTheLastOneLeft(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"app.txt": "0", "packfile.toml": testbed.Packfile(
		testbed.Layer("first").LockApp().Run("sleep 1; printf 1 >> app.txt"),
		testbed.Layer("beside").Run("cp app.txt $LAYER/seen"),
		testbed.Layer("second").LockApp().Run("printf 2 >> app.txt; cp app.txt $LAYER/seen"),
	)})
	if got := (request{dir: dir, target: "second"}).build(t).read(t, "seen"); got != "012" {
		t.Errorf("the second lock-app step saw %q", got)
	}
	if got := (request{dir: dir, target: "beside"}).build(t).read(t, "seen"); got != "0" {
		t.Errorf("a step without lock-app saw %q", got)
	}
	out := t.TempDir()
	request{dir: dir, output: "type=local,dest=" + out}.build(t)
	if got := (built{out: out}).read(t, "workspace/app.txt"); got != "012" {
		t.Errorf("the image's app is %q", got)
	}
}

func TestScriptInTheFormOfTheFirstNotesRunsInLayer(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"packfile.toml": testbed.Packfile(testbed.Provided("old").Require("").Making("build.inline", "test $PWD = $LAYER; echo here > file"))})
	if got := (request{dir: dir, target: "old"}).build(t).read(t, "file"); got != "here\n" {
		t.Errorf("file is %q", got)
	}
}

func TestRestoredLayerStartsFromItsLastContent(t *testing.T) {
	t.Parallel()
	packfile := testbed.Packfile(testbed.Layer("a").With("restore", true).Run("echo RUN >> $LAYER/log"))
	dir := files(t, nil)
	var got string
	for _, run := range []string{"1", "2", "3"} {
		write(t, dir, map[string]string{"packfile.toml": replace(packfile, "RUN", run)})
		got = request{dir: dir, target: "a", opts: map[string]string{"build-arg:PACKFILE_APP": dir}}.build(t).read(t, "log")
	}
	if got != "1\n2\n3\n" {
		t.Errorf("log is %q", got)
	}
}
