package e2e

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Modules that are bad, and orders of them: each is a clear error at its place.

// badModules are projects. Their packfile begins with line 4.
var badModules = map[string]struct {
	packfile string
	modules  map[string]string
	more     map[string]string // files
	want     []string
}{
	"orders that go round in a circle": {
		packfile: uses("modules/a", "modules/b"),
		modules:  map[string]string{"a": module("acme/a@1", group("acme/b")), "b": module("acme/b@1", group("acme/a"))},
		want:     []string{"packfile.toml:5:", "go round in a circle: acme/", "acme/a@1 → acme/b@1", ">>> [[order]]"},
	},
	"a module whose order names itself": {
		packfile: uses("modules/a"),
		modules:  map[string]string{"a": module("acme/a@1", group("acme/a"))},
		want:     []string{"modules/a/packfile.toml:5:", "acme/a@1 → acme/a@1", ">>> [[order]]"},
	},
	"an order that names what is not there": {
		packfile: uses("modules/first") + group("acme/frist"),
		modules:  map[string]string{"first": roles["first"]},
		want:     []string{"packfile.toml:8:", `there is no module "acme/frist"`, `did you mean "acme/first"?`, `>>> id = "acme/frist"`},
	},
	"an order of a module that names what is not there": {
		packfile: uses("modules/combo"),
		modules:  map[string]string{"combo": module("acme/combo", group("acme/nothing"))},
		want:     []string{"modules/combo/packfile.toml:6:", `there is no module "acme/nothing"`, `>>> id = "acme/nothing"`},
	},
	"a version that is not there": {
		packfile: uses("modules/first") + group("acme/first@9"),
		modules:  map[string]string{"first": roles["first"]},
		want:     []string{"packfile.toml:10:", `"acme/first" is not there in version "9" (there: "1")`, `>>> version = "9"`},
	},
	"a version that could be several": {
		packfile: uses("modules/one", "modules/two") + group("acme/tool"),
		modules:  map[string]string{"one": module("acme/tool@1", process("x", "1")), "two": module("acme/tool@2", process("x", "2"))},
		want:     []string{"packfile.toml:10:", `in several versions ("1", "2"): say which`, `>>> id = "acme/tool"`},
	},
	"a version that the module does not have": {
		packfile: uses("modules/first") + "version = \"9\"\n",
		modules:  map[string]string{"first": roles["first"]},
		want:     []string{"packfile.toml:4:", "modules/first", "it is acme/first@1, and not"},
	},
	"a module whose packfile does not parse": {
		packfile: uses("modules/bad"),
		modules:  map[string]string{"bad": module("acme/bad", "[[layer]]\nname = \"x\"\n")},
		want:     []string{"modules/bad/packfile.toml:4:", `"layer"`, `it is called "layers" today`, ">>> [[layer]]"},
	},
	"a module whose packfile is no TOML": {
		packfile: uses("modules/bad"),
		modules:  map[string]string{"bad": "[config]\nid = \"acme/bad\"\n[config\n"},
		want:     []string{"modules/bad/packfile.toml:", ">>> "},
	},
	"a script of a module that is not there": {
		packfile: uses("modules/bad"),
		modules:  map[string]string{"bad": module("acme/bad", "[[layers]]\nname = \"x\"\n[layers.build.run]\npath = \"gone.sh\"\n")},
		want:     []string{"modules/bad/packfile.toml:7:", "gone.sh does not exist in the folder of modules/bad/packfile.toml", ">>> path"},
	},
	"two modules of one id that differ": {
		packfile: uses("modules/one", "modules/two"),
		modules:  map[string]string{"one": module("acme/same@1", process("x", "1")), "two": module("acme/same@1", process("x", "2"))},
		want:     []string{"packfile.toml:", "there is another module acme/same@1, from modules/", "and they differ", ">>> uri = \"modules/"},
	},
	"a module with the id of the packfile that is built": {
		packfile: "id = \"acme/app\"\nversion = \"1\"\n" + process("web", "true") + uses("modules/app"),
		modules:  map[string]string{"app": module("acme/app@2", process("web", "true"))},
		want:     []string{"packfile.toml:10:", "module acme/app@2 has the id of the packfile that is built", ">>> uri = \"modules/app\""},
	},
	"a module called packfile beside one without id": {
		packfile: process("web", "true") + uses("modules/app"),
		modules:  map[string]string{"app": module("packfile@2", process("web", "true"))},
		want:     []string{"packfile.toml:8:", "module packfile@2 has the id of the packfile that is built", ">>> uri"},
	},
	"a module without id": {
		packfile: uses("modules/anon"),
		modules:  map[string]string{"anon": sh + process("x", "1")},
		want:     []string{"packfile.toml:5:", "modules/anon/packfile.toml has no config.id", ">>> uri = \"modules/anon\""},
	},
	"a module that is not there": {
		packfile: uses("modules/gone"),
		want:     []string{"packfile.toml:5:", "there is no modules/gone in the folder of packfile.toml", ">>> uri"},
	},
	"a module outside of the folder": {packfile: uses("../other"), want: []string{"packfile.toml:5:", "../other", "--build-context", ">>> uri"}},
	"a folder without a packfile": {
		packfile: uses("modules/empty"), more: map[string]string{"modules/empty/README": "", "modules/empty/x": ""},
		want: []string{"packfile.toml:5:", "it holds no module", "packfile.toml, packfile.yaml", ">>> uri"},
	},
	"a file that is no archive": {
		packfile: uses("tool.tgz"), more: map[string]string{"tool.tgz": "not a tar archive"},
		want: []string{"packfile.toml:5:", "module archive tool.tgz: is no tar archive", ">>> uri"},
	},
	"an image that is not there": {packfile: uses("docker://nowhere.invalid/none:1"), want: []string{"packfile.toml:5:", "nowhere.invalid/none", ">>> uri"}},
	"an image without a module":  {packfile: uses("docker://" + busyboxName), want: []string{"packfile.toml:5:", "it holds no module", "/cnb", ">>> uri"}},
	"a download without its sha": {packfile: uses("https://nowhere.invalid/x.tgz"), want: []string{"packfile.toml:5:", "sha", "sha256sum", ">>> uri"}},
	"a password in a URL":        {packfile: uses("https://user:word@nowhere.invalid/x.git"), want: []string{"packfile.toml:5:", "user or password", ">>> uri"}},
	"no group that passes": {
		packfile: uses("modules/first", "modules/user", "modules/lone") + group("acme/user", "acme/first") + group("acme/first", "acme/lone?"),
		modules:  map[string]string{"first": roles["first"], "user": roles["user"], "lone": roles["lone"]},
		want: []string{"packfile.toml:10:", "no group of modules passes", ">>> [[order]]", `
GROUP   MODULE                   WHY NOT
1       acme/user@1              requires "x", which only comes later (acme/first@1)
        acme/first@1             provides "x", which is only required earlier (acme/user@1)
2       acme/first@1             provides "x", which neither it nor a later module requires
        acme/lone@1 (optional)   requires "y", which no module before it provides
`},
	},
	"an order of more groups than anybody waits for": {
		packfile: uses("modules/lone", "modules/a", "modules/b", "modules/c", "modules/d", "modules/e") +
			group("acme/a", "acme/b", "acme/c", "acme/d", "acme/e"),
		modules: map[string]string{
			"lone": roles["lone"], "a": tenGroups("acme/a"), "b": tenGroups("acme/b"), "c": tenGroups("acme/c"), "d": tenGroups("acme/d"), "e": tenGroups("acme/e"),
		},
		want: []string{"packfile.toml:16:", "the first 20000 groups of the order do not pass, and no more are tried", "and 19980 groups more", ">>> [[order]]"},
	},
	"an order that repeats itself": {
		packfile: uses("modules/a", "modules/b", "modules/c", "modules/d", "modules/lone") + group("acme/a"),
		modules: map[string]string{
			"lone": roles["lone"], "a": repeating("acme/a", "acme/b"), "b": repeating("acme/b", "acme/c"), "c": repeating("acme/c", "acme/d"), "d": repeating("acme/d", "acme/lone"),
		},
		want: []string{"comes to more than 10000 modules", ">>> [[order]]"},
	},
	"a require script that fails": {
		packfile: uses("modules/first", "modules/asker"),
		modules:  map[string]string{"first": roles["first"], "asker": module("acme/asker", asks("x", "echo it is broken; exit 3"))},
		want: []string{"modules/asker/packfile.toml:7", "modules/asker/packfile.toml: [acme/asker/x] require failed with exit code 3",
			`layer "x": require script failed with exit code 3`, "it is broken", ">>> inline"},
	},
	"a run script of a module that fails": {
		packfile: uses("modules/bad"),
		modules:  map[string]string{"bad": module("acme/bad", builds("x", "", "exit 4"))},
		want:     []string{"modules/bad/packfile.toml: [acme/bad/x] run failed with exit code 4", ">>> inline"},
	},
}

