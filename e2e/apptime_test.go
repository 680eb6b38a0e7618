package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/packfile/frontend/internal/testbed"
)

// The time of files: that of the app's files, and the time that all others have.

const (
	appTimeArg = "build-arg:PACKFILE_APP_TIME"
	epochArg   = "build-arg:SOURCE_DATE_EPOCH"
)

// olderEpoch is the time of files in images of older frontends.
const olderEpoch = "315532801"

// timed is an app with every kind of layer, on which a web server can stand.
var timed = testbed.Packfile(
	testbed.Slice("assets"),
	testbed.Layer("tool").Export().Version("STAMP-1").Run("echo STAMP > $LAYER/id"),
	testbed.Layer("deps").Export().Inputs("deps.lock").Run("cat $TOOL/id $APP/deps.lock > $LAYER/id").Link("tool", "path-as", "TOOL"),
)

var layersOfTimed = []string{"tool", "deps"}

// timedApp is a project with that packfile.
func timedApp(t *testing.T) string {
	t.Helper()
	dir := app(t, timed)
	write(t, dir, map[string]string{"assets/style.css": "x"})
	return dir
}

func TestTheAppsFilesHaveATimeOfTheirOwn(t *testing.T) {
	t.Parallel()
	locked := testbed.Tables(testbed.Layer("generated").Version("1").LockApp().Run("mkdir made; echo x > made/file"))
	for name, test := range map[string]struct {
		opts       map[string]string
		more       string
		app, other int64
	}{
		"in seconds":                     {map[string]string{appTimeArg: "1700000000"}, "", 1700000000, epoch},
		"besides SOURCE_DATE_EPOCH":      {map[string]string{appTimeArg: "1700000000", epochArg: "1600000000"}, "", 1700000000, 1600000000},
		"also what a lock-app step made": {map[string]string{appTimeArg: "1700000000"}, locked, 1700000000, epoch},
		"the default and no other":       {map[string]string{appTimeArg: strconv.Itoa(epoch), epochArg: "1600000000"}, "", epoch, 1600000000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := timedApp(t)
			write(t, dir, map[string]string{"packfile.toml": must(t, "cat", filepath.Join(dir, "packfile.toml")) + test.more})
			img := request{dir: dir, opts: test.opts}.export(t)
			of := map[string]int{}
			for _, l := range img.ours() {
				want := test.other
				if l.origin == "app" || l.origin == "app slice" {
					want = test.app
				}
				for name, f := range l.files {
					equal(t, "time of "+name+" in "+l.origin, f.ModTime.Unix(), want)
					of[l.origin]++
				}
			}
			if of["app"] < 3 || of["app slice"] < 3 || of["layer tool"] == 0 {
				t.Errorf("the layers have %v files", of)
			}
			equal(t, "created", img.Created.Unix(), test.other)
		})
	}
}

func TestAnotherTimeOfTheAppsFilesChangesTheAppAlone(t *testing.T) {
	t.Parallel()
	dir := timedApp(t)
	_, first := request{dir: dir, opts: map[string]string{appTimeArg: "1700000000"}}.pushTo(t, imageName(t))
	later := map[string]string{appTimeArg: "1700000001"}
	_, fresh := request{dir: dir, opts: later}.pushTo(t, imageName(t))
	p := newProxy(t)
	b, second := request{dir: dir, host: otherDaemon(t), opts: later, previous: p.Image(first.name)}.pushTo(t, p.Image(imageName(t)))
	b.wantRuns(t, layersOfTimed)
	equal(t, "digest of the image", second.digest, fresh.digest)
	if strings.Contains(b.log, "downloaded and copied") {
		t.Errorf("layers are copied:\n%s", b.log)
	}
	for i, origin := range first.origins() {
		was, is := first.manifest.Layers[i].Digest, second.manifest.Layers[i].Digest
		if ofApp := origin == "app" || origin == "app slice"; (was != is) != ofApp {
			t.Errorf("%s was %s and is %s", origin, was, is)
		}
		if n := pulled(p, was.String()); n > 0 {
			t.Errorf("%d bytes of %s were pulled", n, origin)
		}
	}

	// A rebase moves the layers as they are.
	_, moved := rebased(t, request{runImg: patched(t, env.empty, ""), previous: second.name})
	equal(t, "the app after a rebase", moved.blob(t, "app").Digest, second.blob(t, "app").Digest)

	out, err := buildx(t, dir, "--call=packfile.explain", "--build-arg", "PACKFILE_APP_TIME=5", "--build-context", "previous=docker-image://"+first.name)
	if err != nil {
		t.Fatal(err, out)
	}
	contains(t, out, "tool", "reused")
	if strings.Contains(out, "built") || strings.Contains(out, "copied") {
		t.Errorf("another time of the app's files shows in:\n%s", out)
	}
}

