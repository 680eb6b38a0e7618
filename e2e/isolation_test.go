package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/client/llb"
	"github.com/packfile/frontend/internal/testbed"
)

// The three hard rules of the keyed view. Each of these tests fails without its rule.

// viewed has a versioned layer, whose run step sees the app through a keyed view, and leaves what it saw.
var viewed = testbed.Packfile(testbed.Layer("a").Export().Version("VERSION").Run("cp who.txt $LAYER/who"))

// Two local sources with equal options are one for the daemon, unless the view's key tells them apart.
func TestBuildsAtTheSameTimeSeeTheirOwnFiles(t *testing.T) {
	t.Parallel()
	const rounds, builds = 3, 4
	for round := range rounds {
		results := make([]built, builds)
		var wg sync.WaitGroup
		for i := range builds {
			who := fmt.Sprintf("%d-%d", round, i)
			dir := files(t, map[string]string{"who.txt": who, "packfile.toml": replace(viewed, "VERSION", who+t.TempDir())})
			r := request{dir: dir, target: "a"}
			wg.Go(func() { results[i] = r.try(t) })
		}
		wg.Wait()
		for i, b := range results {
			if b.err != nil {
				t.Fatalf("%v\n%s", b.err, b.log)
			}
			if want := fmt.Sprintf("%d-%d", round, i); b.read(t, "who") != want {
				t.Errorf("build %s saw the file of build %s", want, b.read(t, "who"))
			}
		}
	}
}

func TestTargetsOfOneBakeSeeTheirOwnFiles(t *testing.T) {
	t.Parallel()
	for round := range 3 {
		base := t.TempDir()
		bake := "group \"default\" {\n  targets = [\"one\", \"two\"]\n}\n"
		for _, name := range []string{"one", "two"} {
			write(t, filepath.Join(base, name), map[string]string{
				"who.txt":       name,
				"packfile.toml": replace(viewed, "VERSION", fmt.Sprint(name, round, base)),
			})
			bake += fmt.Sprintf(`
target %q {
  context = %q
  dockerfile = "packfile.toml"
  target = "a"
  contexts = {
    build-image = "docker-image://%s"
    run-image = "docker-image://%s"
  }
  output = ["type=local,dest=%s"]
}
`, name, filepath.Join(base, name), env.busybox, env.empty, filepath.Join(base, "out-"+name))
		}
		write(t, base, map[string]string{"docker-bake.hcl": bake})
		out, err := run(command(t, "buildx", "bake", "--progress=plain", "--allow", "fs.write="+base, "--allow", "fs.read="+base, "-f", filepath.Join(base, "docker-bake.hcl")))
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		for _, name := range []string{"one", "two"} {
			if got := (built{out: filepath.Join(base, "out-"+name)}).read(t, "who"); got != name {
				t.Errorf("target %s saw the file of target %s", name, got)
			}
		}
	}
}

// A nested build without a definition crashes the daemon.
func TestEmptyContextIsAnEmptyAppAndHarmsNobody(t *testing.T) {
	t.Parallel()
	packfile := testbed.Packfile(
		testbed.Layer("a").Export().Version(t.TempDir()).Run("ls -A $APP > $LAYER/files"),
		testbed.Layer("b").Inputs("**/*.json").Run("ls -A $APP > $LAYER/files"),
	)
	dir := files(t, map[string]string{"packfile.toml": packfile})
	t.Run("folder", func(t *testing.T) {
		for _, target := range []string{"a", "b"} {
			r := request{dir: dir, target: target, args: []string{"--local", "context=" + t.TempDir()}}
			if got := r.build(t).read(t, "files"); got != "" {
				t.Errorf("layer %s saw %q", target, got)
			}
		}
	})
	t.Run("input without a definition", func(t *testing.T) {
		c := clientOf(t, os.Getenv("BUILDKIT_HOST"))
		for _, target := range []string{"", "a", "b"} {
			_, err := c.Solve(t.Context(), nil, client.SolveOpt{
				Frontend: "gateway.v0",
				FrontendAttrs: map[string]string{
					"source": env.frontend, "filename": "packfile.toml", "target": target,
					"context:build-image": "docker-image://" + env.busybox, "context:run-image": "docker-image://" + env.empty,
				},
				FrontendInputs: map[string]llb.State{
					"context":    llb.Scratch(),
					"dockerfile": llb.Scratch().File(llb.Mkfile("/packfile.toml", 0o644, []byte(packfile))),
				},
			}, nil)
			if err == nil {
				t.Errorf("target %q: a context without a definition was built", target)
			}
		}
	})
	must(t, "buildctl", "debug", "workers")
}

