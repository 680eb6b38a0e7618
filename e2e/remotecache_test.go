package e2e

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	digest "github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/internal/testbed"
	"github.com/packfile/frontend/layerkey"
)

// What another builder takes over from the cache that one exported.

// portable has a layer of each kind. Every script says that it ran, and what run scripts leave is another thing every
// time. UNIQUE is something that no other build has.
var portable = testbed.Packfile(
	testbed.Layer("tool").Version("UNIQUE").Run("echo ran tool; "+stamp),
	testbed.Layer("matched").Export().Match("lock.json").Run("echo ran matched; "+stamp+"cp src/a.txt $LAYER/a"),
	testbed.Layer("selected").Export().Inputs("lock.json").Run("echo ran selected; "+stamp),
	testbed.Layer("tested").Export().Inputs("lock.json").Test("echo ran test; cat lock.json > $MD/version").
		Run("echo ran tested; "+stamp),
	testbed.Layer("linking").Export().Version("UNIQUE").Run("echo ran linking; "+stamp+"cp $MATCHED/a $LAYER/a").
		Link("tool").Link("matched", "path-as", "MATCHED", "version-as", "MATCHED_VERSION"),
	testbed.Layer("check").Version("UNIQUE").Run("echo ran check"),
)

// whole is a layer whose steps see the whole app.
var whole = testbed.Tables(
	testbed.Provided("whole").Export().Require("echo ran require; ls > $MD/files").
		Test("echo ran whole-test; cat src/a.txt > $MD/version").Run("echo ran whole; " + stamp),
)

// silentSteps of portable have no script that could say that it ran.
var silentSteps = []string{"[internal] match matched,selected,tested"}