func TestTheAppsFilesCanHaveTheTimeOfTheCommit(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	repo := filepath.Join(base, "app")
	if err := os.CopyFS(repo, os.DirFS(timedApp(t))); err != nil {
		t.Fatal(err)
	}
	commit(t, repo)
	at, err := strconv.ParseInt(strings.TrimSpace(must(t, "git", "-C", repo, "log", "-1", "--format=%ct")), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	url := serveGit(t, base) + "/app"
	img := request{opts: map[string]string{"context": url, appTimeArg: "context"}}.export(t)
	for _, l := range img.ours() {
		want := int64(epoch)
		if l.origin == "app" || l.origin == "app slice" {
			want = at
		}
		for name, f := range l.files {
			equal(t, "time of "+name+" in "+l.origin, f.ModTime.Unix(), want)
		}
	}

	hint := ". Give the seconds; those of the commit in a folder are: --build-arg PACKFILE_APP_TIME=$(git log -1 --format=%ct)"
	contains(t, request{dir: repo, opts: map[string]string{appTimeArg: "context"}}.fail(t),
		`PACKFILE_APP_TIME is "context", and the context is not the address of a Git repository`+hint)
	out, err := buildx(t, repo, "--build-arg", "PACKFILE_APP_TIME=context", "--build-context", "context="+url)
	if err == nil {
		t.Error("the app's files have the time of another context")
	}
	contains(t, out, `PACKFILE_APP_TIME is "context", and the app is the named context "context", of which BuildKit tells no time`+hint)
}

// A page is edited and stays as long as it was. A server knows files by their size and time, and so do browsers what it sent.
func TestABrowserGetsAnEditedPage(t *testing.T) {
	t.Parallel()
	for name, server := range map[string]struct{ command, packfile string }{
		"from Python":  {"python3", testbed.Packfile(testbed.Process("web", "sh", "-c", "exec python3 -m http.server -d public $PORT").With("default", true))},
		"from Node.js": {"node", testbed.Packfile(testbed.Process("web", "node", "server.js").With("default", true))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := files(t, map[string]string{"packfile.toml": server.packfile, "public/page.txt": "one", "server.js": serverOfETags})
			build := func(text string, at int64) string {
				write(t, dir, map[string]string{"public/page.txt": text})
				r := request{dir: dir, buildImg: env.buildImage, runImg: env.runImage, opts: map[string]string{}}
				if at > 0 {
					r.opts[appTimeArg] = fmt.Sprint(at)
				}
				return r.push(t)
			}
			again := func(image string, before *http.Response) (*http.Response, string) {
				known := map[string]string{}
				for ours, theirs := range map[string]string{"If-Modified-Since": "Last-Modified", "If-None-Match": "ETag"} {
					if value := before.Header.Get(theirs); value != "" {
						known[ours] = value
					}
				}
				return get(t, image, "/page.txt", known)
			}
			one, body := get(t, build("one", 1700000000), "/page.txt", nil)
			equal(t, "page", body, "one")
			equal(t, "time of the page", one.Header.Get("Last-Modified"), time.Unix(1700000000, 0).UTC().Format(http.TimeFormat))
			two, body := again(build("two", 1700000100), one)
			equal(t, "status", two.StatusCode, http.StatusOK)
			equal(t, "page after the edit", body, "two")
			for _, header := range []string{"Last-Modified", "ETag"} {
				if was, is := one.Header.Get(header), two.Header.Get(header); was == is && was != "" {
					t.Errorf("%s is still %s", header, was)
				}
			}

			// So it is without a time of the app's files: this test can see the difference.
			one, _ = get(t, build("one", 0), "/page.txt", nil)
			two, body = again(build("two", 0), one)
			equal(t, "without a time, status", two.StatusCode, http.StatusNotModified)
			equal(t, "without a time, page", body, "")
		})
	}
}

// serverOfETags is a web server that makes tags of files as Express and nginx do: of size and time.
const serverOfETags = `
const fs = require("fs"), http = require("http");
http.createServer((req, res) => {
  const file = "public" + req.url, stat = fs.statSync(file);
  const tag = 'W/"' + stat.size.toString(16) + "-" + stat.mtime.getTime().toString(16) + '"';
  res.setHeader("ETag", tag);
  res.setHeader("Last-Modified", stat.mtime.toUTCString());
  if (req.headers["if-none-match"] === tag) {
    res.statusCode = 304;
    res.end();
    return;
  }
  res.end(fs.readFileSync(file));
}).listen(process.env.PORT);
`

