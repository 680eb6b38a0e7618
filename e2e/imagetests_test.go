package e2e

import (
	"crypto/rand"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/packfile/frontend/internal/testbed"
)

// [[tests]]: what is asked of the finished image.

// asksTests builds an app and runs its tests, as packfile.test does. It returns how each test ended: "passed", or what failed, a line
// each, as the table for people says it.
func asksTests(t *testing.T, r request) (ended map[string]string, b built) {
	t.Helper()
	opts := map[string]string{"requestid": "frontend.packfile.test"}
	maps.Copy(opts, r.opts)
	r.opts, r.runImg = opts, or(r.runImg, env.busybox)
	b = r.build(t)
	_, table, found := strings.Cut(b.log, "TEST ")
	if !found {
		t.Fatalf("there is no table\n%s", b.log)
	}
	_, table, _ = strings.Cut(table, "\n")
	table, _, _ = strings.Cut(table, "\n\n")
	ended = map[string]string{}
	name := ""
	for _, row := range strings.Split(table, "\n") {
		cells := regexp.MustCompile(` {3,}`).Split(strings.TrimRight(row, " "), 3)
		says := cells[len(cells)-1]
		if cells[0] != "" {
			name = cells[0]
		} else {
			ended[name] += "\n"
		}
		ended[name] += regexp.MustCompile(`^[\w./]+:\d+: `).ReplaceAllString(says, "")
	}
	return ended, b
}

