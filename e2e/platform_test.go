package e2e

import (
	"bytes"
	"debug/elf"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/packfile/frontend/internal/testbed"
)

// Builds for several platforms, and for one that is not the builder's.

// natives are the platforms that this machine runs, itself first.
func natives() []string { return strings.Split(os.Getenv("PACKFILE_NATIVE_PLATFORMS"), ",") }

// foreign is a platform that it does not run, and for which there is the empty image.
func foreign() string {
	if slices.Contains(natives(), "linux/arm64") {
		return "linux/amd64"
	}
	return "linux/arm64"
}

func arch(platform string) string { return strings.TrimPrefix(platform, "linux/") }

// of is the image of an index for a platform.
func (p pushed) of(t *testing.T, platform string) pushed {
	t.Helper()
	index := indexOf(t, p.name)
	for _, m := range index.Manifests {
		if m.Platform != nil && m.Platform.OS+"/"+m.Platform.Architecture == platform {
			image := pull(t, strings.TrimSuffix(p.name, ":latest")+"@"+m.Digest.String())
			image.name = p.name
			return image
		}
	}
	t.Fatalf("%s has no image for %s: %v", p.name, platform, index.Manifests)
	return pushed{}
}

var withAndWithoutScripts = testbed.Packfile(
	testbed.Cache("c"),
	testbed.Layer("plain").Export().Env("launch", "GREETING", "Hello {{.App}}").Profile("true"),
	testbed.Layer("matched").Match("*.txt").Link("c"),
	testbed.Layer("sorted").Export().Inputs("*.txt").Run("echo $TARGETPLATFORM > $LAYER/platform"),
)

func TestWhatNeedsNoScriptIsDoneOnceForAllPlatforms(t *testing.T) {
	t.Parallel()
	if len(natives()) < 2 {
		t.Skip("this machine runs one platform")
	}
	dir := files(t, map[string]string{"a.txt": t.TempDir(), "packfile.toml": replace(withAndWithoutScripts, "Hello", t.TempDir())})
	r := request{dir: dir, opts: map[string]string{"platform": strings.Join(natives(), ",")}}
	b, img := r.pushTo(t, imageName(t))
	equal(t, "matched files", b.executed(`\[.*\] match .*,.*`), []string{"[internal] match matched,sorted"})
	equal(t, "layers without a script", b.executed(`\[.*(plain|matched)\] run`), []string{"[matched] run", "[plain] run"})
	var want []string
	for _, p := range natives() {
		want = append(want, "["+p+" sorted] run")
	}
	slices.Sort(want)
	equal(t, "layers with a script", b.executed(`\[.*sorted\] run`), want)
	first, second := img.of(t, natives()[0]), img.of(t, natives()[1])
	for _, origin := range []string{"layer plain", "app", "launch metadata"} {
		equal(t, origin+" of the second platform", second.blob(t, origin), first.blob(t, origin))
	}
	for _, p := range natives() {
		equal(t, "what the script saw", img.of(t, p).files(t, "layer sorted")["platform"].content, p+"\n")
	}
}

// machine is what a program is compiled for.
func machine(t *testing.T, content string) elf.Machine {
	t.Helper()
	f, err := elf.NewFile(bytes.NewReader([]byte(content)))
	if err != nil {
		t.Fatal(err)
	}
	return f.Machine
}

var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "386": elf.EM_386, "arm64": elf.EM_AARCH64}

func TestAPackfileWithoutScriptsIsBuiltForAnyPlatform(t *testing.T) {
	t.Parallel()
	without, _, _ := strings.Cut(withAndWithoutScripts, "[layers.build.run]")
	without += "[config.image]\nvolumes = ['/data', '/etc/own']\n[[config.env.launch]]\nname = 'ARCH'\nvalue = '{{.TARGETARCH}}'\n"
	dir := files(t, map[string]string{"a.txt": "", "packfile.toml": without})
	platforms := []string{natives()[0], foreign()}
	// Its image is not looked for: nothing runs in it.
	r := request{dir: dir, opts: map[string]string{"platform": strings.Join(platforms, ","), "context:build-image": "docker-image://nowhere.invalid/none"}}
	_, img := r.pushTo(t, imageName(t))
	for _, p := range platforms {
		image := img.of(t, p)
		equal(t, "architecture", image.Architecture, arch(p))
		launcher := image.tree(t, "launcher")["cnb/lifecycle/launcher"]
		equal(t, "machine that the launcher is for", machine(t, launcher.content), machines[arch(p)])
		equal(t, "greeting", image.files(t, "layer plain")["env.launch/GREETING.override"].content, "Hello /workspace")
		equal(t, "variable", image.tree(t, "launch metadata")["layers/packfile/~env.app/env.launch/ARCH.override"].content, arch(p))
		if f, ok := image.tree(t, "folders")["data"]; !ok || f.Uid != 1000 {
			t.Errorf("%s has no volume /data: %v", p, f)
		}
	}
}

