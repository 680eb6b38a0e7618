package e2e

import (
	"strings"
	"testing"

	"github.com/packfile/frontend/internal/testbed"
)

// Build arguments by need: which steps see one, what it is good for in templates, and what is built again for it.

// revised has a layer that needs no argument, one that needs MODE, and one that keeps REVISION for the app. The image has a label
// with it.
var revised = testbed.Packfile(
	testbed.Config("shell", "/bin/sh -eu", "args", []string{}, "labels.revision", `{{.Args.REVISION}}`, "labels.channel", `{{or .Args.CHANNEL "stable"}}`),
	testbed.Process("web", "env"),
	testbed.Layer("deps").Export().Version("STAMP-1").Run("env > $LAYER/env"),
	testbed.Layer("mode").Export().Version("STAMP-1").Making("args", []string{"MODE"}).Run("env > $LAYER/env"),
	testbed.Layer("revision").Export().Version("1").Making("args", []string{"REVISION"}).Env("launch", "REVISION", "rev-{{.Args.REVISION}}"),
)

var layersOfRevised = []string{"deps", "mode", "revision"}

func TestAnArgumentBuildsOnlyTheLayersAgainThatSeeIt(t *testing.T) {
	t.Parallel()
	dir := app(t, revised)
	given := func(revision, mode string) map[string]string {
		return map[string]string{"build-arg:REVISION": revision, "build-arg:MODE": mode}
	}
	b, first := request{dir: dir, opts: given("hunter1", "one")}.pushTo(t, imageName(t))
	if strings.Contains(b.log, "build argument") {
		t.Errorf("a warning:\n%s", b.log)
	}
	for layer, want := range map[string]string{"deps": "", "mode": "MODE=one"} {
		seen := ""
		for line := range strings.Lines(first.files(t, "layer "+layer)["env"].content) {
			if strings.HasPrefix(line, "MODE=") || strings.HasPrefix(line, "REVISION=") {
				seen += strings.TrimSpace(line)
			}
		}
		equal(t, "arguments that "+layer+" sees", seen, want)
	}

	host := otherDaemon(t)
	b, second := request{dir: dir, host: host, previous: first.name, opts: given("hunter2", "one")}.pushTo(t, imageName(t))
	b.wantRuns(t, layersOfRevised, "revision")
	contains(t, b.log, "[revision] run (env.launch REVISION changed (build arg REVISION))")
	if strings.Contains(b.log, "hunter") {
		t.Errorf("a value is in the log:\n%s", b.log)
	}
	equal(t, "label", second.Config.Labels["revision"]+" "+second.Config.Labels["channel"], "hunter2 stable")
	equal(t, "variable", second.files(t, "layer revision")["env.launch/REVISION.override"].content, "rev-hunter2")
	for _, layer := range []string{"deps", "mode"} {
		equal(t, "digest of "+layer, second.blob(t, "layer "+layer).Digest, first.blob(t, "layer "+layer).Digest)
	}

	b, _ = request{dir: dir, host: host, previous: second.name, opts: given("hunter2", "two")}.pushTo(t, imageName(t))
	b.wantRuns(t, layersOfRevised, "mode")
	contains(t, b.log, "[mode] run (build arg MODE changed)")
	if strings.Contains(b.log, "only because a build argument") {
		t.Errorf("a layer that asks for the argument is warned of:\n%s", b.log)
	}
}

func TestEachSectionSeesTheArgumentsThatItLists(t *testing.T) {
	t.Parallel()
	const seen = `env | grep '^ARG_' | sort | tr '\n' ' ' `
	dir := files(t, map[string]string{"packfile.toml": testbed.Packfile(
		testbed.Config("shell", "/bin/sh -eu", "args", []string{"ARG_ALL"}),
		testbed.Cache("c", "setup.inline", seen+"> $CACHE/seen"),
		testbed.Provided("a").Require(seen+"> $MD/require", "args", []string{"ARG_REQUIRE"}).
			Making("args", []string{"ARG_RUN"}).
			Test(seen+"> $MD/test", "args", []string{"ARG_TEST"}).
			Run("{ cat $MD/require; echo; cat $MD/test; echo; "+seen+"; echo; cat $C/seen; } > $LAYER/seen").
			Link("c", "path-as", "C"),
	)})
	opts := map[string]string{}
	for _, name := range []string{"ALL", "REQUIRE", "TEST", "RUN", "NONE"} {
		opts["build-arg:ARG_"+name] = "1"
	}
	b := request{dir: dir, target: "a", opts: opts}.build(t)
	equal(t, "arguments", strings.ReplaceAll(b.read(t, "seen"), "=1 ", " "),
		"ARG_ALL ARG_REQUIRE \nARG_ALL ARG_RUN ARG_TEST \nARG_ALL ARG_RUN \nARG_ALL ARG_RUN ")
	contains(t, b.log, "build argument ARG_NONE is used by nothing: used are ARG_ALL, ARG_REQUIRE, ARG_RUN, ARG_TEST")
}