// wantEnded fails unless each test has ended in a way that begins as is said.
func wantEnded(t *testing.T, got, want map[string]string) {
	t.Helper()
	equal(t, "tests", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	for name, begins := range want {
		if !strings.HasPrefix(got[name], begins) {
			t.Errorf("%s: %s\nwant %s", name, got[name], begins)
		}
	}
}

const launched = `
[[processes]]
type = "web"
command = ["sh", "-c", "echo $GREETING from $0$1", "web"]
[[layers]]
name = "l"
export = true
[layers.build.run]
inline = "mkdir $LAYER/bin; printf '#!/bin/sh\nid -u' > $LAYER/bin/who; chmod 755 $LAYER/bin/who"
[[layers.build.env.launch]]
name = "GREETING"
value = "hello"
`

func TestTestsRunTheImageAsContainersOfItRun(t *testing.T) {
	t.Parallel()
	dir := app(t, sh+launched+`
[[tests]]
name = "a process has the environment of the launcher"
process = "web"
stdout = { equal = "hello from web\n" }
stderr = { equal = "" }
[[tests]]
name = "its arguments"
process = "web"
args = ["-2"]
stdout = { matches = ["^hello from web-2\n$"] }
[[tests]]
name = "a program of a layer, as the user of the image"
command = ["who"]
stdout = { equal = "1000\n" }
[[tests]]
name = "the container"
command = ["sh", "-c", "pwd; id -g; cat /proc/net/dev | grep -c :; touch /workspace/new && echo written; echo $HOME $MINE $CNB_APP_DIR; cat; exit 7"]
exit-code = 7
stdout = { equal = "/workspace\n1000\n1\nwritten\n/home/cnb yes\n" }
env = { MINE = "yes" }
[[tests]]
name = "read-only"
command = ["touch", "/workspace/new"]
read-only = true
exit-code = 1
stderr = { contains = ["Read-only file system"] }
[[tests]]
name = "what another test wrote"
[[tests.files]]
path = "new"
exists = false
[[tests]]
name = "what its command wrote"
command = ["sh", "-c", "echo content > new; chmod 640 new; ln -s new link"]
[[tests.files]]
path = "new"
type = "file"
mode = "0640"
owner = "1000:1000"
content = { equal = "content\n" }
[[tests.files]]
path = "/workspace/link"
type = "file"
mode = "640"
content = { contains = ["cont", "ent"], matches = ["^c"] }
[[tests]]
name = "links, and owners"
[[tests.files]]
path = "/cnb/process/web"
type = "symlink"
content = { equal = "/cnb/lifecycle/launcher" }
[[tests.files]]
path = "/cnb"
type = "directory"
owner = "root"
`)
	ended, b := asksTests(t, request{dir: dir})
	for name, says := range ended {
		if says != "passed" {
			t.Errorf("%s: %s", name, says)
		}
	}
	contains(t, b.log, "8 passed, 0 failed")
}

func TestWhatFailsATestIsSaidWithItsPlace(t *testing.T) {
	t.Parallel()
	dir := app(t, sh+launched+`
[[tests]]
name = "exit code"
command = ["sh", "-c", "echo out; echo reason >&2; exit 3"]
[[tests]]
name = "equal"
command = ["echo", "hello"]
stdout = { equal = "hello" }
[[tests]]
name = "lists"
command = ["echo", "hello"]
stdout = { contains = ["hell", "heaven"], matches = ["^h", "^e"] }
stderr = { contains = ["x"] }
[[tests]]
name = "killed"
command = ["sh", "-c", "kill -9 $$"]
[[tests]]
name = "shell"
command = "echo $PATH | grep bin"
direct = false
[[tests]]
name = "program"
command = ["nonesuch"]
[[tests]]
name = "files"
[[tests.files]]
path = "nonesuch/file"
[[tests.files]]
path = "/bin/sh"
exists = false
[[tests.files]]
path = "packfile.toml"
mode = "0600"
owner = "nonesuch"
content = { contains = ["[[tests]]", "\u001b[2J"] }
[[tests.files]]
path = "/cnb"
content = { contains = ["x"] }
[[tests.files]]
path = "main.txt"
type = "directory"
[[tests.files]]
path = "/cnb/process/web"
type = "symlink"
content = { equal = "/other" }
`)
	ended, b := asksTests(t, request{dir: dir})
	wantEnded(t, ended, map[string]string{
		"exit code": `the exit code is 3, not 0; stderr is "reason\n"`,
		"equal":     `stdout is "hello\n", not "hello" (only the line end differs)`,
		"lists": `stdout does not contain "heaven": it is "hello\n"` + "\n" +
			`nothing in stdout matches "^e": it is "hello\n"` + "\n" + `stderr does not contain "x": it is ""`,
		"killed":  `it was killed by signal 9 (killed); it printed nothing`,
		"shell":   `the exit code is 82, not 0; stderr is "launcher: command needs bash, which is not in the image`,
		"program": `the exit code is 82, not 0; stderr is "launcher: `,
		"files": "/workspace/nonesuch/file does not exist\n/bin/sh exists: it is a symlink\n" +
			"the mode of /workspace/packfile.toml is 0644, not 0600\n",
	})
	contains(t, ended["files"], `/workspace/packfile.toml does not contain "\x1b[2J": it is "`, "/cnb is a directory, which has no content", "/workspace/main.txt is a file, not a directory",
		"there is no nonesuch in /etc/passwd of the image", `/cnb/process/web is "/cnb/lifecycle/launcher", not "/other"`)
	contains(t, b.log, `packfile-step: test "exit code": the exit code is 3, not 0`)
	log := request{dir: dir, target: "test", runImg: env.busybox}.fail(t)
	contains(t, log, `packfile.toml:19:11: test "exit code": the exit code is 3, not 0; stderr is "reason\n"`, `>>> command = ["sh", "-c", "echo out;`)
}

func TestATestThatPassesIsNotRunAgainAndOneThatFailsIs(t *testing.T) {
	t.Parallel()
	onEachBuildKit(t, func(t *testing.T, host string) {
		dir := app(t, sh+launched+`
[[tests]]
name = "good"
command = ["true"]
[[tests]]
name = "bad"
command = ["false"]
[[tests]]
name = "worse"
command = ["sh", "-c", "exit 2"]
`)
		write(t, dir, map[string]string{"unique": rand.Text()})
		r := request{dir: dir, host: host}
		both := map[string]string{"good": "passed", "bad": "the exit code is 1", "worse": "the exit code is 2"}
		ended, b := asksTests(t, r)
		wantEnded(t, ended, both)
		b.wantRan(t, map[string]bool{"[test] good": true})
		ended, b = asksTests(t, r)
		wantEnded(t, ended, both)
		b.wantRan(t, map[string]bool{"[test] good": false})
		write(t, dir, map[string]string{"unique": rand.Text()})
		ended, b = asksTests(t, r)
		wantEnded(t, ended, both)
		b.wantRan(t, map[string]bool{"[test] good": true})
		r.opts = map[string]string{"no-cache": "good"}
		_, b = asksTests(t, r)
		b.wantRan(t, map[string]bool{"[test] good": true, "[l] run": false})
	})
}

func TestTestsChangeNeitherKeysNorImages(t *testing.T) {
	t.Parallel()
	text := sh + launched + testbed.Layer("versioned").Export().Version("1").Run("cat $APP/stamp > $LAYER/x # "+rand.Text()).String()
	dir := app(t, text)
	write(t, dir, map[string]string{"stamp": rand.Text(), ".dockerignore": "packfile.toml\n.dockerignore\n"})
	r := request{dir: dir, runImg: env.busybox}
	_, without := r.pushTo(t, imageName(t))
	write(t, dir, map[string]string{"packfile.toml": text + "[[tests]]\nname = 't'\ncommand = ['true']\n"})
	b, with := r.pushTo(t, imageName(t))
	if b.hasVertex("[test] t") {
		t.Errorf("a test ran in a build without it\n%s", b.progress)
	}
	for i, l := range without.label.Layers {
		equal(t, "key of "+l.Name, with.label.Layers[i].Key, l.Key)
	}
	b.wantRan(t, map[string]bool{"[versioned] run": false})
	equal(t, "digest with a test", with.digest, without.digest)
	r.opts = map[string]string{"target": "test"}
	b, tested := r.pushTo(t, imageName(t))
	b.wantRan(t, map[string]bool{"[test] t": true})
	equal(t, "digest of the tested image", tested.digest, with.digest)
	write(t, dir, map[string]string{"packfile.toml": text + "[[tests]]\nname = 'u'\ncommand = ['true']\n[[tests]]\nname = 'v'\ncommand = ['true']\n"})
	_, other := r.pushTo(t, imageName(t))
	equal(t, "digest with other tests", other.digest, with.digest)

	// Everything is reused from the previous image, and tested.
	r.host, r.previous = secondDaemon(t), with.name
	b, again := r.pushTo(t, imageName(t))
	b.wantRan(t, map[string]bool{"[test] u": true, "[test] v": true})
	equal(t, "digest with the layers of the previous image", again.digest, with.digest)
	if ran := b.executed(`\[.*\] run`); ran != nil {
		t.Errorf("run steps: %v", ran)
	}
}

func TestAHostileImageFoolsNoTest(t *testing.T) {
	t.Parallel()
	dir := app(t, sh+`user = "0:0"
[[tests]]
name = "megabytes"
command = ["sh", "-c", "yes | head -c 10000000"]
stdout = { contains = ["y"] }
[[tests]]
name = "megabytes that nobody asks about"
command = ["sh", "-c", "yes | head -c 10000000"]
[[tests]]
name = "hangs"
command = ["sh", "-c", "echo working; setsid sleep 1000 & trap '' TERM; while :; do sleep 1; done"]
timeout = "1s"
[[tests]]
name = "leaves a child that holds its output"
command = ["sh", "-c", "setsid sh -c 'sleep 1000; echo late' & echo early"]
stdout = { equal = "early\n" }
[[tests]]
name = "escapes"
command = ["printf", "\u001b[2J\u001b]0;title\u0007\u202e"]
stdout = { equal = "" }
[[tests]]
name = "moves our folders"
command = ["sh", "-c", "mkdir /other; mv /packfile/step /other; cp /bin/true /packfile/bin/packfile-step; kill -9 1; exit 1"]
[[tests]]
name = "stops us"
command = ["sh", "-c", "kill -15 1; sleep 10; exit 1"]
[[tests]]
name = "ends us"
command = ["sh", "-c", "kill -11 1; sleep 10; exit 1"]
timeout = "5s"
[[tests]]
name = "leaves a pipe for a report"
command = ["sh", "-c", "rm -rf /packfile/out/*; mkfifo /packfile/out/result.json; kill -11 1; sleep 10; exit 1"]
[[tests]]
name = "writes a report"
command = ["sh", "-c", "echo '{\"failures\":[]}' > /packfile/out/result.json; ln -s / /packfile/out/md; exit 1"]
[[tests]]
name = "files that are none"
command = ["sh", "-c", "mkfifo fifo; ln -s /dev/zero zero; ln -s loop loop; ln -s /proc/1/mem mem; ln -s ../../../../etc/passwd up; dd if=/dev/zero of=large bs=1M count=5"]
[[tests.files]]
path = "fifo"
content = { contains = ["x"] }
[[tests.files]]
path = "zero"
content = { contains = ["x"] }
[[tests.files]]
path = "loop"
[[tests.files]]
path = "mem"
content = { contains = ["x"] }
[[tests.files]]
path = "up"
content = { contains = ["root"] }
[[tests.files]]
path = "large"
content = { contains = ["x"] }
`)
	ended, b := asksTests(t, request{dir: dir})
	wantEnded(t, ended, map[string]string{
		"megabytes":                            `stdout is longer than 4 MiB, and a test compares no more; it begins with "y\ny\n`,
		"megabytes that nobody asks about":     "passed",
		"hangs":                                `it was killed, since it did not end within 1s; stdout is "working\n"`,
		"leaves a child that holds its output": "passed",
		"escapes":                              `stdout is "\x1b[2J\x1b]0;title\a\u202e", not ""`,
		"moves our folders":                    "the exit code is 1, not 0",
		"stops us":                             "it was killed by signal 15",
		"leaves a pipe for a report":           "",
		"ends us":                              "",
		"writes a report":                      "the exit code is 1, not 0; it printed nothing",
		"files that are none":                  "/workspace/fifo is a fifo, which has no content\n/workspace/zero is a device, which has no content\n/workspace/loop is a symbolic link to loop, which cannot be followed: too many levels",
	})
	for _, name := range []string{"ends us", "leaves a pipe for a report"} {
		if ended[name] == "passed" {
			t.Errorf("%s, and passes", name)
		}
	}
	contains(t, ended["files that are none"], "/workspace/large is longer than 4 MiB")
	if strings.Contains(b.log, "\x1b[2J") || strings.Contains(ended["files that are none"], "/workspace/up") {
		t.Errorf("%s\n%s", ended["files that are none"], b.log)
	}
}

func TestAUserThatTheImageDoesNotKnowFailsItsTests(t *testing.T) {
	t.Parallel()
	dir := app(t, "[[tests]]\nname = 't'\ncommand = ['true']\n[[tests]]\nname = 'files'\nfiles = [{ path = '/bin/sh' }]\n")
	image := imageName(t)
	must(t, "buildctl", "build", "--frontend=dockerfile.v0", "--local", "context="+dir, "--local", "dockerfile="+
		files(t, map[string]string{"Dockerfile": "FROM " + env.busybox + "\nENV CNB_USER_ID= CNB_GROUP_ID=\nUSER stranger\n"}), "--output", "type=image,push=true,name="+image)
	ended, _ := asksTests(t, request{dir: dir, runImg: image})
	wantEnded(t, ended, map[string]string{"t": "the user of the image, stranger, is not in its /etc/passwd", "files": "passed"})
}

func TestModulesBringTests(t *testing.T) {
	t.Parallel()
	dir := app(t, sh+`network = "none"
[[buildpacks]]
uri = "./engine"
[[tests]]
name = "mine"
process = "web"
stdout = { equal = "engine\n" }
`)
	write(t, dir, map[string]string{"engine/packfile.toml": sh + `id = "acme/engine"
[[processes]]
type = "web"
command = ["engine"]
[[layers]]
name = "engine"
export = true
[layers.build.run]
inline = "mkdir $LAYER/bin; printf '#!/bin/sh\necho engine' > $LAYER/bin/engine; chmod 755 $LAYER/bin/engine"
[[tests]]
name = "it starts"
command = ["engine"]
[[tests]]
name = "it has no network either"
command = ["sh", "-c", "grep -c : /proc/net/dev"]
network = "default"
stdout = { equal = "1\n" }
[[tests]]
name = "it fails"
command = ["false"]
`})
	ended, _ := asksTests(t, request{dir: dir})
	wantEnded(t, ended, map[string]string{
		"mine": "passed", "acme/engine/it starts": "passed", "acme/engine/it has no network either": "passed",
		"acme/engine/it fails": "the exit code is 1",
	})
	log := request{dir: dir, target: "test", runImg: env.busybox}.fail(t)
	contains(t, log, `engine/packfile.toml:22:11: test "acme/engine/it fails": the exit code is 1, not 0`)

	edit(t, dir+"/packfile.toml", `process = "web"`, `process = "worker"`)
	log = request{dir: dir, target: "test", runImg: env.busybox}.fail(t)
	contains(t, log, `process: the image has no process "worker" (one of web)`, `>>> process = "worker"`)
}

func TestTestsOfAPlatformThatTheBuilderCannotRunAreSkipped(t *testing.T) {
	t.Parallel()
	dir := app(t, "[[tests]]\nname = 't'\nfiles = [{ path = '/cnb' }]\n")
	both := natives()[0] + "," + foreign()
	b := request{dir: dir, opts: map[string]string{"platform": both, "target": "test"}}.build(t)
	contains(t, b.log, "[warning] tests are skipped (1): this builder cannot run programs of "+foreign())
	out, err := buildx(t, dir, "--call=packfile.test", "--platform", both)
	if err == nil {
		t.Errorf("the exit status is 0\n%s", out)
	}
	contains(t, out, "TEST   RESULT", "t      skipped   this builder cannot run programs of "+foreign(), "1 passed, 0 failed, 1 skipped")
}

func TestAnImageWithoutTestsSaysSo(t *testing.T) {
	t.Parallel()
	dir := app(t, "[[slices]]\npaths = ['x']\n")
	out, err := buildx(t, dir, "--call=packfile.test")
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	contains(t, out, "there are no tests: the packfile has no [[tests]], and no module brings any")
	contains(t, request{dir: dir, opts: map[string]string{"target": "test"}}.build(t).log, "[warning] there are no tests")
}
