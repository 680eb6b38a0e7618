package e2e

import (
	"archive/tar"
	"crypto/rand"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/solver/pb"

	"github.com/packfile/frontend/internal/testbed"
)

// Symbolic links in the app that lead into layers (app-symlinks).

// looks writes down what a step has at the places of links of modulesLayer.
const looks = `{ readlink pkgs || echo no link; cat pkgs/a || ls -A . ; readlink web/lib/own || :; cat web/lib/own/b || :; } > $LAYER/seen 2>/dev/null; `

// modulesLayer has two links: to a folder in it, and to itself.
func modulesLayer() testbed.LayerTable {
	return testbed.Layer("modules").Export().
		Making("app-symlinks.pkgs", "files", "app-symlinks.'web/lib/own'", ".").
		Run(stamp + "mkdir $LAYER/files; echo a > $LAYER/files/a; echo b > $LAYER/b; " + looks)
}

// linksSeen is what looks writes down for a step that has the links.
const linksSeen = "/layers/packfile/modules/files\na\n/layers/packfile/modules\nb\n"

func TestStepsThatLinkALayerAndTheImageSeeItsSymlinksInTheApp(t *testing.T) {
	t.Parallel()
	user := func(name string) testbed.LayerTable {
		return testbed.Layer(name).Export().Run(stamp + looks).Link("modules")
	}
	tested := func(name, script string, pairs ...any) testbed.LayerTable {
		return testbed.Layer(name).Export().Test(script, pairs...).Run("cp $MD/seen $LAYER/tested").Link("modules")
	}
	const wants = `test "$(cat pkgs/a)" = a; `
	dir := files(t, map[string]string{"lock": "1", "src/x": "x", "web/page": "page", "packfile.toml": testbed.Packfile(
		testbed.Process("web", "sh", "-c", "cat pkgs/a web/lib/own/b web/page"),
		testbed.Slice("web"),
		testbed.Cache("c", "setup.inline", wants+"touch $CACHE/x"),
		modulesLayer().Inputs("lock"),
		user("by-inputs").Inputs("src"),
		user("by-version").Version("1"),
		user("by-content"),
		tested("by-test", "readlink pkgs > $MD/seen || echo none > $MD/seen; echo 1 > $MD/version"),
		tested("by-full-test", wants+"readlink pkgs > $MD/seen; echo 1 > $MD/version", "full-env", true),
		user("with-cache").Version("1").Link("c"),
		testbed.Layer("stranger").Export().Version("1").Run(stamp+looks),
	)})
	r := request{dir: dir, runImg: env.busybox}
	img := r.export(t)
	all := flattened(img.ours())
	for _, name := range []string{"by-inputs", "by-version", "by-content", "with-cache"} {
		equal(t, "what "+name+" sees", all["layers/packfile/"+name+"/seen"].content, linksSeen)
	}
	equal(t, "what a test without full-env sees", all["layers/packfile/by-test/tested"].content, "none")
	equal(t, "what a test with full-env sees", all["layers/packfile/by-full-test/tested"].content, "/layers/packfile/modules/files")
	equal(t, "what its own step sees", all["layers/packfile/modules/seen"].content, "no link\nlock\n")
	equal(t, "what a step sees that does not link it", all["layers/packfile/stranger/seen"].content, "no link\nlock\npackfile.toml\nsrc\nweb\n")

	ours := img.ours()
	at := slices.Index(origins(ours), "app symlinks")
	equal(t, "layers", origins(ours)[at-2:at+2], []string{"app slice", "app", "app symlinks", "launcher"})
	for name, want := range map[string]tar.Header{
		"workspace":             {Typeflag: tar.TypeDir, Mode: 0o755},
		"workspace/pkgs":        {Typeflag: tar.TypeSymlink, Linkname: "/layers/packfile/modules/files", Mode: 0o777},
		"workspace/web":         {Typeflag: tar.TypeDir, Mode: 0o755},
		"workspace/web/lib":     {Typeflag: tar.TypeDir, Mode: 0o755},
		"workspace/web/lib/own": {Typeflag: tar.TypeSymlink, Linkname: "/layers/packfile/modules", Mode: 0o777},
	} {
		f := ours[at].files[name]
		got := tar.Header{Typeflag: f.Typeflag, Linkname: f.Linkname, Mode: f.Mode}
		equal(t, name, got, want)
		if f.Uid != 1000 || f.Gid != 1000 || f.ModTime.Unix() != epoch {
			t.Errorf("%s belongs to %d:%d and has time %v", name, f.Uid, f.Gid, f.ModTime)
		}
	}
	if n := len(ours[at].files); n != 5 {
		t.Errorf("the layer has %d entries", n)
	}
	equal(t, "what the image prints", container(t, r.push(t), nil), "a\nb\npage")
}

