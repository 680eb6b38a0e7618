package e2e

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/solver/pb"

	"github.com/packfile/frontend/cnb/label"
	"github.com/packfile/frontend/internal/testbed"
	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/step"
)

// Packages of the image's distribution, as packfiles ask for them. What runs in the container is in packages_*_test.go.

// offlineImage returns the name of an image of Debian without sources of packages.
func offlineImage(t *testing.T) string {
	t.Helper()
	return dockerfile(t, t.TempDir(), "FROM "+env.debian+"\nRUN rm /etc/apt/sources.list\n")
}

// greeters are packages of a small distribution: a tool to build with, and what it needs at run time.
func greeters() []deb {
	return []deb{
		{name: "greet-dev", control: "Depends: libgreet\n", files: map[string]string{"usr/share/greet/dev": "dev"}},
		{name: "libgreet", version: "1.0-1", files: map[string]string{
			"usr/share/greet/text": "hello\n", "usr/share/doc/libgreet/copyright": "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nLicense: GPL-2+\n",
		}, scripts: map[string]string{"postinst": "id -u > /usr/share/greet/uid\n"}},
	}
}

// greeting is an app that is built with a package and needs another one to run.
func greeting(image string) string {
	return testbed.Packfile(
		testbed.Config("id", "acme/greeting", "shell", "/bin/sh -eu", "build-image", image, "run-image", image,
			"build-packages", []string{"greet-dev"}, "run-packages", []string{"libgreet"}, "apt.sources", []string{"apt/test.list"}),
		testbed.Process("web", "sh", "-c", "cat $OUT/built /usr/share/greet/text /usr/share/greet/uid; id -u"),
		testbed.Layer("out").Export().Inputs("app.txt").Run("test $(id -u) = 1000; cat /usr/share/greet/dev app.txt > $LAYER/built").Env("launch", "OUT", "{{.Layer}}"),
	)
}

// greetingApp is a project that greets, with sources of packages that the test serves.
func greetingApp(t *testing.T, image string, debs ...deb) (dir string) {
	t.Helper()
	_, address := repository(t, debs...)
	return files(t, map[string]string{
		"packfile.toml": greeting(image), "app.txt": " app\n", "apt/test.list": "deb [trusted=yes] " + address + "/ ./\n", ".dockerignore": ownFilesOnly + "apt\n",
	})
}

// own is a request with the images of the packfile.
func (r request) own() request {
	opts := map[string]string{"context:build-image": "", "context:run-image": ""}
	for name, value := range r.opts {
		opts[name] = value
	}
	r.opts = opts
	return r
}

// installs are names of the steps that install packages.
const installs = `\[.*packages\] install .*`

