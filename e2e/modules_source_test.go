package e2e

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/packfile/frontend/internal/testbed"
)

// Where modules come from. A module is what it holds and not where it was found.

// toolModule is a module of several files. What its step leaves is another thing every time.
func toolModule() map[string]string {
	const dep = "a dep that needs no network"
	return map[string]string{
		"packfile.toml": module("acme/tool@1.0.0", process("web", "cat /layers/acme_tool/tool/stamp")+testbed.Tables(
			testbed.Layer("tool").Export().Version(rand.Text()).RunFile("scripts/run.sh").
				Dep("data", "1", "http://nowhere.invalid/data", "sha", sha(dep)),
		)),
		"scripts/run.sh": stamp + `cp $(get-dep data) $LAYER/data`,
		"deps/data@1":    dep,
	}
}

// under puts all files into a folder.
func under(dir string, contents map[string]string) map[string]string {
	moved := map[string]string{}
	for name, text := range contents {
		moved[dir+"/"+name] = text
	}
	return moved
}

// modulePlace is a place that a module can be had from.
type modulePlace struct {
	entry string            // of [[buildpacks]] beside id
	files map[string]string // of the folder of the packfile that is built
	opts  map[string]string
	args  []string
	noID  bool // the entry has no id: what is there says it
}

func TestModuleGivesTheSameImageWhereverItComesFrom(t *testing.T) {
	t.Parallel()
	tool := toolModule()
	app := rand.Text()
	image := func(t *testing.T, p modulePlace) (built, pushed) {
		t.Helper()
		entry := "[[buildpacks]]\n" + p.entry + "\n"
		if !p.noID {
			entry += "id = \"acme/tool\"\n"
		}
		dir := modularApp(t, entry, nil)
		write(t, dir, p.files)
		opts := map[string]string{"build-arg:PACKFILE_APP": app}
		maps.Copy(opts, p.opts)
		return request{dir: dir, runImg: env.busybox, opts: opts, args: p.args}.pushTo(t, imageName(t))
	}
	b, first := image(t, modulePlace{entry: `uri = "modules/tool"`, files: under("modules/tool", tool)})
	if !b.ran(t, "[acme/tool/tool] run") || len(first.label.Layers) != 1 {
		t.Fatalf("the first build made nothing:\n%s", b.log)
	}
	for name, place := range modulePlaces(t, tool) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, img := image(t, place)
			if b.didRun("[acme/tool/tool] run") {
				t.Errorf("its run step ran again:\n%s", b.log)
			}
			equal(t, "label of layers", img.label, first.label)
			equal(t, "digest of the image", img.digest, first.digest)
		})
	}
}