func TestWhatTheAppHasInPlaceOfASymlinkIsSeenByNothing(t *testing.T) {
	t.Parallel()
	lists := "find . | sort > $LAYER/seen"
	text := testbed.Packfile(
		testbed.Slice("web"),
		testbed.Layer("modules").Export().Making("app-symlinks.pkgs", "files", "app-symlinks.'web/pkgs'", "files").
			Inputs(".").Run(stamp+"mkdir $LAYER/files; "+lists),
		testbed.Layer("by-version").Export().Version("1").Run(lists),
		testbed.Layer("by-content").Export().Run(lists),
		testbed.Layer("matched").Export().Match("**").Run("cp $MD/version $LAYER/seen"),
		testbed.Provided("asked").Export().Require("find . | sort > $MD/seen").Run("cp $MD/seen $LAYER/seen"),
	)
	contents := map[string]string{"a": "a", "web/b": "b", ".dockerignore": "packfile.toml\n.dockerignore\n"}
	clean := files(t, contents)
	write(t, clean, map[string]string{"packfile.toml": text})
	contents["pkgs/dep/index"], contents["pkgs/x"], contents["web/pkgs/y"] = rand.Text(), "x", "y"
	full := files(t, contents)
	write(t, full, map[string]string{"packfile.toml": text})
	opts := map[string]string{"build-arg:PACKFILE_APP": rand.Text()}

	first := request{dir: clean, opts: opts}.export(t)
	second := request{dir: full, opts: opts}.export(t)
	const seen = ".\n./a\n./web\n./web/b"
	for origin, files := range map[string]map[string]file{"without": flattened(first.ours()), "with": flattened(second.ours())} {
		for _, name := range []string{"modules", "by-version", "by-content", "asked"} {
			equal(t, "what "+name+" sees of an app "+origin+" such files", strings.TrimSpace(files["layers/packfile/"+name+"/seen"].content), seen)
		}
	}
	equal(t, "diff ids", second.RootFS.DiffIDs, first.RootFS.DiffIDs)
	for _, said := range []string{`app-symlinks: the app's own "pkgs" is left out: layer modules has a link there`, `the app's own "web/pkgs" is left out`} {
		if log, err := buildx(t, full); err != nil || strings.Count(log, said) != 1 {
			t.Errorf("%v: it is not said once that\n%s\nin\n%s", err, said, log)
		}
		if log, err := buildx(t, clean); err != nil || strings.Contains(log, "is left out") {
			t.Errorf("%v\n%s", err, log)
		}
	}
	out, err := buildx(t, full, "--call=packfile.explain")
	if err != nil {
		t.Fatal(err, out)
	}
	contains(t, out, `WARNING: packfile.toml:`, `the app's own "pkgs" is left out`)
}

func TestAPatternOverThePlaceOfASymlinkIsSaidToMatchNothing(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"lock": "", "pkgs/x": "", "packfile.toml": testbed.Packfile(
		testbed.Slice("pkgs/*"),
		modulesLayer().Inputs("lock", "pkgs/x"),
	)})
	log, err := buildx(t, dir)
	if err != nil {
		t.Fatal(err, log)
	}
	contains(t, log, `inputs: no file of the app matches "pkgs/x": a symbolic link to layer modules is in its place (app-symlinks)`,
		`paths: no file of the app matches "pkgs/*": a symbolic link to layer modules is in its place (app-symlinks)`)
}

func TestTheClientIsNotAskedForWhatTheAppHasInPlaceOfASymlink(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"a": "a", "packfile.toml": testbed.Packfile(modulesLayer().Inputs("a"))})
	large := make([]byte, 4<<20)
	_, _ = rand.Read(large)
	write(t, dir, map[string]string{"pkgs/large": string(large)})
	if n := (request{dir: dir}).build(t).progress.Sent(); n > 1<<20 {
		t.Errorf("%d bytes were sent", n)
	}
}