func TestPackagesAreThereForStepsAndForTheApp(t *testing.T) {
	t.Parallel()
	image := offlineImage(t)
	dir := greetingApp(t, image, greeters()...)
	r := request{dir: dir}.own()
	b, img := r.pushTo(t, imageName(t))
	contains(t, b.log, "[build-packages] install greet-dev", "[run-packages] install libgreet", "libgreet 1.0-1")
	equal(t, "what it says", container(t, img.name, nil), "dev app\nhello\n0\n1000\n")

	base := inspect(t, image)
	equal(t, "layers on the run image", img.origins()[len(base.RootFS.DiffIDs):][:2], []string{"run packages", "layer out"})
	tree := img.tree(t, "run packages")
	if _, ok := tree["usr/share/greet/text"]; !ok {
		t.Error("the layer lacks the package's file")
	}
	for _, name := range []string{"usr/share/greet/dev", "var/lib/apt", "var/cache/apt", "etc/apt/test.list", "packfile"} {
		if _, ok := tree[name]; ok {
			t.Errorf("the layer has %s", name)
		}
	}
	equal(t, "may be rebased by others", img.Config.Labels[label.Rebasable], "false")
	md := cnbLabel[label.LifecycleMetadata](t, img.Config.Labels[label.Lifecycle])
	equal(t, "top layer", md.RunImage.TopLayer, base.RootFS.DiffIDs[len(base.RootFS.DiffIDs)-1].String())
	ours := img.label
	equal(t, "installed", ours.RunPackages.Installed, []step.Package{{
		Name: "libgreet", Version: "1.0-1", Arch: "all", Source: "libgreet", SourceVersion: "1.0-1", Distro: "debian", DistroVersion: "12", Licenses: []string{"GPL-2+"},
	}})
	equal(t, "diff id", ours.RunPackages.DiffID, img.RootFS.DiffIDs[len(base.RootFS.DiffIDs)].String())
	document := img.tree(t, "sbom")["layers/sbom/launch/acme_greeting/sbom.spdx.json"].content
	contains(t, document, "pkg:deb/debian/libgreet@1.0-1?arch=all\\u0026distro=debian-12", "GPL-2.0-or-later")

	again, same := r.pushTo(t, imageName(t))
	equal(t, "digest of a second build", same.digest, img.digest)
	if ran := again.executed(installs); ran != nil {
		t.Errorf("a second build ran %q", ran)
	}

	t.Run("nothing of them is installed or pulled on an empty builder when the previous image has them", func(t *testing.T) {
		p := newProxy(t)
		write(t, dir, map[string]string{"more.txt": "another file"})
		r := request{dir: dir, host: secondDaemon(t), previous: p.Image(img.name)}.own()
		r.opts["context:build-image"], r.opts["context:run-image"] = "docker-image://"+p.Image(image), "docker-image://"+p.Image(image)
		b, next := r.pushTo(t, imageName(t))
		contains(t, b.log, "[run-packages] reused from the previous image")
		if ran := b.executed(installs + `|\[acme/greeting/out\] run.*`); ran != nil {
			t.Errorf("it ran %q", ran)
		}
		if n := pulled(p, img.blob(t, "run packages").Digest.String()); n > 0 {
			t.Errorf("%d bytes of the layer were pulled", n)
		}
		equal(t, "label", next.Config.Labels[layerkey.LabelName], img.Config.Labels[layerkey.LabelName])
		equal(t, "what it says", container(t, next.name, nil), "dev app\nhello\n0\n1000\n")
	})
	t.Run("YAML says the same", func(t *testing.T) {
		text := fmt.Sprintf(`config:
  id: acme/greeting
  shell: /bin/sh -eu
  buildImage: %s
  runImage: %[1]s
  buildPackages: [greet-dev]
  runPackages: [libgreet]
  apt:
    sources: [apt/test.list]
processes:
- {type: web, command: [sh, -c, "cat $OUT/built /usr/share/greet/text /usr/share/greet/uid; id -u"]}
layers:
- name: out
  export: true
  build:
    inputs: [app.txt]
    run: {inline: "test $(id -u) = 1000; cat /usr/share/greet/dev app.txt > $LAYER/built"}
    env:
      launch: [{name: OUT, value: "{{.Layer}}"}]
`, image)
		write(t, dir, map[string]string{"packfile.yaml": text})
		r := request{dir: dir, opts: map[string]string{"filename": "packfile.yaml"}}.own()
		_, yaml := r.pushTo(t, imageName(t))
		equal(t, "label", yaml.Config.Labels[layerkey.LabelName], img.Config.Labels[layerkey.LabelName])
	})
	t.Run("another package is told, and made", func(t *testing.T) {
		write(t, dir, map[string]string{"packfile.toml": strings.Replace(greeting(image), `run-packages = ["libgreet"]`, `run-packages = ["greet-dev", "libgreet=1.0-1"]`, 1)})
		r := request{dir: dir, previous: img.name}.own()
		b, more := r.pushTo(t, imageName(t))
		contains(t, b.log, "[run-packages] install greet-dev, libgreet=1.0-1 (package greet-dev added, package libgreet any -> 1.0-1)", "[acme/greeting/out] reused from the previous image")
		if _, ok := more.tree(t, "run packages")["usr/share/greet/dev"]; !ok {
			t.Error("the layer lacks the new package's file")
		}
		out, err := buildx(t, dir, "--call=packfile.explain", "--build-context=previous=docker-image://"+img.name)
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		contains(t, out, "run-packages", "built", "package greet-dev added")
		write(t, dir, map[string]string{"packfile.toml": strings.Replace(greeting(image), `build-packages = ["greet-dev"]`, `build-packages = ["greet-dev", "libgreet"]`, 1)})
		b = request{dir: dir, previous: img.name}.own().build(t)
		contains(t, b.log, "[acme/greeting/out] run (build package libgreet added)", "[run-packages] reused from the previous image")
	})
	t.Run("another time of files runs nothing", func(t *testing.T) {
		write(t, dir, map[string]string{"packfile.toml": greeting(image)})
		r := request{dir: dir, opts: map[string]string{"build-arg:SOURCE_DATE_EPOCH": "1700000000"}}.own()
		b, later := r.pushTo(t, imageName(t))
		if ran := b.executed(installs); ran != nil {
			t.Errorf("it ran %q", ran)
		}
		for name, f := range later.tree(t, "run packages") {
			if f.ModTime.Unix() != 1700000000 {
				t.Errorf("%s is of %v", name, f.ModTime)
			}
		}
		r.previous = later.name
		b, reused := r.pushTo(t, imageName(t))
		contains(t, b.log, "[run-packages] reused from the previous image")
		equal(t, "digest", reused.digest, later.digest)
	})
}