// who is how two builds on one daemon differ in whose they are: frontend options, and a text for the packfile.
type who struct {
	opts map[string]string
	text string
}

// strangers are pairs of projects that are as alike as they can be.
func strangers() map[string][2]who {
	option := func(keysAndValues ...string) who {
		opts := map[string]string{}
		for i := 0; i < len(keysAndValues); i += 2 {
			opts[keysAndValues[i]] = keysAndValues[i+1]
		}
		return who{opts: opts}
	}
	const app, source, folder = "build-arg:PACKFILE_APP", "vcs:source", "vcs:localdir:context"
	const repository = "https://example.com/victim.git"
	return map[string][2]who{
		"another PACKFILE_APP":            {option(app, "victim"), option(app, "attacker")},
		"another repository":              {option(source, repository), option(source, "https://example.com/attacker.git")},
		"another folder of a repository":  {option(source, repository, folder, "victim"), option(source, repository, folder, "attacker")},
		"an app named like a repository":  {option(source, repository), option(app, "vcs:"+repository+"#")},
		"an app that is in no repository": {option(source, repository), {}},
		"another packfile":                {{}, {text: "api = \"0.11\"\n"}},
	}
}

// moduleID is an id that no packfile had before, so that no cache on the daemon is its own.
func moduleID(t *testing.T) string {
	t.Helper()
	return "test/" + replace(filepath.Base(filepath.Dir(t.TempDir())), "_", "-")
}

// fishing are packfiles whose layer "net" holds whatever of another project they can get hold of; VERSION is the version
// of their layers. The script is the same for all: it is part of the layer key.
var fishing = map[string]string{
	"keyed view": testbed.Tables(testbed.Layer("net").Version("VERSION").Run(stamp + "cp -r . $LAYER/found")),
	"cache": testbed.Tables(
		testbed.Cache("downloads"),
		testbed.Layer("net").Run(stamp+"cp -r $DOWNLOADS $LAYER/found; cp -r . $DOWNLOADS").
			Link("downloads", "path-as", "DOWNLOADS"),
	),
	"link": testbed.Tables(
		testbed.Layer("linked").Version("VERSION").Run("cp -r . $LAYER"),
		testbed.Layer("net").Version("VERSION").Run(stamp+"cp -r $LINKED $LAYER/found").Link("linked", "path-as", "LINKED"),
	),
	"restore": testbed.Tables(
		testbed.Layer("net").With("restore", true).
			Run(stamp + "rm -rf $LAYER/found; mv $LAYER/app $LAYER/found || mkdir $LAYER/found; cp -r . $LAYER/app"),
	),
}

// Two projects on one daemon with equal module id, layers and versions never see each other's app. What keeps them apart
// does not keep a project from its own: not what it built before, nor what another checkout of it did.
func TestProjectsNeverSeeEachOthersFiles(t *testing.T) {
	t.Parallel()
	for by, packfile := range fishing {
		for difference, pair := range strangers() {
			if by != "keyed view" && difference != "another PACKFILE_APP" {
				continue // there is one identity for all
			}
			t.Run(by+"/"+difference, func(t *testing.T) {
				t.Parallel()
				secret := t.TempDir()
				module := sh + "id = \"" + moduleID(t) + "\"\n"
				build := func(w who, app map[string]string) built {
					dir := files(t, app)
					write(t, dir, map[string]string{"packfile.toml": w.text + module + replace(packfile, "VERSION", secret)})
					return request{dir: dir, target: "net", opts: w.opts}.build(t)
				}
				caught := func(b built) bool {
					found := false
					err := filepath.WalkDir(b.out, func(path string, d os.DirEntry, err error) error {
						if err != nil || !d.Type().IsRegular() {
							return err
						}
						text, err := os.ReadFile(path)
						found = found || strings.Contains(string(text), "word: "+secret)
						return err
					})
					if err != nil {
						t.Fatal(err)
					}
					return found
				}
				victim, attacker := pair[0], pair[1]
				theirs := map[string]string{"secret.txt": "word: " + secret}
				own := build(victim, theirs)
				if by == "keyed view" || by == "link" {
					// The layer holds the app itself.
					if !caught(own) {
						t.Fatal("the victim does not see its own app")
					}
					if again := build(victim, theirs); again.read(t, "stamp") != own.read(t, "stamp") {
						t.Error("the victim's layer is not cached")
					}
				}
				if caught(build(attacker, map[string]string{"mine.txt": "of the attacker"})) {
					t.Error("the attacker has the victim's file")
				}
				if !caught(build(victim, map[string]string{"checkout.txt": "without the file"})) {
					t.Error("another checkout of the victim does not find what the victim left: nothing is shared that could be kept apart")
				}
			})
		}
	}
}