func TestAUserWithANameNeedsTheBuildImage(t *testing.T) {
	t.Parallel()
	r := request{dir: files(t, map[string]string{"packfile.toml": sh + "user = \"cnb\"\n"})}
	equal(t, "user", r.export(t).Config.User, "1000:1000")
	r.opts = map[string]string{"context:build-image": ""}
	contains(t, r.fail(t), "no build-image")
}

func TestTemplatesKnowTheTarget(t *testing.T) {
	t.Parallel()
	contents, shas := map[string]string{}, []any(nil)
	for _, p := range natives() {
		contents["/tool-linux-"+arch(p)+".txt"] = "tool for " + arch(p)
		shas = append(shas, "metadata.sha."+arch(p), sha("tool for "+arch(p)))
	}
	s := newShelf(t, contents)
	packfile := testbed.Packfile(
		testbed.Layer("a").Export().Version("1").With("metadata.TARGETVARIANT", "mine").With(shas...).
			Run("cp $(get-dep tool) $LAYER/tool; cp $MD/deps/tool@1/metadata/variant $LAYER").
			Dep("tool", "1", s.URL+"/tool-{{.TARGETOS}}-{{.TARGETARCH}}.txt", "sha", "{{index .sha .TARGETARCH}}", "metadata.variant", "{{.TARGETVARIANT}}").
			Env("launch", "TOOLS", "{{.Layer}}/{{.TARGETPLATFORM}}{{.TARGETVARIANT}}"),
	)
	dir := files(t, map[string]string{"packfile.toml": packfile})
	_, img := request{dir: dir, opts: map[string]string{"platform": strings.Join(natives(), ",")}}.pushTo(t, imageName(t))
	for _, p := range natives() {
		image := img
		if len(natives()) > 1 {
			image = img.of(t, p)
		}
		got := image.files(t, "layer a")
		equal(t, "tool", got["tool"].content, "tool for "+arch(p))
		equal(t, "metadata of its own by the same name", got["variant"].content, "mine")
		equal(t, "variable", got["env.launch/TOOLS.override"].content, "/layers/packfile/a/"+p)
	}
	write(t, dir, map[string]string{"packfile.toml": replace(packfile, ".sha .TARGETARCH", ".sha .TARGETOS")})
	contains(t, request{dir: dir}.fail(t), `sha of dep "tool": there is no "linux"`, ">>> sha = ")
}

func TestImagesForAnotherPlatformAreRefused(t *testing.T) {
	t.Parallel()
	const named = "[config]\nshell = \"/bin/sh\"\nbuild-image = \"BUILD\"\nrun-image = \"RUN\"\n"
	layer := strings.TrimPrefix(oneLayer, sh)
	single := dockerfile(t, t.TempDir(), "FROM "+env.busybox+"\nLABEL a=b\n")
	none := map[string]string{"context:build-image": "", "context:run-image": "", "platform": foreign()}
	native := "the image is for " + natives()[0] + ", and not for " + foreign()
	for name, test := range map[string]struct {
		build, run string
		want       []string
	}{
		"run image that is no index":          {env.empty, single, []string{">>> run-image = ", "run-image: " + single + ": " + native}},
		"build image that is no index":        {single, env.empty, []string{">>> build-image = ", "build-image: " + single + ": " + native}},
		"run image whose index has it not":    {env.empty, env.busybox, []string{">>> run-image = ", "run-image: " + env.busybox + ": ", "there is no image for " + foreign()}},
		"build image whose index has it not ": {env.busybox, env.empty, []string{">>> build-image = ", "build-image: " + env.busybox + ": ", "there is no image for " + foreign()}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := replace(replace(named, "BUILD", test.build), "RUN", test.run) + layer
			contains(t, request{dir: files(t, map[string]string{"packfile.toml": text}), opts: none}.fail(t), test.want...)
		})
	}
	for _, name := range []string{"run-image", "build-image"} {
		t.Run("named context "+name, func(t *testing.T) {
			t.Parallel()
			text := replace(replace(named, "BUILD", env.empty), "RUN", env.empty) + layer
			r := request{dir: files(t, map[string]string{"packfile.toml": text}), opts: map[string]string{
				"context:build-image": "", "context:run-image": "", "context:" + name: "docker-image://" + single, "platform": foreign(),
			}}
			log := r.fail(t)
			contains(t, log, "named context "+name+": "+single+": "+native)
			if strings.Contains(log, ">>> "+name) {
				t.Errorf("the packfile is blamed for what the user named:\n%s", log)
			}
			// One for each platform is named so.
			r.opts["context:"+name] = "docker-image://nowhere.invalid/none"
			r.opts["context:"+name+"::"+foreign()] = "docker-image://" + single
			contains(t, r.fail(t), "named context "+name+": "+single+": "+native)
		})
	}
}

func TestAFrontendForOnePlatformBuildsForNoOther(t *testing.T) {
	t.Parallel()
	single := dockerfile(t, t.TempDir(), "FROM "+env.frontend+"\nLABEL a=b\n")
	dir := files(t, map[string]string{"packfile.toml": sh})
	contains(t, request{dir: dir, opts: map[string]string{"source": single, "platform": foreign()}}.fail(t),
		"the frontend's own image ", " cannot build for "+foreign()+": the image is for "+natives()[0])
}
