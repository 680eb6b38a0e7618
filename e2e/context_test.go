package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/packfile/frontend/internal/testbed"
)

// contextPackfile is a new app, whose layer "a" holds all that its step saw of the app.
func contextPackfile(t *testing.T) string {
	return testbed.Packfile(testbed.Layer("a").Export().Version(t.TempDir()).Run("cp -r $APP/. $LAYER"))
}

// ignoredApp is an app with a .dockerignore.
func ignoredApp(t *testing.T) map[string]string {
	return map[string]string{
		".dockerignore": "\ufeff# keys\r\n.env\r\n  /id_rsa  \r\n\r\ndocs\r\n!docs/keep.md\r\n**/*.log\r\n!.git\r\n",
		".env":          "k", "id_rsa": "k", "docs/x.md": "x", "docs/keep.md": "x", "a.log": "x", "deep/down/b.log": "x",
		"deep/down/c.txt": "x", "a.txt": "x", "packfile.toml": contextPackfile(t),
	}
}

// commit makes a folder a Git repository, or adds a commit to it.
func commit(t *testing.T, repo string) {
	t.Helper()
	gitIn(t, repo, "init", "-q")
	gitIn(t, repo, "config", "receive.denyCurrentBranch", "ignore")
	gitIn(t, repo, "add", "-Af")
	gitIn(t, repo, "commit", "-qm", "a commit")
}

// clone is a new clone of a repository, with its submodules.
func clone(t *testing.T, url string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "clone")
	must(t, "git", "clone", "-q", "--recurse-submodules", url, dir)
	return dir
}

// serveFiles serves a folder by HTTP, and is its address.
func serveFiles(t *testing.T, dir string) string {
	t.Helper()
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	t.Cleanup(server.Close)
	return server.URL
}

// archiveOf is an archive of a folder, in a folder of its own.
func archiveOf(t *testing.T, dir string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "context.tar")
	must(t, "tar", "-C", dir, "-cf", file, ".")
	return file
}

// allFiles are the files below a folder.
func allFiles(t *testing.T, dir string) string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			name, _ := filepath.Rel(dir, path)
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(names, " ")
}

// contextBuild is a build of what is somewhere, by buildx; -f is packfile.toml there unless args say another.
func contextBuild(t *testing.T, stdin string, args ...string) (string, error) {
	t.Helper()
	all := []string{"build", "--progress=plain", "--provenance=false", "-f", "packfile.toml",
		"--build-context", "build-image=docker-image://" + env.busybox,
		"--build-context", "run-image=docker-image://" + env.empty}
	cmd := command(t, "buildx", append(all, args...)...)
	if stdin != "" {
		in, err := os.Open(stdin)
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		cmd.Stdin = in
	}
	return run(cmd)
}