// As above, for builds at the same time: then it is not results that could be shared but sources.
func TestProjectsThatBuildAtTheSameTimeSeeTheirOwnFiles(t *testing.T) {
	t.Parallel()
	for round := range 3 {
		version := fmt.Sprint(round, t.TempDir())
		var results [4]built
		var wg sync.WaitGroup
		for i := range results {
			dir := files(t, map[string]string{"who.txt": strings.Repeat("x", i), "packfile.toml": replace(viewed, "VERSION", version)})
			r := request{dir: dir, target: "a", opts: map[string]string{"build-arg:PACKFILE_APP": fmt.Sprint(i)}}
			wg.Go(func() { results[i] = r.try(t) })
		}
		wg.Wait()
		for i, b := range results {
			if b.err != nil {
				t.Fatalf("%v\n%s", b.err, b.log)
			}
			if got := len(b.read(t, "who")); got != i {
				t.Errorf("project %d saw the file of project %d", i, got)
			}
		}
	}
}

// What a layer takes from its project's cache, or from its last content, is no part of what is known of its steps. So
// another project that has all that is known must not be given the layer.
func TestLayersMadeFromACacheStayInTheirProject(t *testing.T) {
	t.Parallel()
	for _, by := range []string{"cache", "restore"} {
		t.Run(by, func(t *testing.T) {
			t.Parallel()
			secret := t.TempDir()
			packfile := sh + "id = \"" + moduleID(t) + "\"\n" + fishing[by]
			build := func(project string, app map[string]string) string {
				dir := files(t, app)
				write(t, dir, map[string]string{"packfile.toml": packfile})
				b := request{dir: dir, target: "net", opts: map[string]string{"build-arg:PACKFILE_APP": project}}.build(t)
				text, _ := os.ReadFile(b.out + "/found/secret.txt")
				return string(text)
			}
			public := map[string]string{"public.txt": "known to all"}
			build("victim", map[string]string{"secret.txt": secret})
			if build("victim", public) != secret {
				t.Fatal("the victim's layer has nothing of its cache")
			}
			if build("attacker", public) == secret {
				t.Error("the attacker has the victim's layer")
			}
		})
	}
}

// It is one for those that set it up in the same way: a setup script starts from an empty cache, and must not empty that of others.
func TestSharedCacheIsOneForAllProjectsWithTheModule(t *testing.T) {
	t.Parallel()
	module := moduleID(t)
	packfile := testbed.Tables(
		testbed.Cache("common", "setup.inline", "echo set up by SETUP >> $CACHE/log", "shared", true),
		testbed.Cache("own"),
		testbed.Layer("a").
			Run("echo WHO >> $COMMON/log; echo WHO >> $OWN/log; cp $COMMON/log $LAYER/common; cp $OWN/log $LAYER/own").
			Link("common", "path-as", "COMMON").Link("own", "path-as", "OWN"),
	)
	for i, b := range []struct {
		name        string
		who, setup  string
		config, app string
		common, own string
	}{
		{name: "the first project", who: "one", setup: "x", common: "set up by x, one", own: "one"},
		{name: "another packfile", who: "two", setup: "x", common: "set up by x, one, two", own: "two"},
		{name: "another setup script", who: "three", setup: "y", app: "three", common: "set up by y, three", own: "three"},
		{name: "another app with that packfile", who: "three", setup: "y", app: "four", common: "set up by y, three, three", own: "three"},
		{name: "the first project again", who: "one", setup: "x", common: "set up by x, one, two, one", own: "one, one"},
		{name: "another module", config: `id = "` + module + `-other"`, who: "one", setup: "x", common: "set up by x, one", own: "one"},
		{name: "another user", config: "user = \"1001:1001\"", who: "one", setup: "x", common: "set up by x, one", own: "one"},
	} {
		config := sh + b.config + "\n"
		if !strings.HasPrefix(b.config, "id") {
			config += "id = \"" + module + "\"\n"
		}
		dir := files(t, map[string]string{
			"build":         strings.Repeat("x", i), // each is a build of its own
			"packfile.toml": config + replace(replace(packfile, "WHO", b.who), "SETUP", b.setup),
		})
		r := request{dir: dir, target: "a", opts: map[string]string{"build-arg:PACKFILE_APP": b.app}}
		got := r.build(t)
		lines := func(name string) string {
			return strings.ReplaceAll(strings.TrimSuffix(got.read(t, name), "\n"), "\n", ", ")
		}
		equal(t, b.name+": shared cache", lines("common"), b.common)
		equal(t, b.name+": other cache", lines("own"), b.own)
	}
}
