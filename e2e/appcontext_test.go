package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/client/llb"
	"github.com/packfile/frontend/internal/testbed"
	"github.com/tonistiigi/fsutil"
)

// The packfile comes from where -f says, and its script files and modules too; the app is what the context is.
func TestTheNamedContextContextIsTheApp(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{
		"local.txt": "x", "run.sh": "cp -r $APP/. $LAYER", ".dockerignore": "app.txt",
		"packfile.toml": testbed.Packfile(testbed.Layer("a").Export().RunFile("run.sh")),
	})
	folder := files(t, map[string]string{"app.txt": "x", "secret": "x", ".dockerignore": "secret", ".git/config": "x"})
	image := imageName(t)
	source := files(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY app.txt .dockerignore /\n", "app.txt": "x", ".dockerignore": ""})
	must(t, "buildx", "build", "--provenance=false", "-t", image, "--push", source)
	for value, want := range map[string]string{
		folder:                    ".dockerignore app.txt",
		"docker-image://" + image: ".dockerignore app.txt",
	} {
		dest := t.TempDir()
		out, err := buildx(t, dir, "--target", "a", "-o", dest, "--build-context", "context="+value)
		if err != nil {
			t.Fatalf("%s: %v\n%s", value, err, out)
		}
		equal(t, "the app", allFiles(t, dest), want)
	}
	for value, message := range map[string]string{
		"docker-image://" + image + "-none": "named context context: ",
		"docker-image://scratch":            "named context context: scratch: the context is empty",
	} {
		out, err := buildx(t, dir, "--target", "a", "-o", t.TempDir(), "--build-context", "context="+value)
		if err == nil {
			t.Errorf("%s is an app", value)
		}
		contains(t, out, message)
	}
}

// buildx sends an address with a query only to frontends that say they know such addresses.
func TestTheAddressOfAGitContextMayAskForGitFiles(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	repo := filepath.Join(base, "app")
	packfile := map[string]string{"packfile.toml": sh + "\n[[layers]]\nname = \"a\"\n[layers.build.run]\ninline = \"ls -a > $LAYER/list\"\n"}
	write(t, repo, packfile)
	commit(t, repo)
	url := serveGit(t, base) + "/app"
	for query, want := range map[string]string{"": ". .. packfile.toml", "?keep-git-dir=1": ". .. .git packfile.toml"} {
		dest := t.TempDir()
		out, err := buildx(t, files(t, packfile), "--target", "a", "-o", dest, "--build-context", "context="+url+query)
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		equal(t, "the app of an address with "+query, strings.Join(strings.Fields(built{out: dest}.read(t, "list")), " "), want)
	}
}

// A folder that is the named context is as good as one that is the main context: a version speaks for it.
func TestALayerWithAVersionIsKeptInANamedContext(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"packfile.toml": replace(stamped, "VERSION", t.TempDir())})
	folder := files(t, map[string]string{"a.txt": "one"})
	var stamps []string
	for _, text := range []string{"one", "two"} {
		write(t, folder, map[string]string{"a.txt": text})
		dest := t.TempDir()
		out, err := buildx(t, dir, "--target", "a", "-o", dest, "--build-context", "context="+folder)
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		stamps = append(stamps, built{out: dest}.read(t, "stamp"))
	}
	equal(t, "the second build", stamps[1], stamps[0])
}

// Two folders of one repository are two apps, also when they are named contexts.
func TestNamedContextsOfOneRepositoryAreTwoApps(t *testing.T) {
	t.Parallel()
	repo := t.TempDir()
	write(t, repo, map[string]string{"packfile.toml": replace(stamped, "VERSION", t.TempDir()), "one/a.txt": "one", "two/a.txt": "two"})
	commit(t, repo)
	gitIn(t, repo, "remote", "add", "origin", "https://git.example.com"+repo)
	for _, name := range []string{"one", "two"} {
		dest := t.TempDir()
		out, err := buildx(t, repo, "--target", "a", "-o", dest, "--build-context", "context="+filepath.Join(repo, name))
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		equal(t, "the app", built{out: dest}.read(t, "a.txt"), name)
	}
}

// Each platform has its own app when the named context has one for each.
func TestANamedContextCanBeAnotherAppForEachPlatform(t *testing.T) {
	t.Parallel()
	one, two := files(t, map[string]string{"a.txt": "amd64"}), files(t, map[string]string{"a.txt": "386"})
	dir := files(t, map[string]string{"packfile.toml": testbed.Packfile(testbed.Layer("a").Inputs("a.txt").Run("cp a.txt $LAYER"))})
	b := request{dir: dir, target: "a", opts: map[string]string{
		"platform": "linux/amd64,linux/386", "context:context::linux/amd64": "local:one", "context:context::linux/386": "local:two",
	}, args: []string{"--local", "one=" + one, "--local", "two=" + two}}.build(t)
	for _, arch := range []string{"amd64", "386"} {
		equal(t, arch, b.read(t, "linux_"+arch+"/a.txt"), arch)
	}
}

// bake hands over the main context of a remote definition as an input.
func TestDockerignoreHoldsForAnInputThatIsTheMainContext(t *testing.T) {
	t.Parallel()
	c := clientOf(t, os.Getenv("BUILDKIT_HOST"))
	dir := files(t, map[string]string{"a.txt": "x", "secret": "x", ".dockerignore": "secret", ".git/config": "x", "packfile.toml": contextPackfile(t)})
	local, err := fsutil.NewFS(dir)
	if err != nil {
		t.Fatal(err)
	}
	input := llb.Scratch().File(llb.Copy(llb.Local("any"), "/", "/", &llb.CopyInfo{CopyDirContentsOnly: true}))
	dest := t.TempDir()
	_, err = c.Solve(t.Context(), nil, client.SolveOpt{
		Frontend: "gateway.v0",
		FrontendAttrs: map[string]string{
			"source": env.frontend, "filename": "packfile.toml", "target": "a",
			"context:build-image": "docker-image://" + env.busybox, "context:run-image": "docker-image://" + env.empty,
		},
		FrontendInputs: map[string]llb.State{"context": input, "dockerfile": input},
		LocalMounts:    map[string]fsutil.FS{"any": local},
		Exports:        []client.ExportEntry{{Type: client.ExporterLocal, OutputDir: dest}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "the app", allFiles(t, dest), ".dockerignore a.txt packfile.toml")
}