func TestALockAppStepSeesSymlinksAndCannotWriteThroughThemAndLeavesNone(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"lock": "1", "src": "x", "packfile.toml": testbed.Packfile(
		modulesLayer().Inputs("lock"),
		testbed.Layer("first").LockApp().Run(looks+`
test "$(cat $LAYER/seen)" = "$(printf '`+strings.ReplaceAll(linksSeen, "\n", `\n`)+`')"
if touch pkgs/new; then exit 1; fi
rm pkgs web/lib/own
mkdir pkgs
echo mine > pkgs/mine
cp src built
chmod 1777 . web
`).Link("modules"),
		testbed.Layer("second").LockApp().Run("test ! -e pkgs; test ! -e web/lib/own; cat built > again"),
		testbed.Layer("third").LockApp().Run("cat pkgs/a > third; stat -c %a . web web/lib > modes").Link("modules"),
	)})
	r := request{dir: dir, runImg: env.busybox}
	img := r.export(t)
	app := img.ours()[slices.Index(origins(img.ours()), "app")]
	equal(t, "the app", app.names(), []string{"workspace/again", "workspace/built", "workspace/lock", "workspace/modes", "workspace/packfile.toml", "workspace/src", "workspace/third"})
	all := flattened(img.ours())
	equal(t, "modes of folders that a step sees", all["workspace/modes"].content, "1777\n1777\n755\n")
	for name, want := range map[string]int64{"workspace": 0o1777, "workspace/web": 0o1777, "workspace/web/lib": 0o755} {
		equal(t, "mode of "+name, all[name].Mode, want)
	}
	equal(t, "the link", all["workspace/pkgs"].Linkname, "/layers/packfile/modules/files")
	if _, ok := all["workspace/pkgs/mine"]; ok {
		t.Error("the image has what a step put in place of the link")
	}
	write(t, dir, map[string]string{"src": rand.Text()})
	b := r.build(t)
	b.wantRuns(t, []string{"modules", "first", "second", "third"}, "first", "second", "third")
	if log, err := buildx(t, dir, "--no-cache-filter=second"); err != nil {
		t.Fatal(err, log)
	}
}

func TestSymlinksAreInTheKeysOfLayersThatSeeThemAndNotOfTheirOwn(t *testing.T) {
	t.Parallel()
	id := rand.Text()
	text := func(symlinks string) string {
		own := testbed.Layer("modules").Export().Inputs("lock")
		if symlinks != "" {
			own = own.Making("app-symlinks.pkgs", symlinks)
		}
		return testbed.Packfile(
			own.Run(stamp+"mkdir $LAYER/files; echo a > $LAYER/files/a # "+id),
			testbed.Layer("user").Export().Inputs("src").Run(stamp+"ls pkgs > $LAYER/seen || :").Link("modules"),
			testbed.Layer("other").Export().Inputs("src").Run(stamp+"true # "+id),
		)
	}
	dir := files(t, map[string]string{"lock": "1", "src": "x", "packfile.toml": text("")})
	all := []string{"modules", "user", "other"}
	_, first := request{dir: dir}.pushTo(t, imageName(t))
	for _, step := range []struct{ symlinks, why string }{
		{"files", "link modules: app-symlink pkgs added"}, {".", "link modules: app-symlink pkgs files -> ."}, {"", "link modules: app-symlink pkgs removed"},
	} {
		write(t, dir, map[string]string{"packfile.toml": text(step.symlinks)})
		log := request{dir: dir, previous: first.name, opts: map[string]string{"requestid": "frontend.packfile.explain"}}.build(t).log
		contains(t, log, step.why)
		r := request{dir: dir, previous: first.name, host: otherDaemon(t)}
		var b built
		b, first = r.pushTo(t, imageName(t))
		b.wantRuns(t, all, "user")
		r.host = ""
		r.build(t).wantRuns(t, []string{"modules", "other"}) // nor on a kept builder
		if has := slices.Contains(first.origins(), "app symlinks"); has != (step.symlinks != "") {
			t.Errorf("with %q the image has symlinks: %t", step.symlinks, has)
		}
	}
}