// busyboxName is put in place of the busybox image, whose name is not known before tests run.
const busyboxName = "busybox.invalid/image"

// tenGroups is a module that stands for ten groups, none of which passes.
func tenGroups(id string) string { return module(id, strings.Repeat(group("acme/lone"), 10)) }

// repeating is a module that stands for twenty others.
func repeating(id, of string) string {
	return module(id, group(strings.Fields(strings.Repeat(of+" ", 20))...))
}

func TestModuleThatIsBadIsExplainedWhereItIsBad(t *testing.T) {
	t.Parallel()
	for name, test := range badModules {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := modularApp(t, replace(test.packfile, busyboxName, env.busybox), test.modules)
			write(t, dir, test.more)
			log := request{dir: dir}.fail(t)
			contains(t, log, test.want...)
			for _, bad := range []string{"panic", "internal error", "rpc error: code"} {
				if strings.Contains(log, bad) {
					t.Errorf("it is our fault, says\n%s", log)
				}
			}
		})
	}
}

func TestModuleWithAnotherChecksumIsRefusedAndBothAreShown(t *testing.T) {
	t.Parallel()
	tgz := gzipped(t, archive(t, toolModule()))
	s := newShelf(t, map[string]string{"/tool.tgz": tgz})
	dir := modularApp(t, uses(s.URL+"/tool.tgz")+"sha = \""+noFile(t)+"\"\n", nil)
	contains(t, request{dir: dir}.fail(t), "packfile.toml:5:", s.URL+"/tool.tgz", "the packfile says sha256 "+noFile(t)+", what the server sent has sha256 "+sha(tgz), ">>> uri")
	dir = modularApp(t, uses(s.URL+"/gone.tgz")+"sha = \""+noFile(t)+"\"\n", nil)
	contains(t, request{dir: dir}.fail(t), "packfile.toml:5:", s.URL+"/gone.tgz", "the packfile says sha256 "+noFile(t), ">>> uri") // BuildKit takes the page for the file
}