// The same files are the same app, and .dockerignore and .git are no part of it, wherever they come from: two clones of one
// commit, with different files in .git, too.
func TestTheSameFilesAreTheSameImageFromEveryKindOfContext(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	address := serveGit(t, base)
	write(t, filepath.Join(base, "part"), map[string]string{"part.txt": "x", "part.log": "x"})
	commit(t, filepath.Join(base, "part"))
	repo := filepath.Join(base, "app")
	app := ignoredApp(t)
	write(t, repo, app)
	commit(t, repo)
	gitIn(t, repo, "submodule", "add", "-q", address+"/part", "part")
	gitIn(t, repo, "commit", "-qm", "a submodule")
	url := address + "/app"

	one, two := clone(t, url), clone(t, url)
	gitIn(t, two, "config", "user.name", "another")
	archive := archiveOf(t, one)
	server := serveFiles(t, filepath.Dir(archive))
	bake := t.TempDir()
	write(t, bake, map[string]string{
		"docker-bake.hcl": fmt.Sprintf(`
target "gen" {
  context = %q
  dockerfile-inline = "FROM scratch\nCOPY . /"
}
target "app" {
  context = %[2]q
  dockerfile = "packfile.toml"
  contexts = {
    context = "target:gen"
    build-image = "docker-image://%[3]s"
    run-image = "docker-image://%[4]s"
  }
}
`, two, bake, env.busybox, env.empty),
		"packfile.toml": app["packfile.toml"], "not.txt": "of the app",
	})
	elsewhere := files(t, map[string]string{"packfile.toml": app["packfile.toml"], "not.txt": "of the app"})
	packfile := filepath.Join(elsewhere, "packfile.toml")
	var first identity
	for _, c := range []struct {
		name, stdin string
		args        []string
	}{
		{name: "a clone", args: []string{"-f", one + "/packfile.toml", one}},
		{name: "another clone", args: []string{"-f", two + "/packfile.toml", two}},
		{name: "a Git URL", args: []string{url}},
		{name: "an archive on standard input", stdin: archive, args: []string{"-"}},
		{name: "an archive by HTTP", args: []string{server + "/context.tar"}},
		{name: "named context, a clone", args: []string{"-f", packfile, "--build-context", "context=" + two, elsewhere}},
		{name: "named context, a Git URL", args: []string{"-f", packfile, "--build-context", "context=" + url + "#main", elsewhere}},
		{name: "named context, an archive by HTTP", args: []string{"-f", packfile, "--build-context", "context=" + server + "/context.tar", elsewhere}},
		{name: "named context, another target of bake"},
	} {
		image := imageName(t)
		var out string
		var err error
		if c.args == nil {
			out, err = run(command(t, "buildx", "bake", "--progress=plain", "--provenance=false", "--allow=fs.read="+filepath.Dir(two), "--allow=fs.read="+bake, "--push",
				"-f", filepath.Join(bake, "docker-bake.hcl"), "--set", "app.tags="+image, "app"))
		} else {
			out, err = contextBuild(t, c.stdin, append([]string{"--push", "-t", image}, c.args...)...)
		}
		if err != nil {
			t.Fatalf("%s: %v\n%s", c.name, err, out)
		}
		id := pushedIdentity(t, image)
		if first.layers == nil {
			first = id
			dest := t.TempDir()
			if out, err := contextBuild(t, c.stdin, append([]string{"--target", "a", "-o", dest}, c.args...)...); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			equal(t, "the app", allFiles(t, dest), ".dockerignore .gitmodules a.txt deep/down/c.txt docs/keep.md packfile.toml part/part.txt")
		}
		if parts := first.differences(id); parts != nil {
			t.Errorf("%s: another image than from a clone: %q\n%s", c.name, parts, out)
		}
	}
}

func TestTheDockerignoreOfThePackfileGoesFirstInEveryKindOfContext(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	repo := filepath.Join(base, "app")
	write(t, repo, ignoredApp(t))
	write(t, repo, map[string]string{"packfile.toml.dockerignore": "a.txt\ndocs\ndeep\n", "other.toml": contextPackfile(t), "other.toml.dockerignore": ""})
	commit(t, repo)
	archive := archiveOf(t, repo)
	for name, args := range map[string][]string{
		"a folder":             {repo},
		"a Git URL":            {serveGit(t, base) + "/app"},
		"an archive by HTTP":   {serveFiles(t, filepath.Dir(archive)) + "/context.tar"},
		"the named context":    {"--build-context", "context=" + repo, files(t, nil)},
		"the archive on stdin": {"-"},
	} {
		for file, want := range map[string]string{
			"packfile.toml": ".dockerignore .env a.log id_rsa other.toml other.toml.dockerignore packfile.toml packfile.toml.dockerignore",
			"other.toml": ".dockerignore .env a.log a.txt deep/down/b.log deep/down/c.txt docs/keep.md docs/x.md id_rsa " +
				"other.toml other.toml.dockerignore packfile.toml packfile.toml.dockerignore", // an empty one is one
		} {
			stdin, dest := "", t.TempDir()
			if args[0] == "-" {
				stdin = archive
			}
			if name == "a folder" || name == "the named context" {
				file = filepath.Join(repo, file)
			}
			out, err := contextBuild(t, stdin, append([]string{"-f", file, "--build-arg", "BUILDKIT_SYNTAX=" + env.frontend, "--target", "a", "-o", dest}, args...)...)
			if err != nil {
				t.Fatalf("%s: %v\n%s", name, err, out)
			}
			equal(t, name+", "+filepath.Base(file), allFiles(t, dest), want)
		}
	}
}

