package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/subrequests/outline"
	"github.com/packfile/frontend/internal/testbed"
)

// What a module gets of the user's: secrets and agents by name, and no network that the app does not want.

// curious is a module that keeps what it sees of two secrets, the second of which it can do without.
var curious = testbed.Tables(
	testbed.Layer("seen").Run(`echo "${TOKEN-none} ${EXTRA-none}" > $LAYER/secrets`).
		Secret("token", "env-as", "TOKEN").Secret("extra", "env-as", "EXTRA", "required", false),
)

// given has the secrets that the user gives.
func given(t *testing.T) []string {
	t.Helper()
	dir := t.TempDir()
	var args []string
	for _, id := range []string{"token", "extra"} {
		if err := os.WriteFile(filepath.Join(dir, id), []byte("my "+id), 0o644); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--secret", "id="+id+",src="+filepath.Join(dir, id))
	}
	return args
}

func TestAModuleHasTheSecretsThatItsEntryLists(t *testing.T) {
	t.Parallel()
	tool := map[string]string{"tool": module("acme/tool@1", curious)}
	nested := map[string]string{"outer": module("acme/outer@1", uses("inner")), "outer/inner": module("acme/inner@1", curious)}
	passing := map[string]string{"outer": module("acme/outer@1", uses("inner")+"secrets = [\"token\", \"extra\"]\n"),
		"outer/inner": module("acme/inner@1", curious)}
	for name, test := range map[string]struct {
		entry   string
		modules map[string]string
		seen    string   // what the script saw, "" for an error
		want    []string // in the log
	}{
		"none": {uses("modules/tool"), tool, "", []string{"packfile.toml:4:3: module acme/tool@1 needs secret \"token\", which it is not given",
			`add secrets = ["token"] to its entry`, ">>> [[buildpacks]]"}},
		"the one that it needs": {uses("modules/tool") + "secrets = [\"token\"]\n", tool, "my token none\n",
			[]string{`module acme/tool@1 is not given secret "extra"`}},
		"both": {uses("modules/tool") + "secrets = [\"token\", \"extra\"]\n", tool, "my token my extra\n", nil},
		"a module of a module": {uses("modules/outer") + "secrets = [\"token\"]\n", nested, "", []string{
			"packfile.toml:4:3: module acme/inner@1 needs secret \"token\"", "and to the one in modules/outer/packfile.toml", ">>> [[buildpacks]]"}},
		"what a module passes on without having it": {uses("modules/outer"), passing, "", []string{
			"packfile.toml:4:3: module acme/inner@1 needs secret \"token\""}},
		"what a module passes on of what it has": {uses("modules/outer") + "secrets = [\"token\"]\n", passing, "my token none\n",
			[]string{`module acme/inner@1 is not given secret "extra"`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := request{dir: modularApp(t, test.entry, test.modules), target: "seen", args: given(t)}
			if test.seen == "" {
				contains(t, r.fail(t), test.want...)
				return
			}
			b := r.build(t)
			equal(t, "secrets", b.read(t, "secrets"), test.seen)
			contains(t, b.log, test.want...)
		})
	}
}

func TestAnAgentReachesAModuleOnlyByItsEntry(t *testing.T) {
	t.Parallel()
	tool := map[string]string{"tool": module("acme/tool", testbed.Tables(testbed.Layer("seen").Making("ssh", []string{"default"}).Run("true")))}
	log := request{dir: modularApp(t, uses("modules/tool"), tool), target: "seen"}.fail(t)
	contains(t, log, `module acme/tool needs ssh agent "default", which it is not given`, `add ssh = ["default"] to its entry`, ">>> [[buildpacks]]")
	log = request{dir: modularApp(t, uses("modules/tool")+"ssh = [\"default\"]\n", tool), target: "seen"}.fail(t)
	contains(t, log, "default") // that the client gives none: it is asked for
	if strings.Contains(log, "which it is not given") {
		t.Error(log)
	}
}

func TestARequireScriptOfAModuleHasNoSecretUnasked(t *testing.T) {
	t.Parallel()
	tool := map[string]string{"tool": module("acme/tool", `[[layers]]
name = "seen"
[layers.require]
secrets = [{ id = "token", env-as = "TOKEN" }]
inline = 'printf %s "$TOKEN" > $MD/version'
[layers.provide.run]
inline = "cp $MD/version $LAYER/version"
`)}
	contains(t, request{dir: modularApp(t, uses("modules/tool"), tool), target: "seen", args: given(t)}.fail(t),
		`module acme/tool needs secret "token", which it is not given`, ">>> [[buildpacks]]")
}