func modulePlaces(t *testing.T, tool map[string]string) map[string]modulePlace {
	t.Helper()
	tar := archive(t, tool)
	tgz := gzipped(t, tar)
	release := gzipped(t, archive(t, under("tool-1.0.0", tool)))
	shelf := newShelf(t, map[string]string{"/tool.tgz": tgz})
	http := shelf.URL + "/tool.tgz"

	blob := "/cnb/blobs/" + sha(tgz)
	today := packageFiles(t, under("cnb/buildpacks/acme_tool/1.0.0", tool))
	several := packageFiles(t, under("cnb/buildpacks/acme_tool/1.0.0", tool))
	write(t, several, map[string]string{"cnb/buildpacks/acme_other/2/packfile.toml": module("acme/other@2", process("web", "other"))})
	const ofSeveral = "COPY cnb /cnb\n" + `LABEL io.buildpacks.buildpackage.metadata='{"id":"acme/tool","version":"1.0.0"}'` + "\n"
	draft := packageFiles(t, under(strings.TrimPrefix(blob, "/"), tool))
	write(t, draft, map[string]string{"cnb/package.toml": "[default]\nid = \"acme/tool\"\nversion = \"1.0.0\"\n"})
	link(t, filepath.Join(draft, "cnb/by-id/acme_tool/1.0.0"), blob)

	todayImage := dockerfile(t, today, "FROM scratch\nCOPY cnb /cnb\n")
	rootImage := dockerfile(t, packageFiles(t, under("module", tool)), "FROM scratch\nCOPY module /\n")
	layoutDir, manifest := ociLayout(t, today, "FROM scratch\nCOPY cnb /cnb\n")
	repository := repositories(t, map[string]map[string]string{"tool.git": tool, "many.git": under("modules/tool", tool)})
	folder := packageFiles(t, tool)

	return map[string]modulePlace{
		"a tgz in the folder of the packfile":    {entry: `uri = "tool.tgz"`, files: map[string]string{"tool.tgz": tgz}},
		"a tar without compression":              {entry: `uri = "tool.tar"`, files: map[string]string{"tool.tar": tar}},
		"a tgz of one folder":                    {entry: `uri = "modules/v1.tgz"`, files: map[string]string{"modules/v1.tgz": release}},
		"a cnb file":                             {entry: `uri = "tool.cnb"`, files: map[string]string{"tool.cnb": cnbFile(t, today, "FROM scratch\nCOPY cnb /cnb\n")}},
		"a buildpackage image":                   {entry: imageURI(todayImage)},
		"a buildpackage image of several":        {entry: imageURI(dockerfile(t, several, "FROM scratch\n"+ofSeveral))},
		"what the label of a package names":      {entry: imageURI(dockerfile(t, several, "FROM scratch\n"+ofSeveral)), noID: true},
		"an image in the layout of seed 002":     {entry: imageURI(dockerfile(t, draft, "FROM scratch\nCOPY cnb /cnb\n"))},
		"the default of such a one":              {entry: imageURI(dockerfile(t, draft, "FROM scratch\nCOPY cnb /cnb\n")), noID: true},
		"an image with the packfile at its root": {entry: imageURI(rootImage)},
		"a Git repository":                       {entry: `uri = "` + repository + `/tool.git"`},
		"a folder of a branch of one":            {entry: `uri = "` + repository + `/many.git#main:modules/tool"`},
		"a tgz that is downloaded":               {entry: `uri = "` + http + "\"\nsha = \"" + sha(tgz) + `"`},
		"a folder as a named context": {
			opts: map[string]string{"context:acme/tool": "local:tool"}, args: []string{"--local", "tool=" + folder},
		},
		"an OCI layout as a named context": {
			opts: map[string]string{"context:acme/tool": "oci-layout://tool@" + manifest}, args: []string{"--oci-layout", "tool=" + layoutDir},
		},
		"an image as a named context":         {opts: map[string]string{"context:acme/tool": "docker-image://" + todayImage}},
		"a Git repository as a named context": {opts: map[string]string{"context:acme/tool": repository + "/tool.git"}},
		"a download as a named context":       {opts: map[string]string{"context:acme/tool": http}},
	}
}

func imageURI(name string) string { return `uri = "docker://` + name + `"` }

