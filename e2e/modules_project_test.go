package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Project descriptors, and the example of an app of two modules.

// projectApp writes a project with a descriptor, and modules of which one shows what it gets.
func projectApp(t *testing.T, descriptor string) string {
	t.Helper()
	dir := modularApp(t, "", map[string]string{
		"look": module("acme/look@1", asks("asked", "echo \"${GREETING-}\" > $MD/greeting")+
			"[layers.provide.run]\ninline = \"cp $MD/greeting $LAYER\"\n"+
			builds("look", "export = true", "echo \"${GREETING-} ${OTHER-}\" > $LAYER/env; find . -type f | sort > $LAYER/app; cp $ASKED/greeting $LAYER/asked")+
			"[[layers.build.links]]\nname = \"asked\"\npath-as = \"ASKED\"\n"),
		"plain": module("acme/plain@1", process("web", "true")),
	})
	write(t, dir, map[string]string{"project.toml": descriptor, "src/a.txt": "", "src/b.md": "", "docs/c.txt": "", ".dockerignore": "modules\n"})
	return dir
}

const descriptorHead = `[_]
schema-version = "0.2"
id = "acme/app"
version = "1.2"
name = "The app"
`

func TestModuleProjectDescriptorNamesModulesEnvAndFiles(t *testing.T) {
	t.Parallel()
	const modules = "[[io.buildpacks.group]]\nuri = \"modules/look\"\n[[io.buildpacks.group]]\nuri = \"modules/plain\"\n"
	env := "[[io.buildpacks.build.env]]\nname = \"GREETING\"\nvalue = \"hello\"\n[[io.buildpacks.build.env]]\nname = \"OTHER\"\nvalue = \"other\"\n"
	for name, test := range map[string]struct {
		descriptor string
		opts       map[string]string
		env, app   string
	}{
		"all": {
			descriptorHead + modules + env, nil,
			"hello other", "./.dockerignore ./app.txt ./docs/c.txt ./packfile.toml ./project.toml ./src/a.txt ./src/b.md",
		},
		"a build argument goes before env": {
			descriptorHead + modules + env, map[string]string{"build-arg:GREETING": "argument"},
			"argument other", "./.dockerignore ./app.txt ./docs/c.txt ./packfile.toml ./project.toml ./src/a.txt ./src/b.md",
		},
		"include":                      {descriptorHead + "[io.buildpacks]\ninclude = [\"src\", \"*.md\"]\n" + modules + env, nil, "hello other", "./src/a.txt ./src/b.md"},
		"exclude":                      {descriptorHead + "[io.buildpacks]\nexclude = [\"src/\", \"*.toml\"]\n" + modules + env, nil, "hello other", "./.dockerignore ./app.txt ./docs/c.txt"},
		"patterns are those of git":    {descriptorHead + "[io.buildpacks]\nexclude = [\"/*\", \"!/src\", \"/src/*.md\"]\n" + modules, nil, " ", "./src/a.txt"},
		"a descriptor of version 0.1":  {"[project]\nid = \"acme/app\"\n[build]\ninclude = [\"docs\"]\n[[build.buildpacks]]\nuri = \"modules/look\"\n[[build.buildpacks]]\nuri = \"modules/plain\"\n[[build.env]]\nname = \"GREETING\"\nvalue = \"old\"\n", nil, "old ", "./docs/c.txt"},
		"modules before and behind it": {descriptorHead + "[[io.buildpacks.pre.group]]\nuri = \"modules/look\"\n[[io.buildpacks.post.group]]\nuri = \"modules/plain\"\n" + env + "[io.buildpacks]\ninclude = [\"docs\"]\n", nil, "hello other", "./docs/c.txt"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opts := map[string]string{"filename": "project.toml"}
			for k, v := range test.opts {
				opts[k] = v
			}
			r := request{dir: projectApp(t, test.descriptor), opts: opts}
			b := r.files(t)
			const layer = "layers/acme_look/look/"
			greeting, _, _ := strings.Cut(test.env, " ")
			equal(t, "env of run", b.read(t, layer+"env"), test.env+"\n")
			equal(t, "env of require", strings.TrimSpace(b.read(t, layer+"asked")), greeting)
			equal(t, "app of run", strings.Join(strings.Fields(b.read(t, layer+"app")), " "), test.app)
			// The app of the image is that of the steps.
			for _, name := range []string{"src/a.txt", "docs/c.txt", "app.txt"} {
				equal(t, name+" is in the image", b.has("workspace/"+name), strings.Contains(test.app+" ", "./"+name+" "))
			}
			contains(t, r.planText(t), "acme/look@1", "acme/plain@1")
		})
	}
}