func TestALayerThatIsBuiltAgainForAnArgumentAloneIsWarnedOf(t *testing.T) {
	t.Parallel()
	dir := app(t, three)
	_, first := request{dir: dir, opts: map[string]string{"build-arg:REVISION": "1"}}.pushTo(t, imageName(t))
	next := request{dir: dir, previous: first.name, opts: map[string]string{"build-arg:REVISION": "2"}}
	const warning = "layers are built again only because a build argument changed that their steps may not need (REVISION): tool, modules, other"
	contains(t, next.build(t).log, warning)
	out, err := buildx(t, dir, "--call=packfile.explain", "--build-arg=REVISION=2", "--build-context=previous=docker-image://"+first.name)
	if err != nil {
		t.Fatal(out)
	}
	contains(t, out, "WARNING: "+warning, "build arg REVISION changed")

	write(t, dir, map[string]string{"deps.lock": "changed"}) // no longer for the argument alone
	contains(t, next.build(t).log, strings.Replace(warning, "tool, modules, other", "tool, other", 1))
}

func TestAnArgumentThatIsNeededAndNotGivenIsAnErrorAtItsPlace(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		part testbed.Part
		want []string
	}{
		"a label": {testbed.Config("shell", "/bin/sh", "labels.a", "{{.Args.REV}}"),
			[]string{`packfile.toml:4:12: label "a": build argument "REV" is needed and not given`, "--build-arg REV=…", ">>> labels.a"}},
		"a variable": {testbed.Layer("a").Env("launch", "V", "{{.Args.REV}}"),
			[]string{`layer "a": value of V: build argument "REV" is needed and not given`, ">>> value = "}},
		"a variable of the app": {testbed.Text("[[config.env.launch]]\nname = \"V\"\nvalue = \"{{.Args.REV}}\"\n"),
			[]string{`packfile.toml:6:9: value of V: build argument "REV" is needed and not given`, ">>> value = "}},
		"a dep": {testbed.Layer("a").Run("true").Dep("d", "{{.Args.REV}}", "https://example.com/d"),
			[]string{`layer "a": version of dep "d": build argument "REV" is needed and not given`, ">>> version = "}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := files(t, map[string]string{"packfile.toml": testbed.Packfile(test.part, testbed.Layer("b").Run("echo must not run; exit 1"))})
			contains(t, request{dir: dir}.fail(t), test.want...)
		})
	}
}

func TestAModuleHasTheArgumentsThatItsEntryLists(t *testing.T) {
	t.Parallel()
	curious := testbed.Tables(testbed.Layer("seen").Run(`echo "${MODE-none} ${REV-none}" > $LAYER/args`))
	needy := testbed.Tables(testbed.Layer("seen").Making("args", []string{"MODE"}).
		Run(`echo "${MODE-none} ${REV-none}" > $LAYER/args`).Env("launch", "V", "{{.Args.MODE}}"))
	lists := testbed.Tables(testbed.Layer("seen").Making("args", []string{"MODE"}).Run(`echo "${MODE-none} ${REV-none}" > $LAYER/args`))
	inner := func(more string) map[string]string {
		return map[string]string{"outer": module("acme/outer@1", uses("inner")+more), "outer/inner": module("acme/inner@1", curious)}
	}
	for name, test := range map[string]struct {
		entry   string
		modules map[string]string
		seen    string   // what the script saw, "" for an error
		want    []string // in the log
	}{
		"none": {"", map[string]string{"outer": module("acme/outer@1", curious)}, "none none\n",
			[]string{"build argument MODE is used by nothing", "build argument REV is used by nothing"}},
		"one": {"args = [\"MODE\"]\n", map[string]string{"outer": module("acme/outer@1", curious)}, "production none\n",
			[]string{"build argument REV is used by nothing"}},
		"one that it lists": {"args = [\"MODE\", \"REV\"]\n", map[string]string{"outer": module("acme/outer@1", needy)}, "production none\n",
			[]string{"build argument REV is used by nothing: used are MODE"}},
		"one that it lists and can do without": {"", map[string]string{"outer": module("acme/outer@1", lists)}, "none none\n",
			[]string{`module acme/outer@1 is not given build argument "MODE"`}},
		"one that it lists and is not given": {"", map[string]string{"outer": module("acme/outer@1", needy)}, "",
			[]string{`packfile.toml:4:3: module acme/outer@1 needs build argument "MODE", which it is not given`, `add args = ["MODE"] to its entry`, ">>> [[buildpacks]]"}},
		"a module of a module":                      {"args = [\"MODE\"]\n", inner(""), "none none\n", nil},
		"what a module passes on":                   {"args = [\"MODE\"]\n", inner("args = [\"MODE\", \"REV\"]\n"), "production none\n", nil},
		"what a module passes on without having it": {"", inner("args = [\"MODE\"]\n"), "none none\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := request{dir: modularApp(t, uses("modules/outer")+test.entry, test.modules), target: "seen",
				opts: map[string]string{"build-arg:MODE": "production", "build-arg:REV": "1"}}
			if test.seen == "" {
				contains(t, r.fail(t), test.want...)
				return
			}
			b := r.build(t)
			equal(t, "arguments", b.read(t, "args"), test.seen)
			contains(t, b.log, test.want...)
		})
	}
}

func TestTheOutlineListsArguments(t *testing.T) {
	t.Parallel()
	out, err := buildx(t, app(t, revised), "--call=outline")
	if err != nil {
		t.Fatal(out)
	}
	contains(t, out, "BUILD ARG", "CHANNEL", "MODE", "REVISION")
}