func TestSymlinksLeadIntoLayersThatWereReusedRebasedOrNotCreated(t *testing.T) {
	t.Parallel()
	wanted := "test ! -e stop || exit 100; cat lock > $MD/version"
	dir := files(t, map[string]string{"lock": rand.Text(), "src": "x", "packfile.toml": testbed.Packfile(
		testbed.Process("web", "cat", "pkgs/a"),
		modulesLayer().Test(wanted),
		testbed.Layer("user").Export().Run(stamp+looks).Link("modules"),
	)})
	r := request{dir: dir, runImg: env.busybox}
	_, first := r.pushTo(t, imageName(t))
	write(t, dir, map[string]string{"src": rand.Text()})
	r.host, r.previous = otherDaemon(t), first.name
	b, second := r.pushTo(t, imageName(t))
	b.wantRuns(t, []string{"modules", "user"}, "user")
	equal(t, "its blob", second.blob(t, "app symlinks").Digest, first.blob(t, "app symlinks").Digest)
	equal(t, "what the image prints", container(t, second.name, nil), "a\n")

	_, moved := rebased(t, request{runImg: patched(t, env.busybox, ""), previous: second.name})
	equal(t, "what the rebased image prints", container(t, moved.name, nil), "a\n")

	write(t, dir, map[string]string{"stop": "", "pkgs/own": "own"})
	r.host, r.previous = "", ""
	img := r.export(t)
	all := flattened(img.ours())
	if slices.Contains(origins(img.ours()), "app symlinks") || all["workspace/pkgs"].Name != "" {
		t.Errorf("a layer that is not created has links: %s", origins(img.ours()))
	}
	equal(t, "what a step sees", all["layers/packfile/user/seen"].content, "no link\nlock\npackfile.toml\nsrc\nstop\n")
}

func TestSymlinksOfALayerThatIsNotInTheImageAreForStepsAlone(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"lock": "1", "packfile.toml": testbed.Packfile(
		testbed.Layer("tools").Inputs("lock").Making("app-symlinks.pkgs", ".").Run("echo tool > $LAYER/a"),
		testbed.Layer("modules").Export().Inputs("lock").Making("app-symlinks.pkgs", ".").Run("echo module > $LAYER/a"),
		testbed.Layer("user").Export().Inputs("lock").Run("cat pkgs/a > $LAYER/seen").Link("tools"),
	)})
	img := request{dir: dir}.export(t)
	all := flattened(img.ours())
	equal(t, "what a step sees", all["layers/packfile/user/seen"].content, "tool\n")
	equal(t, "the link of the image", all["workspace/pkgs"].Linkname, "/layers/packfile/modules")
}

func TestImageWithSymlinksIsTheSameWhereLayersCannotBeMerged(t *testing.T) {
	t.Parallel()
	frontend := lesserFrontend(t, pb.CapMergeOp, pb.CapDiffOp)
	dir := files(t, map[string]string{"lock": rand.Text(), "src": "x", "web/page": "page", "packfile.toml": testbed.Packfile(
		testbed.Slice("web"),
		testbed.Layer("modules").Export().Inputs("lock").Making("app-symlinks.pkgs", "files", "app-symlinks.'web/lib/own'", ".").
			Run("mkdir $LAYER/files; echo a > $LAYER/files/a; echo b > $LAYER/b"),
		testbed.Layer("user").Export().Inputs("src").Run(looks).Link("modules"),
		testbed.Layer("viewer").Export().Version("1").Run(looks).Link("modules"),
		testbed.Layer("changes").LockApp().Run("test $(cat pkgs/a) = a; cp src built").Link("modules"),
	)})
	r := request{dir: dir, runImg: occupied(t)}
	merged := r.export(t)
	r.opts = map[string]string{"source": frontend}
	sameImage(t, r.export(t), merged)
	equal(t, "what a step sees", flattened(merged.ours())["layers/packfile/viewer/seen"].content, linksSeen)
}