func TestARebaseInstallsPackagesOnTheNewRunImage(t *testing.T) {
	t.Parallel()
	image := offlineImage(t)
	packages := greeters()
	folder, address := repository(t, packages...)
	list := "deb [trusted=yes] " + address + "/ ./\n"
	withSources := dockerfile(t, files(t, map[string]string{"test.list": list}), "FROM "+image+"\nCOPY test.list /etc/apt/sources.list.d/test.list\n")
	_ = folder
	app := strings.Replace(greeting(withSources), `apt.sources = ["apt/test.list"]`, "", 1)
	dir := files(t, map[string]string{"packfile.toml": app, "app.txt": " app\n"})
	_, first := request{dir: dir}.own().pushTo(t, imageName(t))
	base := patched(t, withSources, "")
	b, second := rebased(t, request{runImg: base, previous: first.name})
	contains(t, b.log, "[run-packages] install libgreet (anew, on the new run image)")
	_, built := request{dir: dir, opts: map[string]string{"context:run-image": "docker-image://" + base}}.build2(t)
	equal(t, "config", second.Image, built.Image)
	equal(t, "digest", second.digest, built.digest)
	equal(t, "what it says", container(t, second.name, nil), "dev app\nhello\n0\n1000\n")

	t.Run("and can be the previous image, and be rebased again", func(t *testing.T) {
		r := request{dir: dir, host: otherDaemon(t), previous: second.name, opts: map[string]string{"context:run-image": "docker-image://" + base}}
		r.opts["context:build-image"] = ""
		b := r.build(t)
		contains(t, b.log, "[run-packages] reused from the previous image", "[acme/greeting/out] reused from the previous image")
		_, back := rebased(t, request{runImg: withSources, previous: second.name})
		equal(t, "digest", back.digest, first.digest)
	})
	t.Run("unless its sources are not there", func(t *testing.T) {
		dir := greetingApp(t, image, packages...)
		_, first := request{dir: dir}.own().pushTo(t, imageName(t))
		base := patched(t, image, "")
		contains(t, request{dir: t.TempDir(), runImg: base, previous: first.name, opts: map[string]string{"target": "rebase"}}.fail(t),
			"its packages come from sources that its label does not hold: apt/test.list. Rebase it with the packfile that has these files")
		r := request{dir: dir, previous: first.name, opts: map[string]string{"target": "rebase", "context:run-image": "docker-image://" + base, "context:build-image": ""}}
		_, second := r.pushTo(t, imageName(t))
		equal(t, "what it says", container(t, second.name, nil), "dev app\nhello\n0\n1000\n")
	})
}

// build2 pushes a build with the build image of the packfile.
func (r request) build2(t *testing.T) (built, pushed) {
	t.Helper()
	r.opts["context:build-image"] = ""
	return r.pushTo(t, imageName(t))
}

func TestPackagesOfModulesAreUnited(t *testing.T) {
	t.Parallel()
	image := offlineImage(t)
	_, address := repository(t, greeters()...)
	config := func(id string, pairs ...any) string {
		return testbed.Packfile(testbed.Config(append([]any{"id", id, "shell", "/bin/sh -eu"}, pairs...)...))
	}
	project := func(a, b string) string {
		return files(t, map[string]string{
			"packfile.toml":           config("acme/app", "build-image", image, "run-image", image) + uses("modules/a", "modules/b") + process("web", "cat /usr/share/greet/dev /usr/share/greet/text"),
			"modules/a/packfile.toml": a,
			"modules/a/apt/test.list": "deb [trusted=yes] " + address + "/ ./\n",
			"modules/b/packfile.toml": b,
			".dockerignore":           ownFilesOnly,
		})
	}
	a := config("a", "run-packages", []string{"libgreet"}, "apt.sources", []string{"apt/test.list"})
	dir := project(a, config("b", "run-packages", []string{"libgreet=1.0-1", "greet-dev"}))
	b, img := request{dir: dir}.own().pushTo(t, imageName(t))
	contains(t, b.log, "[run-packages] install greet-dev, libgreet=1.0-1\n")
	equal(t, "what it says", container(t, img.name, nil), "devhello\n")

	log := request{dir: project(config("a", "run-packages", []string{"libgreet=2"}), config("b", "run-packages", []string{"greet-dev", "libgreet=1.0-1"}))}.own().fail(t)
	contains(t, log, "modules/b/packfile.toml:4:", "run-packages: module b wants libgreet in version 1.0-1, and module a in version 2", ">>> run-packages = ")

	log = request{dir: project(a, config("b", "run-packages", []string{"libgreet", "no-such-package"}))}.own().fail(t)
	contains(t, log, `modules/b/packfile.toml:4:29: package "no-such-package" cannot be installed`, `no package source has a package "no-such-package"`, ">>> run-packages = ")
}

