package e2e

import (
	"archive/tar"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// What the original project published builds, and means what it meant: packfile/testdata/published.

// publishedDeps are what its packfiles download. jsrun, npm, Ruby and Bundler are
// scripts that do what these tests look at; the build image has none of the first, Ruby and Bundler.
func publishedDeps(t *testing.T) *shelf {
	// No build before, not even one of an earlier test run, had the same.
	unique := strconv.FormatInt(time.Now().UnixNano(), 36)
	programs := func(name string, files map[string]string) string {
		files["unique"] = "echo " + unique + "\n"
		var entries []entry
		for _, file := range slices.Sorted(maps.Keys(files)) {
			entries = append(entries, entry{Header: tar.Header{Name: name + "/bin/" + file, Typeflag: tar.TypeReg}, content: "#!/bin/sh\n" + files[file]})
		}
		return gzipped(t, executableTar(t, entries...))
	}
	const npm = `
case $1 in
ci)
	test "$2" = --cache || exit 1
	echo use >> "$3/uses"
	mkdir node_modules
	cp package-lock.json node_modules/lock
	jsrun -v > node_modules/made-by
	wc -l < "$3/uses" > node_modules/uses ;;
start) echo "$(jsrun -v): $(cat "$NODE_PATH/lock") by $(cat "$NODE_PATH/made-by")" ;;
esac
`
	contents := map[string]string{"/resolve/20": "v20.1", "/resolve/22": "v22.2", "/v1.2.0/tool-linux-amd64": "#!/bin/sh\necho tool\n"}
	for _, v := range []string{"v20.1", "v22.2"} {
		contents["/node-"+v+".tar.gz"] = programs("node", map[string]string{"jsrun": "echo " + v + "\n", "npm": npm})
	}
	for _, v := range []string{"2.5", "2.6", "2.7"} {
		contents["/ruby-"+v+".tar.gz"] = programs("ruby", map[string]string{
			"ruby": "echo ruby " + v + "\n", "bundle": "echo use >> ~/.bundle/uses\necho \"$1 $(cat Gemfile.lock) by $(ruby -v) for $GEM_PATH\"\n",
		})
	}
	return newShelf(t, contents)
}

// executableTar is tarOf with files that may be executed.
func executableTar(t *testing.T, entries ...entry) string {
	t.Helper()
	for i := range entries {
		entries[i].Mode = 0o755
	}
	return tarOf(t, entries...)
}

// writePublished writes a published packfile into a folder, with the addresses and checksums of what is downloaded here.
func writePublished(t *testing.T, s *shelf, dir, name string) {
	t.Helper()
	found, err := filepath.Glob("../packfile/testdata/published/" + name + "/packfile.*")
	if err != nil || len(found) != 1 {
		t.Fatalf("%v: %v", found, err)
	}
	data, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(data), "uri: http://downloads.example.com", "uri: "+s.URL)
	text = strings.ReplaceAll(text, "\"http://downloads.example.com", "\""+s.URL)
	for _, v := range []string{"2.5", "2.6", "2.7"} {
		text = strings.ReplaceAll(text, strings.Replace(v, ".", "", 1)+strings.Repeat("0", 62), sha(s.contents["/ruby-"+v+".tar.gz"]))
	}
	write(t, dir, map[string]string{filepath.Base(found[0]): text})
}

// publishedFile is the packfile in a folder.
func publishedFile(t *testing.T, dir string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "packfile.*"))
	if err != nil || len(found) != 1 {
		t.Fatalf("%v: %v", found, err)
	}
	return filepath.Base(found[0])
}

// asPublished is a build of a folder in the Debian images, which have bash and curl.
func asPublished(t *testing.T, dir string) request {
	return request{
		dir: dir, buildImg: env.buildImage, runImg: env.runImage,
		opts: map[string]string{"filename": publishedFile(t, dir)},
	}
}

func TestPublishedAppInOnePackfile(t *testing.T) {
	t.Parallel()
	for name, id := range map[string]string{"2019-09-01": "", "2019-09-11": "published/nodejs/", "2020-02": "published/nodejs/", "nodejs": "published/nodejs/"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := publishedDeps(t)
			dir := files(t, map[string]string{"engine": "20\n", "package-lock.json": "lock one\n", "other": "", ".dockerignore": "packfile.*\n"})
			writePublished(t, s, dir, name)
			step := func(want string, ran map[string]bool) {
				t.Helper()
				b, image := asPublished(t, dir).pushTo(t, imageName(t))
				equal(t, "what the app prints", container(t, image.name, nil), want)
				contains(t, b.log, "dep node@v2", `sha = "`)
				all := map[string]bool{}
				for layer, executed := range ran {
					all["["+id+layer+"] run"] = executed
				}
				b.wantRan(t, all)
			}
			step("v20.1: lock one by v20.1\n", map[string]bool{"nodejs": true, "modules": true})
			write(t, dir, map[string]string{"package-lock.json": "lock two\n"})
			step("v20.1: lock two by v20.1\n", map[string]bool{"nodejs": false, "modules": true})
			write(t, dir, map[string]string{"engine": "22\n"})
			step("v22.2: lock two by v22.2\n", map[string]bool{"nodejs": true, "modules": true})
		})
	}
}