func TestModuleThatIsASymbolicLinkIsRefused(t *testing.T) {
	t.Parallel()
	secret := files(t, map[string]string{"packfile.toml": module("acme/stolen", process("x", "true"))})
	dir := modularApp(t, uses("modules/link"), map[string]string{"other": roles["first"]})
	if err := os.Symlink(secret, filepath.Join(dir, "modules/link")); err != nil {
		t.Fatal(err)
	}
	contains(t, request{dir: dir}.fail(t), "packfile.toml:5:", "modules/link is a symbolic link", ">>> uri")
	// Nor is one of its files.
	write(t, dir, map[string]string{"modules/half/README": "", "packfile.toml": sh + uses("modules/half")})
	if err := os.Symlink(filepath.Join(secret, "packfile.toml"), filepath.Join(dir, "modules/half/packfile.toml")); err != nil {
		t.Fatal(err)
	}
	contains(t, request{dir: dir}.fail(t), "packfile.toml:5:", "modules/half/packfile.toml is no regular file", ">>> uri")
}

// The same module under two names is one.
func TestModuleThatIsThereTwiceIsOneIfItIsTheSame(t *testing.T) {
	t.Parallel()
	modules := map[string]string{"one": roles["plain"], "two": roles["plain"], "three": roles["plain"]}
	equal(t, "modules", planned(t, modularApp(t, allOf(modules), modules)).members(), []string{"acme/plain"})
	maps.Copy(modules, map[string]string{"two": roles["plain"] + fmt.Sprint("# ", len(modules), "\n")})
	contains(t, request{dir: modularApp(t, allOf(modules), modules)}.fail(t), "there is another module acme/plain@1")
}

func TestModuleIsChecked(t *testing.T) {
	t.Parallel()
	questionable := module("acme/m", requires("x", "")+builds("y", "restore = true", "true"))
	dir := modularApp(t, uses("modules/m"), map[string]string{"m": questionable})
	for _, file := range []string{"packfile.toml", "modules/m/packfile.toml"} { // with the app, and alone, when nothing provides x
		out, err := buildx(t, dir, "--call=check", "-f", filepath.Join(dir, file), "--build-arg", "BUILDKIT_SYNTAX="+env.frontend)
		if err == nil {
			t.Errorf("%s: check found nothing\n%s", file, out)
		}
		contains(t, out, "RestoreDependsOnHistory", "packfile.toml:", "starts from what the last build left in it")
	}
}