// scripts are those that say that they ran, each once.
func (b built) scripts() []string {
	var names []string
	for _, v := range b.progress.Vertices() {
		for line := range strings.Lines(v.Output) {
			if name, ok := strings.CutPrefix(strings.TrimSpace(line), "ran "); ok {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// buildWith builds the folder dir on a daemon and pushes the image, with a cache to import and one to export, "" for none.
type buildWith func(t *testing.T, host, dir, image, from, to string) built

func viaBuildctl(t *testing.T, host, dir, image, from, to string) built {
	t.Helper()
	r := request{dir: dir, image: image, host: host}
	if from != "" {
		r.args = append(r.args, "--import-cache", from)
	}
	if to != "" {
		r.args = append(r.args, "--export-cache", to)
	}
	return r.build(t)
}

func viaBuildx(t *testing.T, host, dir, image, from, to string) built {
	t.Helper()
	config := append(os.Environ(), "BUILDX_CONFIG="+t.TempDir(), "BUILDX_BUILDER=other")
	create := command(t, "buildx", "create", "--name", "other", "--driver", "remote", or(host, os.Getenv("BUILDKIT_HOST")))
	create.Env = config
	if out, err := run(create); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	args := []string{"--push", "-t", image}
	if from != "" {
		args = append(args, "--cache-from", from)
	}
	if to != "" {
		args = append(args, "--cache-to", to)
	}
	build := buildxCommand(t, dir, args...)
	build.Env = config
	return watch(t, build)
}

var clients = map[string]buildWith{"buildctl": viaBuildctl, "buildx": viaBuildx}

// cacheKinds are what a cache is exported to and imported from; CACHE and IMAGE are names in the registry, DIR a folder.
var cacheKinds = map[string]struct {
	to, from string
	all      bool // it takes along what every step left, and not only what is in the image
}{
	"registry max": {"type=registry,mode=max,ref=CACHE", "type=registry,ref=CACHE", true},
	"local max":    {"type=local,mode=max,dest=DIR", "type=local,src=DIR", true},
	"registry min": {"type=registry,mode=min,ref=CACHE", "type=registry,ref=CACHE", false},
	"inline":       {"type=inline", "type=registry,ref=IMAGE", false},
}

// The app was edited where no version sees it: with a cache that has everything, nothing is left to run. With one that has
// what is in the image, the image is right as well.
func TestAnotherBuilderTakesOverWhatIsInTheCache(t *testing.T) {
	t.Parallel()
	for kind, flags := range cacheKinds {
		for name, build := range clients {
			if name == "buildx" && (kind == "local max" || kind == "registry min") {
				continue // one of each is enough to see that the options arrive
			}
			t.Run(kind+"/"+name, func(t *testing.T) {
				t.Parallel()
				unique := t.TempDir()
				dir := files(t, map[string]string{"lock.json": unique, "src/a.txt": "a", "packfile.toml": replace(portable, "UNIQUE", unique)})
				image, next := imageName(t), imageName(t)
				names := strings.NewReplacer("CACHE", imageName(t), "IMAGE", image, "DIR", t.TempDir())
				first := build(t, "", dir, image, "", names.Replace(flags.to))
				equal(t, "scripts of the first build", first.scripts(), []string{"check", "linking", "matched", "selected", "test", "tested", "tool"})
				write(t, dir, map[string]string{"src/a.txt": "edited"})
				second := build(t, otherDaemon(t), dir, next, names.Replace(flags.from), "")
				layers := labelled(t, next)
				if !flags.all {
					return // what has to run again depends on which layers BuildKit finds in the image
				}
				equal(t, "scripts of the second build", second.scripts(), []string(nil))
				for _, vertex := range silentSteps {
					if second.ran(t, vertex) {
						t.Errorf("%s was executed\n%s", vertex, second.log)
					}
				}
				equal(t, "layers", layers, labelled(t, image))
			})
		}
	}
}

// labelled are the diff ids of layers by name, as the image's label has them. They have to be in the image.
func labelled(t *testing.T, image string) map[string]string {
	t.Helper()
	img := inspect(t, image)
	label, err := layerkey.ParseLabel(img.Config.Labels[layerkey.LabelName])
	if err != nil {
		t.Fatal(err)
	}
	layers := map[string]string{}
	for _, l := range label.Layers {
		if l.DiffID == "" {
			continue
		}
		layers[l.Name] = l.DiffID
		if !slices.Contains(img.RootFS.DiffIDs, digest.Digest(l.DiffID)) {
			t.Errorf("layer %s of the label is not in the image", l.Name)
		}
	}
	if len(layers) != 4 {
		t.Errorf("the label has %d layers", len(layers))
	}
	return layers
}

// Questions are solves of their own, and each has to be told of the cache.
func TestImportedCacheAnswersQuestions(t *testing.T) {
	t.Parallel()
	unique := t.TempDir()
	dir := files(t, map[string]string{"lock.json": unique, "src/a.txt": "a", "packfile.toml": replace(portable+whole, "UNIQUE", unique)})
	cache := "type=registry,ref=" + imageName(t)
	first := viaBuildctl(t, "", dir, imageName(t), "", cache+",mode=max")
	for _, script := range []string{"require", "test", "whole-test"} {
		if !slices.Contains(first.scripts(), script) {
			t.Errorf("%s did not run\n%s", script, first.log)
		}
	}
	second := viaBuildctl(t, otherDaemon(t), dir, imageName(t), cache, "")
	equal(t, "scripts of the second build", second.scripts(), []string(nil))
}

// As in CI: jobs on machines of their own build the same commit, import the cache of the last build, and export theirs
// under the same name.
func TestBuildersShareOneCacheAtTheSameTime(t *testing.T) {
	t.Parallel()
	unique := t.TempDir()
	image, cache := imageName(t), "type=registry,ref="+imageName(t)
	packfile := replace(strings.ReplaceAll(portable, stamp, ""), "UNIQUE", unique) // equal inputs, equal layers
	for round := range 2 {
		var builds [2]built
		var wg sync.WaitGroup
		for i := range builds {
			dir := files(t, map[string]string{"lock.json": unique, "src/a.txt": fmt.Sprint(round), "packfile.toml": packfile})
			host := ""
			if i == 1 {
				host = otherDaemon(t)
			}
			r := request{dir: dir, host: host, image: image, args: []string{"--import-cache", cache, "--export-cache", cache + ",mode=max"}}
			wg.Go(func() { builds[i] = r.try(t) })
		}
		wg.Wait()
		digests := map[string]bool{}
		for _, b := range builds {
			if b.err != nil {
				t.Fatalf("%v\n%s", b.err, b.log)
			}
			m := regexp.MustCompile(`exporting manifest (sha256:\S+)`).FindStringSubmatch(b.log)
			if m == nil {
				t.Fatalf("no manifest in the log:\n%s", b.log)
			}
			digests[m[1]] = true
		}
		if len(digests) != 1 {
			t.Errorf("round %d: equal builds made different images: %v", round, digests)
		}
	}
}

// There is no GitHub here: that its cache is asked for the same things as for a Dockerfile, and that a build does without
// it as that of a Dockerfile does, is what can be seen.
func TestGitHubActionsCacheIsAskedAsForADockerfile(t *testing.T) {
	t.Parallel()
	ask := func(frontend string) (asked []string, log string) {
		var mu sync.Mutex
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			asked = append(asked, r.Method+" "+r.URL.String()+" "+r.Header.Get("Authorization"))
			w.WriteHeader(http.StatusNoContent) // no such cache
		}))
		defer server.Close()
		part := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
		scopes := `[{"Scope":"refs/heads/main","Permission":3}]`
		token := part(`{"alg":"none"}`) + "." + part(`{"nbf":0,"exp":4102444800,"ac":`+fmt.Sprintf("%q", scopes)+`}`) + "." + part("unsigned")
		for _, token := range []string{token, "none"} {
			log += githubCache(t, frontend, "type=gha,scope=ours,url="+server.URL+"/,token="+token)
		}
		return asked, log
	}
	asked, log := ask("packfile")
	want, wantLog := ask("dockerfile")
	if len(want) == 0 {
		t.Fatalf("the cache was not asked for a Dockerfile:\n%s", wantLog)
	}
	equal(t, "requests", asked, want)
	const without = "failed to configure gha cache importer: "
	contains(t, wantLog, without)
	contains(t, log, without)
}

// githubCache is the log of a build that imports a cache.
func githubCache(t *testing.T, frontend, from string) string {
	t.Helper()
	dir := files(t, map[string]string{
		"packfile.toml": testbed.Packfile(testbed.Layer("a").Version(t.TempDir()).Run("true")),
		"Dockerfile":    "FROM scratch\nCOPY Dockerfile /\n",
	})
	if frontend == "packfile" {
		return request{dir: dir, args: []string{"--import-cache", from}}.build(t).log
	}
	return must(t, "buildctl", "build", "--progress=plain", "--frontend=dockerfile.v0", "--local", "context="+dir,
		"--local", "dockerfile="+dir, "--import-cache", from)
}