// zipTimes packs files into a zip archive in time zones from one end of the world to the other.
const zipTimes = `
for zone in EST5 UTC-14 UTC+12 UTC+24 UTC; do
  TZ=$zone python3 - "$@" <<'END'
import sys, zipfile
archive = zipfile.ZipFile("/tmp/all.zip", "w")
for name in sys.argv[1:]:
    archive.write(name)
    assert archive.getinfo(name.lstrip("/")).date_time[0] == 1980
END
  echo packed in $zone
done
`

func TestFilesCanBeZippedInEveryTimeZone(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"main.txt": "x", "zip.sh": zipTimes, "packfile.toml": testbed.Packfile(
		testbed.Process("web", "sh", "zip.sh", "/workspace/main.txt", "/layers/packfile/tool/id", "/layers/config/metadata.toml", "/cnb/lifecycle/launcher").
			With("default", true),
		testbed.Layer("tool").Export().Run("echo x > $LAYER/id"),
		testbed.Layer("zipped").Export().Run(`sh $APP/zip.sh $APP/main.txt $TOOL/id | tee $LAYER/log`).Link("tool", "path-as", "TOOL"),
	)})
	_, img := request{dir: dir, buildImg: env.buildImage, runImg: env.runImage}.pushTo(t, imageName(t))
	want := "packed in EST5\npacked in UTC-14\npacked in UTC+12\npacked in UTC+24\npacked in UTC\n"
	equal(t, "what the step says", img.files(t, "layer zipped")["log"].content, want)
	equal(t, "what the image says", container(t, img.name, nil), want)
}

func TestLayersOfAnImageWithTheOldTimeAreDownloadedOnce(t *testing.T) {
	t.Parallel()
	dir := timedApp(t)
	// This is what an older frontend made, but for the contents in the label: see package image for those.
	_, old := request{dir: dir, opts: map[string]string{epochArg: olderEpoch}}.pushTo(t, imageName(t))
	_, fresh := request{dir: dir}.pushTo(t, imageName(t))
	explain := func(previous string) string {
		t.Helper()
		out, err := buildx(t, dir, "--call=packfile.explain", "--build-context", "previous=docker-image://"+previous)
		if err != nil {
			t.Fatal(err, out)
		}
		return out
	}
	const why = "downloaded and copied: its files get another time than they have in the previous image"
	const said = "previous image: its files have the time 1980-01-01T00:00:01Z and those of this build 1980-01-02T00:00:01Z, " +
		"so layers that are reused are downloaded and copied: tool, deps"
	equal(t, "layers that are copied, as explained", strings.Count(explain(old.name), why), 2)

	p := newProxy(t)
	b, first := request{dir: dir, host: otherDaemon(t), previous: p.Image(old.name)}.pushTo(t, p.Image(imageName(t)))
	b.wantRuns(t, layersOfTimed)
	contains(t, b.log, said)
	equal(t, "digest of the image", first.digest, fresh.digest)
	for _, l := range layersOfTimed {
		if pulled(p, old.blob(t, "layer "+l).Digest.String()) == 0 {
			t.Errorf("layer %s was not pulled: this tests nothing", l)
		}
	}

	p = newProxy(t)
	b, second := request{dir: dir, host: secondDaemon(t), previous: p.Image(first.name)}.pushTo(t, p.Image(imageName(t)))
	b.wantRuns(t, layersOfTimed)
	equal(t, "digest of the next image", second.digest, fresh.digest)
	for _, l := range layersOfTimed {
		if n := pulled(p, first.blob(t, "layer "+l).Digest.String()); n > 0 {
			t.Errorf("%d bytes of layer %s were pulled again", n, l)
		}
	}
	if strings.Contains(b.log, "downloaded and copied") || strings.Contains(explain(first.name), "downloaded and copied") {
		t.Errorf("the next build copies as well:\n%s", b.log)
	}
}

// An inline cache that the user asks for takes the place of ours: then layers are copied out of the image.
func TestLayersWithTheOldTimeAreCopiedOutOfAnImage(t *testing.T) {
	t.Parallel()
	dir := timedApp(t)
	_, old := request{dir: dir, opts: map[string]string{epochArg: olderEpoch}, args: []string{"--export-cache", "type=inline"}}.pushTo(t, imageName(t))
	_, fresh := request{dir: dir}.pushTo(t, imageName(t))
	b, got := request{dir: dir, host: otherDaemon(t), previous: old.name}.pushTo(t, imageName(t))
	b.wantRuns(t, layersOfTimed)
	for i, origin := range fresh.origins() {
		equal(t, origin, got.manifest.Layers[i].Digest, fresh.manifest.Layers[i].Digest)
	}
	equal(t, "labels", got.Config.Labels, fresh.Config.Labels)
}
