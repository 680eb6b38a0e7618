package e2e

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Modules that are buildpacks with programs of their own: what their bin/detect says has its part in the build plan.

// buildpack is one in folder modules/NAME, acme/NAME@1.
type buildpack struct {
	detect string // shell script
	api    string // "0.10" when empty
	more   string // below [buildpack]
}

func (bp buildpack) contents(dir, id, version string) map[string]string {
	return map[string]string{
		dir + "/buildpack.toml": fmt.Sprintf("api = %q\n[buildpack]\nid = %q\nversion = %q\n%s", or(bp.api, "0.10"), id, version, bp.more),
		dir + "/bin/detect":     "#!/bin/sh\nset -eu\n" + bp.detect + "\n",
		dir + "/bin/build":      "#!/bin/sh\nexit 1\n",
	}
}

// says is a script that writes a build plan.
func says(plan string) string { return "cat >\"$2\" <<'PLAN'\n" + plan + "\nPLAN" }

// mixedApp is a project of packfiles and buildpacks, all of which the packfile names.
func mixedApp(t *testing.T, order string, packfiles map[string]string, buildpacks map[string]buildpack) string {
	t.Helper()
	names := slices.Concat(slices.Collect(maps.Keys(packfiles)), slices.Collect(maps.Keys(buildpacks)))
	slices.Sort(names)
	text := ""
	for _, name := range names {
		text += uses("modules/" + name)
	}
	dir := modularApp(t, text+order, packfiles)
	for name, bp := range buildpacks {
		addBuildpack(t, dir, "modules/"+name, bp, "acme/"+name)
	}
	return dir
}