func TestPackagesThatCannotComeAreErrorsAtTheirLines(t *testing.T) {
	t.Parallel()
	image := offlineImage(t)
	dir := greetingApp(t, image, greeters()...)
	text := greeting(image)
	for name, test := range map[string]struct {
		change [2]string
		opts   map[string]string
		want   []string
	}{
		"a package that nobody has": {[2]string{`["libgreet"]`, "[\n  \"libgreet\",\n  \"nonesuch\",\n]"}, nil,
			[]string{`: package "nonesuch" cannot be installed: [run-packages] install libgreet, nonesuch failed`, `>>>   "nonesuch",`}},
		"a version that nobody has": {[2]string{`["greet-dev"]`, `["greet-dev=7"]`}, nil,
			[]string{`: package "greet-dev=7" cannot be installed: [build-packages] install greet-dev=7 failed`, "Version '7' for 'greet-dev' was not found", ">>> build-packages"}},
		"no network for the build": {[2]string{}, map[string]string{"force-network-mode": "none"},
			[]string{"build-packages: packages come over the network, and the build is given none (--network none)", ">>> build-packages"}},
		"sources that are not there": {[2]string{"apt/test.list", "apt/none.list"}, nil,
			[]string{"file of sources apt/none.list does not exist in the folder of packfile.toml", ">>> apt.sources"}},
		"another distribution": {[2]string{`run-image = "` + image, `run-image = "` + env.busybox}, nil,
			[]string{"it has no /etc/os-release; packages are installed in images of Debian, of Ubuntu", ">>> run-packages"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list, err := os.ReadFile(dir + "/apt/test.list")
			if err != nil {
				t.Fatal(err)
			}
			dir := files(t, map[string]string{"packfile.toml": strings.Replace(text, test.change[0], test.change[1], 1), "app.txt": "", "apt/test.list": string(list)})
			contains(t, request{dir: dir, opts: test.opts}.own().fail(t), test.want...)
		})
	}
	t.Run("a password in sources", func(t *testing.T) {
		dir := files(t, map[string]string{"packfile.toml": text, "app.txt": "", "apt/test.list": "# sources\ndeb https://user:secret@packages.example.com/ ./\n"})
		log := request{dir: dir}.own().fail(t)
		contains(t, log, "file of sources apt/test.list: the address on line 2 has a user or a password", ">>> apt.sources")
		if strings.Contains(log, "secret@") {
			t.Errorf("the password is in the log:\n%s", log)
		}
	})
}

func TestVersionsOfPackagesStayForThePeriodOfRefresh(t *testing.T) {
	t.Parallel()
	image := offlineImage(t)
	dir := greetingApp(t, image, greeters()...)
	_, first := request{dir: dir}.own().pushTo(t, imageName(t))
	write(t, dir, map[string]string{"packfile.toml": strings.Replace(greeting(image), "apt.sources", "apt.refresh = \"1d\"\napt.sources", 1)})
	b, second := request{dir: dir, previous: first.name}.own().pushTo(t, imageName(t))
	contains(t, b.log, "[run-packages] install libgreet (refresh period of packages added)", "[acme/greeting/out] run (refresh period of build packages added)")
	b = request{dir: dir, previous: second.name}.own().build(t)
	contains(t, b.log, "[run-packages] reused from the previous image", "[acme/greeting/out] reused from the previous image")
	if ran := b.executed(installs); ran != nil {
		t.Errorf("it ran %q", ran)
	}
	// A second is over by the next build.
	write(t, dir, map[string]string{"packfile.toml": strings.Replace(greeting(image), "apt.sources", "apt.refresh = \"1s\"\napt.sources", 1)})
	b = request{dir: dir, previous: second.name}.own().build(t)
	ran := b.executed(installs)
	if !slices.ContainsFunc(ran, func(name string) bool { return strings.Contains(name, "refresh period of packages") }) {
		t.Errorf("it ran %q", ran)
	}
}