func TestModuleProjectDescriptorDescribesTheImageAndNamesItsImages(t *testing.T) {
	t.Parallel()
	dir := projectApp(t, descriptorHead+`
[[io.buildpacks.group]]
uri = "modules/look"
[io.packfile.config]
build-image = "`+env.busybox+`"
run-image = "`+env.busybox+`"
[io.packfile.config.labels]
team = "blue"
`)
	img := request{dir: dir, opts: map[string]string{"filename": "project.toml", "context:build-image": "", "context:run-image": ""}}.export(t)
	base := inspect(t, env.busybox)
	equal(t, "layers of the run image", img.RootFS.DiffIDs[:len(base.RootFS.DiffIDs)], base.RootFS.DiffIDs)
	for name, want := range map[string]string{
		"org.opencontainers.image.title": "The app", "org.opencontainers.image.version": "1.2", "team": "blue",
	} {
		equal(t, name, img.Config.Labels[name], want)
	}
	contains(t, request{dir: dir, opts: map[string]string{"filename": "project.toml", "context:run-image": "docker-image://" + env.busybox + "-none"}}.fail(t), "not found")
}

func TestModuleProjectDescriptorIsExplainedWhereItIsBad(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		descriptor string
		want       []string
	}{
		"no modules":                 {descriptorHead, []string{"project.toml:1", "names no modules", "[[io.buildpacks.group]]"}},
		"a module of pack":           {descriptorHead + "[[io.buildpacks.group]]\nuri = \"urn:cnb:registry:a/b\"\n", []string{"project.toml:7:", "only pack can look up", ">>> uri"}},
		"an inline module":           {descriptorHead + "[[io.buildpacks.group]]\nid = \"a/b\"\n[io.buildpacks.group.script]\ninline = \"x\"\n", []string{"project.toml:8", "not supported"}},
		"include and exclude":        {descriptorHead + "[io.buildpacks]\ninclude = [\"a\"]\nexclude = [\"b\"]\n", []string{"project.toml:8", "not both", ">>> exclude"}},
		"a module that is not there": {descriptorHead + "[[io.buildpacks.group]]\nuri = \"modules/gone\"\n", []string{"project.toml:7:", "there is no modules/gone", ">>> uri"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			contains(t, request{dir: projectApp(t, test.descriptor), opts: map[string]string{"filename": "project.toml"}}.fail(t), test.want...)
		})
	}
}

func TestModuleExampleGivesOneImageWithAnOrderWithoutAndByItsDescriptor(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "modular")
	if err := os.CopyFS(dir, os.DirFS("../examples/modular")); err != nil {
		t.Fatal(err)
	}
	digests := map[string]string{}
	for _, name := range []string{"packfile.toml", "unordered.toml", "project.toml"} {
		edit(t, filepath.Join(dir, name), "# syntax=registry.example.com/packfile/frontend:1\n", "# syntax="+env.frontend+"\n")
		image := imageName(t)
		args := []string{"build", "--progress=plain", "-f", filepath.Join(dir, name), "--provenance=false", "--tag", image, "--push",
			"--build-context", "build-image=docker-image://" + env.buildImage, "--build-context", "run-image=docker-image://" + env.runImage}
		if ca := os.Getenv("PACKFILE_CA_CERTIFICATES"); ca != "" {
			args = append(args, "--secret", "id=ca-certificates,src="+ca)
		}
		log, err := run(command(t, "buildx", append(args, dir)...))
		if err != nil {
			t.Fatalf("%v\n%s", err, log)
		}
		digests[name] = pull(t, image).digest
		if name == "packfile.toml" {
			contains(t, ask(t, image), "Hello from modules, on Node.js v", ", which wants production")
		}
	}
	equal(t, "unordered.toml", digests["unordered.toml"], digests["packfile.toml"])
	equal(t, "project.toml", digests["project.toml"], digests["packfile.toml"])
}