func TestWhereASymlinkCannotBeIsSaid(t *testing.T) {
	t.Parallel()
	layer := modulesLayer().Inputs("lock")
	for name, test := range map[string]struct {
		app  map[string]string
		link map[string]string
		want string
	}{
		"below a file": {map[string]string{"web": "a file"}, nil, `the link "web/lib/own" of layer modules would be below "web", which is no folder of the app`},
		"below a symlink": {map[string]string{"x/y": ""}, map[string]string{"web/lib": "../x"},
			`the link "web/lib/own" of layer modules would be below "web/lib", which is no folder of the app`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := files(t, map[string]string{"lock": "1", "packfile.toml": testbed.Packfile(layer)})
			write(t, dir, test.app)
			for at, to := range test.link {
				link(t, filepath.Join(dir, at), to)
			}
			contains(t, request{dir: dir}.fail(t), test.want, "packfile.toml:10:14:", ">>> app-symlinks.'web/lib/own'")
		})
	}
	t.Run("where another module has one", func(t *testing.T) {
		t.Parallel()
		modules := map[string]string{
			"a": module("acme/a", "[[layers]]\nname = \"a\"\nexport = true\n[layers.build]\nrun.inline = \"true\"\napp-symlinks.pkgs = \".\"\n"),
			"b": module("acme/b", "[[layers]]\nname = \"b\"\nexport = true\n[layers.build]\nrun.inline = \"true\"\napp-symlinks.\"pkgs/x\" = \".\"\n"),
		}
		contains(t, request{dir: modularApp(t, allOf(modules), modules)}.fail(t),
			`modules/b/packfile.toml:9:`, `app-symlinks: layer "acme/a/a" already has a link at "pkgs" (both layers are in the image)`)
		modules["a"] = strings.Replace(modules["a"], "export", "expose", 1)
		request{dir: modularApp(t, uses("modules/b", "modules/a"), modules)}.build(t)
	})
}

func TestSymlinksOfModulesThatTakePartAreForLaterModulesAndTheImage(t *testing.T) {
	t.Parallel()
	npm := module("acme/npm", `
[[layers]]
name = "modules"
export = true
expose = true
[layers.build]
inputs = ["lock"]
app-symlinks = { "pkgs" = "files" }
run.inline = "mkdir $LAYER/files; echo a > $LAYER/files/a"
`)
	seen := `[[layers]]
name = "seen"
export = true
[layers.require]
inline = "find . | sort > $MD/asked; test -e lock || exit 100"
[layers.provide.run]
inline = "{ readlink pkgs; ls -A; } > $LAYER/seen || :; cp $MD/asked $LAYER/asked"
`
	modules := map[string]string{"npm": npm, "seen": module("acme/seen", seen)}
	order := uses("modules/npm", "modules/seen") + group("acme/npm", "acme/seen") + group("acme/seen")
	dir := modularApp(t, order, modules)
	write(t, dir, map[string]string{"lock": "1", "pkgs/x": "own", "packfile.toml": sh + order})
	r := request{dir: dir}
	img := r.export(t)
	all := flattened(img.ours())
	app := img.ours()[slices.Index(origins(img.ours()), "app")]
	equal(t, "the app", app.names(), []string{"workspace/app.txt", "workspace/lock"})
	equal(t, "what a later module sees", all["layers/acme_seen/seen/seen"].content, "/layers/acme_npm/modules/files\napp.txt\nlock\npkgs\n")
	equal(t, "the link", all["workspace/pkgs"].Linkname, "/layers/acme_npm/modules/files")

	// When the module does not take part, nothing is taken away for it.
	write(t, dir, map[string]string{"packfile.toml": sh + uses("modules/npm", "modules/seen") + group("acme/seen")})
	all = flattened(r.export(t).ours())
	equal(t, "what the app has of its own", all["workspace/pkgs/x"].content, "own")
}

func TestASymlinkThatLeadsToNothingIsNamedWhenItsLayerIsMade(t *testing.T) {
	t.Parallel()
	layer := func(name, target string) testbed.Part {
		return testbed.Layer(name).Export().Version(rand.Text()).Making("app-symlinks."+name, target).Run("mkdir $LAYER/lib; ln -s /nowhere $LAYER/out")
	}
	dir := files(t, map[string]string{"packfile.toml": testbed.Packfile(
		testbed.Config("shell", "/bin/sh -eu"), layer("gone", "node_modules"), layer("below", "lib/x"), layer("there", "lib"), layer("whole", "."), layer("away", "out"))})
	name := imageName(t)
	const says = ", which the link at "
	b, _ := request{dir: dir}.pushTo(t, name)
	contains(t, b.log, `app-symlinks: layer "gone" has nothing at "node_modules", which the link at "gone" leads to`,
		`app-symlinks: layer "below" has nothing at "lib/x", which the link at "below" leads to`)
	equal(t, "warnings", strings.Count(b.log, says), 2)
	b = request{dir: dir, host: otherDaemon(t), previous: name}.build(t)
	equal(t, "warnings about reused layers", strings.Count(b.log, says), 0)
}