func TestAnswersBeforeABuildNamePackages(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{
		"packfile.toml":           testbed.Packfile(testbed.Config("id", "acme/app", "shell", "/bin/sh", "run-image", env.empty, "run-packages", []string{"libgreet"})) + uses("modules/a"),
		"modules/a/packfile.toml": testbed.Packfile(testbed.Config("id", "a", "build-packages", []string{"gcc=4:12.2.0-3", "make"}, "run-packages", []string{"libgreet=1"})),
	})
	for call, want := range map[string][]string{
		"outline":       {"build-packages of module a: gcc=4:12.2.0-3, make", "run-packages of module acme/app: libgreet"},
		"packfile.plan": {"PACKAGE", "gcc=4:12.2.0-3   build-packages   a", "libgreet=1       run-packages     a"},
		"check":         {"Check complete, no warnings found."},
	} {
		out, err := buildx(t, dir, "--call="+call)
		if err != nil {
			t.Errorf("%s: %v\n%s", call, err, out)
		}
		contains(t, out, want...)
	}
}

func TestPackagesWhereLayersCannotBeMerged(t *testing.T) {
	t.Parallel()
	image := offlineImage(t)
	dir := greetingApp(t, image, greeters()...)
	_, img := request{dir: dir}.own().pushTo(t, imageName(t))
	r := request{dir: dir, opts: map[string]string{"source": lesserFrontend(t, pb.CapMergeOp, pb.CapDiffOp)}}.own()
	_, flat := r.pushTo(t, imageName(t))
	equal(t, "what it says", container(t, flat.name, nil), "dev app\nhello\n0\n1000\n")
	equal(t, "installed", flat.label.RunPackages.Installed, img.label.RunPackages.Installed)
	equal(t, "diff id", flat.label.RunPackages.DiffID, "")
	equal(t, "files", slices.Sorted(maps.Keys(flat.tree(t, "run packages"))), slices.Sorted(maps.Keys(img.tree(t, "run packages"))))
	r.previous = flat.name
	b, again := r.pushTo(t, imageName(t))
	equal(t, "digest of a build with it as the previous one", again.digest, flat.digest)
	if ran := b.executed(installs); ran != nil {
		t.Errorf("it ran %q", ran)
	}
}

func TestOtherRebasersLeaveAnImageWithPackagesAlone(t *testing.T) {
	t.Parallel()
	image := offlineImage(t)
	_, img := request{dir: greetingApp(t, image, greeters()...)}.own().pushTo(t, imageName(t))
	rebaser := command(t, "lifecycle", "-run-image", patched(t, image, ""), "-report", filepath.Join(t.TempDir(), "report.toml"), img.name)
	rebaser.Args[0], rebaser.Env = "rebaser", append(os.Environ(), "CNB_PLATFORM_API=0.14")
	out, err := run(rebaser)
	if err == nil {
		t.Errorf("it rebases the image:\n%s", out)
	}
	contains(t, out, "not marked as rebasable")
}

func TestPackagesAreTheSameOnAnotherDaemon(t *testing.T) {
	t.Parallel()
	image := offlineImage(t)
	dir := greetingApp(t, image, greeters()...)
	_, img := request{dir: dir}.own().pushTo(t, imageName(t))
	_, other := request{dir: dir, host: newDaemon(t, "rootless-overlayfs")}.own().pushTo(t, imageName(t))
	equal(t, "digest", other.digest, img.digest)
}

func TestAptInAScriptNamesTheKeysOfPackages(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"packfile.toml": testbed.Packfile(
		testbed.Config("build-image", env.debian, "run-image", env.debian, "shell", "/bin/sh -e"),
		testbed.Process("web", "true"), testbed.Layer("tool").Export().Run("apt-get update && apt-get install -y jq"))})
	log := request{dir: dir}.own().fail(t)
	contains(t, log, "[tool] run failed with exit code 100 (apt takes root", "name the packages in build-packages or run-packages")
}