// An id may be mistyped, or be left over.
func TestASecretThatIsGivenToNoneOfAnEntrysModulesIsWarnedOfAtItsLine(t *testing.T) {
	t.Parallel()
	passing := map[string]string{"outer": module("acme/outer@1", uses("inner")+"secrets = [\"token\", \"nobody\"]\n"),
		"outer/inner": module("acme/inner@1", curious)}
	dir := modularApp(t, uses("modules/outer")+"secrets = [\"token\", \"tokken\"]\nssh = [\"default\"]\n", passing)
	built, err := buildx(t, dir, append(given(t), "--target=seen")...)
	if err != nil {
		t.Fatal(err, built)
	}
	checked, err := buildx(t, dir, "--call=check")
	if err == nil {
		t.Error("the check finds nothing")
	}
	contains(t, checked, "UnusedGrant", ">>> secrets = [\"token\", \"tokken\"]", ">>> secrets = [\"token\", \"nobody\"]")
	for _, log := range []string{built, checked} {
		contains(t, log, `no section of modules/outer names secret "tokken", which the entry gives`,
			`no section of modules/outer names ssh agent "default", which the entry gives`,
			`modules/outer/packfile.toml:7: no section of inner names secret "nobody"`)
		if strings.Contains(log, `names secret "token"`) {
			t.Error(log)
		}
	}
}

func TestAProjectDescriptorGivesSecretsToItsModules(t *testing.T) {
	t.Parallel()
	for entry, seen := range map[string]string{"": "", "secrets = [\"token\"]\n": "my token none\n"} {
		dir := modularApp(t, "", map[string]string{"tool": module("acme/tool", curious)})
		write(t, dir, map[string]string{"project.toml": "[_]\nschema-version = \"0.2\"\n[io.buildpacks]\n" +
			"[[io.buildpacks.group]]\nuri = \"modules/tool\"\n" + entry})
		r := request{dir: dir, target: "seen", args: given(t), opts: map[string]string{"filename": "project.toml"}}
		if seen == "" {
			contains(t, r.fail(t), "project.toml:4:", `module acme/tool needs secret "token"`, ">>> [[io.buildpacks.group]]")
			continue
		}
		equal(t, "secrets", r.build(t).read(t, "secrets"), seen)
	}
}

func TestNetworkNoneOfTheAppHoldsForItsModules(t *testing.T) {
	t.Parallel()
	interfaces := func(app, module string) string {
		text := "id = \"acme/tool\"\nshell = \"/bin/sh -eu\"\n" + module + "[[layers]]\nname = \"a\"\n[layers.build.run]\nnetwork = \"default\"\n" +
			"inline = \"cat /proc/net/dev | grep -c : > $LAYER/interfaces || true\"\n"
		dir := modularApp(t, app+uses("modules/tool"), map[string]string{"tool": "[config]\n" + text})
		return request{dir: dir, target: "a"}.build(t).read(t, "interfaces")
	}
	if got := interfaces("network = \"none\"\n", "network = \"default\"\n"); got != "1\n" {
		t.Errorf("a module of an app without network has %q interfaces", got)
	}
	if got := interfaces("", ""); got == "1\n" {
		t.Error("a module has no network at all")
	}
}

func TestNetworkNoneOfTheAppHoldsForDetectOfItsBuildpacks(t *testing.T) {
	t.Parallel()
	interfaces := func(app string) any {
		dir := modularApp(t, app+uses("modules/engine", "modules/tool"), map[string]string{"engine": engines["engine"]})
		addBuildpack(t, dir, "modules/tool", buildpack{detect: "printf '[[requires]]\nname = \"node\"\nmetadata.interfaces = \"%s\"\n' \"$(grep -c : /proc/net/dev)\" > \"$2\""}, "acme/tool")
		p := planned(t, dir)
		if len(p.Entries) != 1 || len(p.Entries[0].Requires) != 1 {
			t.Fatalf("got %+v", p)
		}
		return p.Entries[0].Requires[0].Metadata["interfaces"]
	}
	if got := interfaces("network = \"none\"\n"); got != "1" {
		t.Errorf("bin/detect of an app without network has %v interfaces", got)
	}
	if got := interfaces(""); got == "1" {
		t.Error("bin/detect has no network at all")
	}
}

func TestOutlineSaysWhoseASecretIs(t *testing.T) {
	t.Parallel()
	own := testbed.Tables(testbed.Layer("own").Run("true").Secret("mine", "env-as", "MINE"))
	dir := modularApp(t, uses("modules/tool")+"secrets = [\"token\"]\n"+own, map[string]string{"tool": module("acme/tool@1", curious)})
	out, err := buildx(t, dir, "--call=outline")
	if err != nil {
		t.Fatal(err)
	}
	contains(t, out, `secret "token" is for module acme/tool@1, which is given it`, `secret "extra" is for module acme/tool@1, which is not given it`)
	if out, err = buildx(t, dir, "--call=outline,format=json"); err != nil {
		t.Fatal(err)
	}
	var o outline.Outline
	if err := json.Unmarshal([]byte(out[strings.Index(out, "{"):]), &o); err != nil {
		t.Fatal(err, out)
	}
	if strings.Contains(o.Description, "mine") || len(o.Secrets) != 3 {
		t.Errorf("%+v", o)
	}
}