func TestPublishedAppInTwoModules(t *testing.T) {
	t.Parallel()
	for format, word := range map[string]string{"toml": "full-env = true", "yaml": "fullEnv: true"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			s := publishedDeps(t)
			dir := files(t, map[string]string{
				"engine": "20\n", "package-lock.json": "lock one\n", ".dockerignore": "packfile.*\nmodules\n",
				"packfile.toml": uses("modules/node-engine", "modules/npm"),
			})
			for _, module := range []string{"node-engine", "npm"} {
				writePublished(t, s, filepath.Join(dir, "modules", module), module+"-"+format)
			}
			r := asPublished(t, dir)
			first, image := r.pushTo(t, imageName(t))
			equal(t, "what the app prints", container(t, image.name, nil), "v20.1: lock one by v20.1\n")
			contains(t, first.log, "dep node@v20.1 has no sha",
				"the test of layer published/npm/modules did not find jsrun: without "+word+" a test has nothing of the layers that run sees: published/node-engine/nodejs")

			write(t, dir, map[string]string{"package-lock.json": "lock two\n"})
			second, image := r.pushTo(t, imageName(t))
			equal(t, "what the app prints", container(t, image.name, nil), "v20.1: lock two by v20.1\n")
			second.wantRan(t, map[string]bool{"[published/node-engine/nodejs] run": false, "[published/npm/modules] run": true})
		})
	}
}

func TestPublishedEngineTakesOneOfItsVersions(t *testing.T) {
	t.Parallel()
	s := publishedDeps(t)
	dir := files(t, map[string]string{
		"Gemfile.lock": "gems", ".dockerignore": "packfile.*\nmodules\n", "packfile.toml": uses("modules/ruby", "modules/bundler") + "args = [\"RUBY_VERSION\"]\n",
	})
	for _, module := range []string{"ruby", "bundler"} {
		writePublished(t, s, filepath.Join(dir, "modules", module), module)
	}
	r := asPublished(t, dir)
	for _, version := range []string{"2.6", "2.7"} {
		r.opts["build-arg:RUBY_VERSION"] = version
		r.target = "published/bundler/gems"
		b := r.build(t)
		equal(t, "what Bundler says", b.read(t, "installed"), "install gems by ruby "+version+" for /layers/published_bundler/gems\n")
		if strings.Contains(b.log, "has no sha") {
			t.Errorf("its deps have\n%s", b.log)
		}
		r.target = ""
		_, image := r.pushTo(t, imageName(t))
		equal(t, "the app's Ruby", container(t, image.name, []string{"--entrypoint", "launcher"}, "--", "ruby"), "ruby "+version+"\n")
		for _, l := range image.label.Layers {
			if deps := l.Metadata.Table("deps"); deps != nil {
				recorded := deps.Table("ruby@" + version).Table("metadata").Text("source")
				equal(t, "what the image tells of its dep", recorded, "https://downloads.example.com/ruby-"+version+"-source.tar.gz")
			}
		}
	}
	if n := s.count("/ruby-2.5.tar.gz"); n != 0 {
		t.Errorf("a version that nobody asked for was fetched %d times", n)
	}
}

func TestPublishedModuleWithNothingToDoSaysSo(t *testing.T) {
	t.Parallel()
	dir := modularApp(t, "", nil)
	writePublished(t, publishedDeps(t), filepath.Join(dir, "modules/go"), "go")
	write(t, dir, map[string]string{"packfile.toml": sh + uses("modules/go") + "[[buildpacks]]\nid = \"acme/nameless\"\nuri = \"modules/nameless\"\n", "modules/nameless/packfile.toml": "api = \"0.10\"\n"})
	out, err := buildx(t, dir)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	contains(t, out, "modules/go/packfile.toml:", `module "published/go" has nothing to do`, `modules/nameless/packfile.toml:1: module "acme/nameless" has nothing to do`)
}

func TestPublishedToolIsMovedIntoItsLayer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writePublished(t, publishedDeps(t), dir, "tool")
	r := asPublished(t, dir)
	r.target = "tool"
	b := r.build(t)
	equal(t, "the tool", must(t, filepath.Join(b.out, "bin/tool")), "tool\n")
}

func TestPublishedServerIsWrittenByItsStep(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"2019-12", "server"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := files(t, map[string]string{"index.txt": "index of " + name})
			writePublished(t, publishedDeps(t), dir, name)
			_, image := asPublished(t, dir).pushTo(t, imageName(t))
			equal(t, "what the server says", container(t, image.name, nil), "index of "+name)
		})
	}
}

func TestCheckSaysOnlyWhatIsOldOfPublishedPackfiles(t *testing.T) {
	t.Parallel()
	folders, err := filepath.Glob("../packfile/testdata/published/*/packfile.*")
	if err != nil || len(folders) == 0 {
		t.Fatal(err)
	}
	rule := regexp.MustCompile(`(?m)^WARNING: (\w+)`)
	for _, file := range folders {
		name := filepath.Base(filepath.Dir(file))
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, _ := buildx(t, filepath.Dir(file), "--call=check", "-f", file, "--build-arg", "BUILDKIT_SYNTAX="+env.frontend)
			var said []string
			for _, m := range rule.FindAllStringSubmatch(out, -1) {
				if !slices.Contains(said, m[1]) {
					said = append(said, m[1])
				}
			}
			slices.Sort(said)
			want := map[string]string{
				"2019-09-01": "OldWord RestoreDependsOnHistory UnpinnedDep", "2019-09-11": "OldWord RestoreDependsOnHistory UnpinnedDep",
				"2019-12": "OldWord", "2020-02": "OldWord UnpinnedDep", "nodejs": "InputsPreferred UnpinnedDep", "go": "NothingToDo",
				"node-engine-toml": "UnpinnedDep", "node-engine-yaml": "UnpinnedDep", "tool": "UnpinnedDep",
			}[name]
			if fmt.Sprint(said) != "["+want+"]" {
				t.Errorf("check says %v, want %s\n%s", said, want, out)
			}
		})
	}
}