func TestAnInvalidDockerignoreIsAnErrorThatNamesIt(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	write(t, filepath.Join(base, "app"), map[string]string{".dockerignore": "*.log\na[\n", "packfile.toml": contextPackfile(t)})
	commit(t, filepath.Join(base, "app"))
	log := request{opts: map[string]string{"context": serveGit(t, base) + "/app"}}.fail(t)
	contains(t, log, `.dockerignore: pattern "a["`)
}

func TestGitFilesAreInTheAppWhenTheyAreAskedFor(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	repo := filepath.Join(base, "app")
	write(t, repo, map[string]string{"a.txt": "x", "packfile.toml": testbed.Packfile(testbed.Layer("a").Export().Version("1").Run("git -c safe.directory=* log --format=%s > $LAYER/log"))})
	commit(t, repo)
	for name, r := range map[string]request{
		"a folder":  {dir: clone(t, repo)},
		"a Git URL": {opts: map[string]string{"context": serveGit(t, base) + "/app"}},
	} {
		t.Run(name, func(t *testing.T) {
			r.buildImg, r.target = env.buildImage, "a"
			contains(t, r.fail(t), "not a git repository", "[a] run failed with exit code 128", "--build-arg BUILDKIT_CONTEXT_KEEP_GIT_DIR=1")
			opts := map[string]string{"context": r.opts["context"]}
			for value, kept := range map[string]bool{"1": true, "true": true, "0": false, "yes": false} {
				opts["build-arg:BUILDKIT_CONTEXT_KEEP_GIT_DIR"] = value
				if opts["context"] == "" {
					delete(opts, "context")
				}
				r.opts = opts
				if !kept {
					r.fail(t)
				} else if got := r.build(t).read(t, "log"); got != "a commit\n" {
					t.Errorf("with %s git says %q", value, got)
				}
			}
		})
	}
}

// A hint is for steps that call git, and for no others.
func TestAStepThatFailsWithoutGitGetsNoHintOfGit(t *testing.T) {
	t.Parallel()
	for script, hinted := range map[string]bool{
		"exit 1": false, "cat .gitignore || exit 1": false, "git describe": false /* not found */, "git describe || exit 3": true,
	} {
		dir := files(t, map[string]string{"packfile.toml": testbed.Packfile(testbed.Layer("a").Run(script))})
		log := request{dir: dir, target: "a"}.fail(t)
		if strings.Contains(log, "KEEP_GIT_DIR") != hinted {
			t.Errorf("%s: hinted: %t\n%s", script, !hinted, log)
		}
	}
}

// stamped is an app with a layer that has a version, and is different in every run.
var stamped = testbed.Packfile(testbed.Layer("a").Version("VERSION").Run(stamp + "cp a.txt $LAYER/"))