func addBuildpack(t *testing.T, dir, at string, bp buildpack, id string) {
	t.Helper()
	write(t, dir, bp.contents(at, id, "1"))
	for _, program := range []string{"detect", "build"} {
		if err := os.Chmod(filepath.Join(dir, at, "bin", program), 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// engine is a packfile that provides node, and one that provides yarn.
var engines = map[string]string{
	"engine": module("acme/engine@1", provides("node", "true")),
	"yarn":   module("acme/yarn@1", provides("yarn", "true")),
}

// entriesOf is a plan's entries, one line each: NAME from PROVIDERS: BY<-FROM METADATA.
func (p plan) entriesOf() (lines []string) {
	for _, e := range p.Entries {
		line := e.Name + " from " + strings.Join(e.Providers, ",") + ":"
		for _, r := range e.Requires {
			line += fmt.Sprintf(" %s<-%s %v", r.By, r.From, r.Metadata)
		}
		lines = append(lines, line)
	}
	return lines
}

// whys are why each group did not pass, by member.
func (p plan) whys() (groups []string) {
	for _, f := range p.Failed {
		var all []string
		for _, m := range f.Modules {
			if m.Why != "" {
				all = append(all, strings.TrimPrefix(m.Module, "acme/")+": "+m.Why)
			}
		}
		groups = append(groups, strings.Join(all, "; "))
	}
	return groups
}

func TestModuleBuildpackRequiresWhatAPackfileProvides(t *testing.T) {
	t.Parallel()
	dir := mixedApp(t, group("acme/yarn?", "acme/engine", "acme/app", "acme/no?", "acme/broken?"), engines, map[string]buildpack{
		"app": {api: "0.7", detect: `[ -f app.txt ] || exit 100
			echo "hello from detect"
			` + says("[[requires]]\nname = \"node\"\n[requires.metadata]\nversion = \"18.x\"\nbuild = true\nlaunch = \"true\"\nretries = 3\n"+
			"ratio = 1.0\nsince = 1979-05-27\ntags = [\"a\", 1]\nodd.\"a/b\" = \"c\"\n[[or]]\n[[or.requires]]\nname = \"yarn\"")},
		"no":     {detect: `exit 100`},
		"broken": {detect: says("[[provides]]\nname = 1")},
	})
	p := planned(t, dir)
	want := []string{"node from acme/engine@1: acme/app@1<-acme/engine@1 map[build:true launch:true odd:map[a/b:c] " +
		"ratio:1.0 retries:3 since:1979-05-27 tags:['a', 1] version:18.x]"}
	if diff := cmp.Diff(want, p.entriesOf()); diff != "" {
		t.Error(diff)
	}
	if got := p.members(); !slices.Equal(got, []string{"acme/engine", "acme/app", "packfile"}) && !slices.Equal(got, []string{"acme/engine", "acme/app"}) {
		t.Errorf("members %q", got)
	}
	log := request{dir: dir, opts: map[string]string{"no-cache": "", "requestid": "frontend.packfile.plan"}}.build(t).log
	contains(t, log, "[acme/app] detect", "hello from detect")
}

func TestModuleBuildpackAlternatives(t *testing.T) {
	t.Parallel()
	dir := mixedApp(t, group("acme/engine", "acme/app"), engines, map[string]buildpack{
		"app": {detect: says("[[requires]]\nname = \"nowhere\"\n[[or]]\n[[or.requires]]\nname = \"node\"\nmetadata.version = \"2\"")},
	})
	want := []string{"node from acme/engine@1: acme/app@1<-acme/engine@1 map[version:2]"}
	if diff := cmp.Diff(want, planned(t, dir).entriesOf()); diff != "" {
		t.Error(diff)
	}
}

func TestModuleBuildpackOfTheFirstDraftIsWarnedAbout(t *testing.T) {
	t.Parallel()
	dir := mixedApp(t, group("acme/engine", "acme/app"), engines, map[string]buildpack{
		"app": {detect: says("[[requests]]\nname = \"node\"\nversion = \"2\"")},
	})
	const warning = "acme/app@1: build plan: [[requests]] is a word of the first draft"
	log := request{dir: dir, opts: map[string]string{"requestid": "frontend.packfile.plan"}}.build(t).log
	contains(t, log, "WARNING: "+warning, "version=2")
	contains(t, request{dir: dir}.fail(t), "[warning] "+warning)
	if out, err := buildx(t, dir, "--call=packfile.plan,format=json"); err != nil || !strings.Contains(out, `"`+warning) {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestModuleBuildpackThatDoesNotPass(t *testing.T) {
	t.Parallel()
	fails := map[string]buildpack{
		"no":      {detect: "exit 100"},
		"broken":  {detect: "exit 1"},
		"killed":  {detect: "kill -9 $$"},
		"large":   {detect: `yes '# a comment' | head -c 104857600 >"$2"`},
		"invalid": {detect: says("[[provides]]\nname = \"a\"\n\nname \"b\"")},
		"typed":   {detect: says("[[provides]]\nname = 1")},
		"nameful": {detect: says(`[[requires]]` + "\n" + `name = "\u001b[31mred\u009b1m"`)},
		"windows": {detect: "echo; exit 9", more: "[[targets]]\nos = \"windows\"\n"},
		"arch":    {detect: "exit 9", more: "[[targets]]\nos = \"linux\"\narch = \"s390x\"\n[[targets]]\narch = \"ppc64le\"\n"},
		"shell":   {detect: "exit 9"},
		"good":    {detect: "", more: "[[targets]]\nos = \"windows\"\n[[targets]]\nos = \"linux\"\n[[stacks]]\nid = \"x\"\n"},
	}
	order := ""
	names := []string{"no", "broken", "killed", "large", "invalid", "typed", "nameful", "windows", "arch", "shell"}
	for _, name := range names {
		order += group("acme/good", "acme/"+name)
	}
	optional := []string{"acme/good"}
	for _, name := range names {
		optional = append(optional, "acme/"+name+"?")
	}
	dir := mixedApp(t, order+group(optional...), nil, fails)
	write(t, dir, map[string]string{"modules/shell/bin/detect": "#!/nowhere/sh\n"})
	p := planned(t, dir)
	platform := func(why string) string { return regexp.MustCompile(`linux/\w+`).ReplaceAllString(why, "PLATFORM") }
	got := p.whys()
	for i := range got {
		got[i] = platform(got[i])
	}
	want := []string{
		"no@1: its bin/detect said no",
		"broken@1: its bin/detect failed with exit code 1",
		"killed@1: its bin/detect was killed by signal 9 (killed)",
		"large@1: its build plan has 104857600 bytes, more than the 1048576 that it may have",
		`invalid@1: its build plan: invalid TOML at line 4, column 6: expected '=' after key`,
		"typed@1: its build plan: [[provides]] 1: name is no string",
		`nameful@1: requires "\x1b[31mred\u009b1m", which no module before it provides`,
		"windows@1: it is not for PLATFORM",
		"arch@1: it is not for PLATFORM",
		"shell@1: its bin/detect has an interpreter or dynamic loader that is not in the build image",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := p.members(); !slices.Contains(got, "acme/good") || len(got) > 2 {
		t.Errorf("members %q", got)
	}
	// None of it keeps a build from going on; and one that has nobody left says why.
	log := request{dir: mixedApp(t, group("acme/good", "acme/no"), nil, fails)}.fail(t)
	contains(t, log, "no group of modules passes", "acme/no@1", "its bin/detect said no")
}

func TestModuleBuildpackCannotWriteToTheTerminal(t *testing.T) {
	t.Parallel()
	hostile := `"\u001b[31mred\u009b1m\u202e"`
	dir := mixedApp(t, group("acme/app"), nil, map[string]buildpack{
		"app": {detect: says("[[provides]]\nname = " + hostile + "\n[[requires]]\nname = " + hostile + "\nmetadata." + hostile + " = [" + hostile + "]")},
	})
	commands := "\u009b\u202e"
	text := request{dir: dir}.planText(t)
	if strings.ContainsAny(text, commands+"\x1b") {
		t.Errorf("commands for the terminal in %q", text)
	}
	contains(t, text, `"\x1b[31mred\u009b1m\u202e"`)
	out, err := buildx(t, dir, "--call=packfile.plan,format=json")
	if err != nil || strings.ContainsAny(out, commands) {
		t.Errorf("commands for the terminal in %q, %v", out, err)
	}
	if p := planned(t, dir); len(p.Entries) != 1 || p.Entries[0].Name != "\u001b[31mred\u009b1m\u202e" {
		t.Errorf("got %+v", p.Entries)
	}
}

// tells is a script that says in the plan what shell expressions are.
func tells(values map[string]string) string {
	var script strings.Builder
	script.WriteString("{ echo '[[provides]]'; echo 'name = \"x\"'; echo '[[requires]]'; echo 'name = \"x\"'; echo '[requires.metadata]'\n")
	for _, name := range slices.Sorted(maps.Keys(values)) {
		fmt.Fprintf(&script, "echo \"%s = '%s'\"\n", name, values[name])
	}
	script.WriteString(`} >"$CNB_BUILD_PLAN_PATH"`)
	return script.String()
}

func TestModuleBuildpackSeesAsTheSpecificationSays(t *testing.T) {
	t.Parallel()
	values := map[string]string{
		"dir": "$PWD", "arguments": "$# $1 $2", "own": "$CNB_BUILDPACK_DIR", "platform": "$CNB_PLATFORM_DIR", "plan": "$CNB_BUILD_PLAN_PATH",
		"variable": "${BP_A-unset}", "file": "$(cat $1/env/BP_A)", "os": "$CNB_TARGET_OS", "distro": "${CNB_TARGET_DISTRO_NAME-unset}",
		"user": "$(id -u)", "empty": "$(wc -c <$2)", "app": "$(cat app.txt; touch x 2>/dev/null || echo ' read-only')",
		"module": "$(cat $CNB_BUILDPACK_DIR/file; touch $CNB_BUILDPACK_DIR/x 2>/dev/null || echo ' read-only')",
	}
	// The plan is not empty any more when the group of commands writes it.
	tell := "empty=$(wc -c <\"$2\")\n" + strings.ReplaceAll(tells(values), "$(wc -c <$2)", "$empty")
	dir := mixedApp(t, group("acme/user", "acme/clear"), nil, map[string]buildpack{
		"user":  {detect: tell},
		"clear": {detect: tell, more: "clear-env = true\n"},
	})
	write(t, dir, map[string]string{"modules/user/file": "mine", "modules/clear/file": "mine"})
	p := planned(t, dir, "--build-arg", "BP_A=a b")
	if len(p.Entries) != 1 || len(p.Entries[0].Requires) != 2 {
		t.Fatalf("got %+v", p)
	}
	for i, variable := range []string{"a b", "unset"} {
		own := "/cnb/buildpacks/acme_" + []string{"user", "clear"}[i] + "/1"
		want := map[string]any{
			"dir": "/workspace", "arguments": "2 /platform /packfile/out/plan.toml", "own": own, "platform": "/platform",
			"plan": "/packfile/out/plan.toml", "variable": variable, "file": "a b", "os": "linux", "distro": "unset", "user": "1000",
			"empty": "0", "app": "app read-only", "module": "mine read-only",
		}
		if diff := cmp.Diff(want, p.Entries[0].Requires[i].Metadata); diff != "" {
			t.Errorf("%s: %s", own, diff)
		}
	}
}

func TestModuleBuildpackIsNotBuiltYet(t *testing.T) {
	t.Parallel()
	const refused = "modules/app/buildpack.toml:3:6: acme/app@1 is a buildpack with a bin/build of its own, which cannot be run yet"
	required := map[string]buildpack{"app": {detect: says("[[requires]]\nname = \"node\"")}}
	dir := mixedApp(t, group("acme/engine", "acme/app"), engines, required)
	contains(t, request{dir: dir}.fail(t), refused)
	if out, err := buildx(t, dir, "--call=packfile.explain"); err == nil || !strings.Contains(out, refused) {
		t.Errorf("%v\n%s", err, out)
	}

	skipped := map[string]buildpack{"app": {detect: "exit 100"}}
	with := map[string]string{
		"engine": engines["engine"], "user": module("acme/user@1", requires("node", "")+builds("own", "export = true", "echo made >$LAYER/file")),
	}
	dir = mixedApp(t, group("acme/app?", "acme/engine", "acme/user"), with, skipped)
	b := request{dir: dir}.files(t)
	if got := b.read(t, "layers/acme_user/own/file"); got != "made\n" {
		t.Errorf("got %q", got)
	}
}

func TestModuleBuildpackComesFromWhereverModulesComeFrom(t *testing.T) {
	t.Parallel()
	bp := buildpack{detect: says("[[requires]]\nname = \"node\"")}
	dir := modularApp(t, uses("modules/engine", "app.tgz", "modules/pkg")+group("acme/engine", "acme/archive", "acme/packed"), engines)
	var out bytes.Buffer
	tw := tar.NewWriter(&out)
	contents := bp.contents(".", "acme/archive", "1")
	for _, name := range slices.Sorted(maps.Keys(contents)) {
		h := &tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(contents[name]))}
		if strings.Contains(name, "bin/") {
			h.Mode = 0o711
		}
		if err := tw.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := tw.Write([]byte(contents[name])); err != nil {
			t.Fatal(err)
		}
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, dir, map[string]string{"app.tgz": gzipped(t, out.String())})
	addBuildpack(t, dir, "modules/pkg/cnb/buildpacks/acme_packed/1", bp, "acme/packed")
	want := []string{"node from acme/engine@1: acme/archive@1<-acme/engine@1 map[] acme/packed@1<-acme/engine@1 map[]"}
	if diff := cmp.Diff(want, planned(t, dir).entriesOf()); diff != "" {
		t.Error(diff)
	}
}

func TestModuleBuildpackIsTheSameWhoeverChecksItOut(t *testing.T) {
	t.Parallel()
	source := mixedApp(t, group("acme/app"), nil, map[string]buildpack{"app": {detect: `ls -lR $CNB_BUILDPACK_DIR | awk '{print $1, $9}'`}})
	r := request{opts: map[string]string{"requestid": "frontend.packfile.plan"}}
	for i, umask := range []fs.FileMode{0o077, 0o002} {
		r.dir = checkOut(t, source, checkout{umask: umask})
		b := r.build(t)
		if i > 0 && b.ran(t, "[acme/app] detect") {
			t.Errorf("umask %03o: bin/detect ran again\n%s", umask, b.log)
		}
	}
}

func TestModuleBuildpackErrors(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		bp   buildpack
		more map[string]string // files; "" removes one
		want string
	}{
		"an API before the oldest": {bp: buildpack{api: "0.6"},
			want: "modules/app/buildpack.toml:1:7: acme/app@1 speaks Buildpack API 0.6: known are 0.7 to 0.12"},
		"an API after the newest": {bp: buildpack{api: "0.13"}, want: "acme/app@1 speaks Buildpack API 0.13"},
		"no API": {more: map[string]string{"modules/app/buildpack.toml": "[buildpack]\nid = \"acme/app\"\nversion = \"1\"\n"},
			want: "acme/app@1 does not say which Buildpack API it speaks"},
		"no bin/detect": {more: map[string]string{"modules/app/bin/detect": ""},
			want: "modules/app/buildpack.toml:3:6: acme/app@1 has neither a packfile nor an order nor programs (bin/detect, bin/build)"},
		"no bin/build": {more: map[string]string{"modules/app/bin/build": ""}, want: "nor programs (bin/detect, bin/build)"},
		"another one with its id and version": {
			more: map[string]string{"packfile.toml": sh + uses("modules/app", "modules/other") + group("acme/app")},
			want: ": there is another module acme/app@1, from modules/", // whichever was read first
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := mixedApp(t, group("acme/app"), nil, map[string]buildpack{"app": test.bp})
			addBuildpack(t, dir, "modules/other", test.bp, "acme/app")
			for name, text := range test.more {
				if text == "" {
					if err := os.Remove(filepath.Join(dir, name)); err != nil {
						t.Fatal(err)
					}
					continue
				}
				write(t, dir, map[string]string{name: text})
			}
			contains(t, request{dir: dir}.fail(t), test.want)
		})
	}
}

func TestModuleBuildpackIsAskedAgainWhenItChanges(t *testing.T) {
	t.Parallel()
	marker := fmt.Sprintf("# %s\n", imageName(t))
	dir := mixedApp(t, group("acme/app"), nil, map[string]buildpack{"app": {detect: marker + "cat $CNB_BUILDPACK_DIR/answer; exit $(cat $CNB_BUILDPACK_DIR/answer)"}})
	r := request{dir: dir, opts: map[string]string{"requestid": "frontend.packfile.plan"}}
	write(t, dir, map[string]string{"modules/app/answer": "0"})
	r.build(t).wantRan(t, map[string]bool{"[acme/app] detect": true})
	r.build(t).wantRan(t, map[string]bool{"[acme/app] detect": false})
	r.opts["no-cache"] = "acme/app"
	r.build(t).wantRan(t, map[string]bool{"[acme/app] detect": true})
	delete(r.opts, "no-cache")
	write(t, dir, map[string]string{"modules/app/answer": "100"})
	contains(t, r.fail(t), "its bin/detect said no")
	write(t, dir, map[string]string{"modules/app/answer": "0", "another.txt": "the app changed"})
	r.build(t).wantRan(t, map[string]bool{"[acme/app] detect": true})
}