// packageFiles writes the files of a package's image.
func packageFiles(t *testing.T, contents map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range contents {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func link(t *testing.T, path, target string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

// ociLayout is what a Dockerfile makes of a folder, as an OCI layout, with the digest of its manifest.
func ociLayout(t *testing.T, dir, text string) (layout, manifest string) {
	t.Helper()
	layout = t.TempDir()
	write(t, dir, map[string]string{"Dockerfile": text})
	must(t, "buildctl", "build", "--frontend=dockerfile.v0", "--local=context="+dir, "--local=dockerfile="+dir,
		"--output=type=oci,tar=false,dest="+layout)
	data, err := os.ReadFile(filepath.Join(layout, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	var index ocispecs.Index
	if err := json.Unmarshal(data, &index); err != nil {
		t.Fatal(err)
	}
	return layout, index.Manifests[0].Digest.String()
}

// cnbFile is what a Dockerfile makes of a folder, as a .cnb file: the tar of an OCI layout.
func cnbFile(t *testing.T, dir, text string) string {
	t.Helper()
	write(t, dir, map[string]string{"Dockerfile": text})
	name := filepath.Join(t.TempDir(), "module.cnb")
	must(t, "buildctl", "build", "--frontend=dockerfile.v0", "--local=context="+dir, "--local=dockerfile="+dir,
		"--output=type=oci,dest="+name)
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// repositories serves Git repositories by name, and is the address of the folder that they are in.
func repositories(t *testing.T, all map[string]map[string]string) string {
	t.Helper()
	base := t.TempDir()
	for name, contents := range all {
		dir := filepath.Join(base, name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		must(t, "cp", "-r", packageFiles(t, contents)+"/.", dir)
		for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"commit", "-qm", "one"}} {
			gitIn(t, dir, args...)
		}
	}
	return serveGit(t, base)
}

func TestModuleOfANamedContextGoesBeforeItsURI(t *testing.T) {
	t.Parallel()
	tool := func(from string) string {
		return module("acme/tool", builds("tool", "", "echo "+from+" > $LAYER/from"))
	}
	entry := "[[buildpacks]]\nid = \"acme/tool\"\nuri = \"modules/tool\"\n"
	r := request{dir: modularApp(t, entry, map[string]string{"tool": tool("uri")}), target: "tool"}
	equal(t, "module", r.build(t).read(t, "from"), "uri\n")
	other := files(t, map[string]string{"packfile.toml": tool("context")})
	r.opts, r.args = map[string]string{"context:acme/tool": "local:other"}, []string{"--local", "other=" + other}
	equal(t, "module", r.build(t).read(t, "from"), "context\n")

	// It is the id by which it is named, and so the context has to hold a module of that id.
	write(t, other, map[string]string{"packfile.toml": module("acme/another", process("web", "true"))})
	contains(t, r.fail(t), "packfile.toml:5", "acme/another", "and not acme/tool")
	// The same through docker buildx.
	write(t, other, map[string]string{"packfile.toml": tool("buildx")})
	out := t.TempDir()
	if log, err := buildx(t, r.dir, "--build-context", "acme/tool="+other, "--target", "tool", "--output", "type=local,dest="+out); err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	equal(t, "module", built{out: out}.read(t, "from"), "buildx\n")
}

func TestModuleWithoutURINeedsANamedContext(t *testing.T) {
	t.Parallel()
	dir := modularApp(t, "[[buildpacks]]\nid = \"acme/tool\"\n", nil)
	contains(t, request{dir: dir}.fail(t), "packfile.toml:4:", "acme/tool", "no uri", "--build-context acme/tool=", ">>> [[buildpacks]]")
}

// Modules of a module stand in its own folder.
func TestModuleNamesModulesOfItsOwn(t *testing.T) {
	t.Parallel()
	outer := module("acme/outer", uses("inner")+process("outer", "true"))
	inner := map[string]string{"packfile.toml": module("acme/inner", builds("x", "export = true", "echo "+rand.Text()+" > $LAYER/x"))}
	dir := modularApp(t, uses("modules/outer"), map[string]string{"outer": outer})
	write(t, dir, under("modules/outer/inner", inner))
	equal(t, "modules", planned(t, dir).members(), []string{"acme/inner", "acme/outer"})
	_, folder := request{dir: dir}.pushTo(t, imageName(t))

	all := map[string]string{"packfile.toml": outer}
	maps.Copy(all, under("inner", inner))
	dir = modularApp(t, uses("outer.tgz"), nil)
	write(t, dir, map[string]string{"outer.tgz": gzipped(t, archive(t, all))})
	_, archived := request{dir: dir}.pushTo(t, imageName(t))
	equal(t, "image", archived.digest, folder.digest)
	if len(folder.label.Layers) != 1 {
		t.Error("the layer of the inner module is not in the image: " + fmt.Sprint(folder.label))
	}
}