// The version speaks for the app: a new commit with the same version runs nothing.
func TestALayerWithAVersionIsKeptInAGitContextAndAnArchiveByHTTP(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	repo := filepath.Join(base, "app")
	packfile := replace(stamped, "VERSION", t.TempDir())
	archives := t.TempDir()
	change := func(contents map[string]string) {
		write(t, repo, contents)
		commit(t, repo)
		if err := os.Rename(archiveOf(t, repo), archives+"/context.tar"); err != nil {
			t.Fatal(err)
		}
	}
	change(map[string]string{"a.txt": "one", "packfile.toml": packfile})
	git, http := serveGit(t, base)+"/app", serveFiles(t, archives)+"/context.tar"
	contexts := map[string]map[string]string{
		"Git URL": {"context": git}, "branch": {"context": git + "#main"}, "archive": {"context": http},
	}
	first := map[string]string{}
	for name, opts := range contexts {
		b := request{target: "a", opts: opts}.build(t)
		first[name] = b.read(t, "stamp")
		equal(t, name, b.read(t, "a.txt"), "one")
	}
	change(map[string]string{"a.txt": "two"})
	for name, opts := range contexts {
		b := request{target: "a", opts: opts}.build(t)
		equal(t, name+", another commit", b.read(t, "stamp"), first[name])
		if strings.Contains(b.log, "[warning]") {
			t.Errorf("%s: there is a warning\n%s", name, b.log)
		}
	}
	change(map[string]string{"packfile.toml": packfile + "\n# another\n"})
	change(map[string]string{"packfile.toml": replace(packfile, `version = "`, `version = "2`)})
	for name, opts := range contexts {
		b := request{target: "a", opts: opts}.build(t)
		equal(t, name+", another version", b.read(t, "a.txt"), "two")
	}
}

// What is known by its content alone is built again, and the build says so.
func TestABuildSaysWhichLayersItsContextDoesNotKeep(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	repo := filepath.Join(base, "app")
	write(t, repo, map[string]string{"a.txt": "one", "packfile.toml": replace(stamped, "VERSION", t.TempDir())})
	commit(t, repo)
	head, err := exec.Command("git", "-C", repo, "rev-parse", "HEAD").Output()
	if err != nil {
		t.Fatal(err)
	}
	b := request{target: "a", opts: map[string]string{"context": serveGit(t, base) + "/app#" + strings.TrimSpace(string(head))}}.build(t)
	contains(t, b.log, "[warning] layers with a version are made again when the app changes, since the context is a Git commit, named by its hash: a")
	out, err := contextBuild(t, archiveOf(t, repo), "--target", "a", "-o", t.TempDir(), "-")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	contains(t, out, "since the context is an archive on standard input: a")
	out, err = contextBuild(t, "", "-f", repo+"/packfile.toml", "--target", "a", "-o", t.TempDir(), repo)
	if err != nil || strings.Contains(out, "[warning]") {
		t.Errorf("of a folder: %v\n%s", err, out)
	}
}

// Two repositories with one packfile, whose layers have one version, are two apps; a clone and the repository are one.
func TestGitRepositoriesNeverSeeEachOthersFiles(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	packfile := replace(stamped, "VERSION", t.TempDir())
	address := serveGit(t, base)
	for _, name := range []string{"one", "two"} {
		write(t, filepath.Join(base, name), map[string]string{"a.txt": name, "packfile.toml": packfile})
		commit(t, filepath.Join(base, name))
		if got := (request{target: "a", opts: map[string]string{"context": address + "/" + name}}).build(t).read(t, "a.txt"); got != name {
			t.Errorf("repository %s saw the file of repository %s", name, got)
		}
	}
}

func TestAnAppIsOneInACloneAndInAGitContext(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	repo := filepath.Join(base, "app")
	write(t, repo, map[string]string{"packfile.toml": testbed.Packfile(
		testbed.Cache("c"),
		testbed.Layer("a").Run(stamp+"date +%s%N >> $C/runs; cp $C/runs $LAYER").Link("c", "path-as", "C"),
	)})
	commit(t, repo)
	url := serveGit(t, base) + "/app"
	runs := func(args ...string) int {
		dest := t.TempDir()
		out, err := contextBuild(t, "", append([]string{"--no-cache-filter", "none", "--target", "a", "-o", dest}, args...)...)
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return strings.Count(built{out: dest}.read(t, "runs"), "\n")
	}
	if got := runs(url); got != 1 {
		t.Fatalf("the cache of a new app has %d lines", got)
	}
	dir := clone(t, url)
	write(t, dir, map[string]string{"more.txt": "so that the step runs"})
	if got := runs("-f", dir+"/packfile.toml", dir); got != 2 {
		t.Errorf("a clone finds %d lines in the cache", got)
	}
}
