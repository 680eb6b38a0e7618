package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// badPackfiles are packfiles with what the error must say. Every one has to point at its line with an excerpt.
var badPackfiles = []struct {
	name, packfile string
	says           []string
	line           string // the marked line of the excerpt
}{
	{"TOML that is none", "[config\nid = 1\n", []string{"packfile.toml:2:"}, "[config"},
	{"unknown keys, all at once", "[config]\nnmae = \"x\"\n[[layrs]]\nname = \"a\"\n", []string{`"nmae"`, `did you mean "name"`, `"layrs"`, `did you mean "layers"`, "2 errors"}, "nmae"},
	{"a wrong type", "[[layers]]\nname = 5\n", []string{"string", "integer"}, "name = 5"},
	{"two layers of one name", layerNamed("a") + layerNamed("a"), []string{`"a"`}, "name"},
	{"a link to nothing", layerNamed("tool") + layerNamed("a") + "[[layers.build.links]]\nname = \"tol\"\n", []string{`"tol"`, `did you mean "tool"`}, `name = "tol"`},
	{"a link cycle", layerNamed("a") + "[[layers.build.links]]\nname = \"b\"\n" + layerNamed("b") + "[[layers.build.links]]\nname = \"a\"\n", []string{"a", "b", "cycle"}, "name"},
	{"provide and build", layerNamed("a") + "[layers.provide.run]\ninline = \"true\"\n", []string{"provide", "build"}, ""},
	{"inline and path", layerNamed("a") + "path = \"x.sh\"\n", []string{"inline", "path"}, ""},
	{"a script path that leaves the folder", "[[layers]]\nname = \"a\"\n[layers.build.run]\npath = \"../x.sh\"\n", []string{"../x.sh"}, "path"},
	{"a glob that leaves the app", "[[layers]]\nname = \"a\"\n[layers.build.test]\nmatch = [\"../x\"]\n[layers.build.run]\ninline = \"true\"\n", []string{"../x"}, "match"},
	{"a template that does not parse", layerNamed("a") + "[[layers.build.env.launch]]\nname = \"A\"\nvalue = \"{{.Layer\"\n", []string{"template"}, "value"},
	{"a template over nothing", layerNamed("a") + "[[layers.build.deps]]\nname = \"d\"\nversion = \"{{.missing}}\"\nuri = \"https://example.com/d\"\nsha = \"" + strings.Repeat("0", 64) + "\"\n", []string{"missing"}, "version"},
	{"a script that is not there", "[[layers]]\nname = \"a\"\n[layers.build.run]\npath = \"gone.sh\"\n", []string{"gone.sh", "does not exist"}, "path"},
	{"a shell that is not in the image", "[config]\nshell = \"/bin/nonesuch -e\"\n" + layerNamed("a"), []string{"/bin/nonesuch"}, ""},
	{"a layer that is only required", "[[layers]]\nname = \"a\"\n[layers.require]\n", []string{`"a"`, "layers.build"}, ""},
	{"a layer that nobody requires", "[[layers]]\nname = \"a\"\n[layers.provide.run]\ninline = \"true\"\n", []string{`"a"`, "layers.build"}, ""},
	{"a user that the image does not know", "[config]\nuser = \"nobody-knows\"\n" + layerNamed("a"), []string{"nobody-knows"}, "user"},
}

func layerNamed(name string) string {
	return "[[layers]]\nname = \"" + name + "\"\n[layers.build.run]\ninline = \"true\"\n"
}

func TestBadPackfilesAreExplainedWhereTheyAreBad(t *testing.T) {
	t.Parallel()
	for _, c := range badPackfiles {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := files(t, map[string]string{"packfile.toml": c.packfile})
			bctl := request{dir: dir}.fail(t)
			bx, err := buildx(t, dir)
			if err == nil {
				t.Error("buildx succeeded")
			}
			for _, log := range []string{bctl, bx} {
				contains(t, log, append(c.says, ">>> "+c.line, "packfile.toml:")...)
				if strings.Contains(log, "panic") || strings.Contains(log, "internal error") {
					t.Errorf("it is our fault, says\n%s", log)
				}
			}
		})
	}
}

func TestBadYAMLIsExplainedWhereItIsBad(t *testing.T) {
	t.Parallel()
	for text, says := range map[string][]string{
		"layers:\n- name: a\n  build: {run: {inlin: x}}\n": {`"inlin"`, `did you mean "inline"`, ">>> "},
		"layers:\n  - name: a\n build: x\n":                {"packfile.yaml:", ">>> "},
	} {
		dir := files(t, map[string]string{"packfile.yaml": text})
		contains(t, request{dir: dir, opts: map[string]string{"filename": "packfile.yaml"}}.fail(t), says...)
	}
}

func TestNamesThatWouldEscapeAreRefused(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"../x", "/x", "a/b", "", ".toml", "..", strings.Repeat("n", 300), "a\\u0000b", "a\\nb"} {
		dir := files(t, map[string]string{"packfile.toml": layerNamed(name)})
		contains(t, request{dir: dir}.fail(t), "packfile.toml:3", ">>> name")
	}
}

func TestLinksDoNotLeadOutOfThePackfilesFolderOrTheApp(t *testing.T) {
	t.Parallel()
	outside := filepath.Join(t.TempDir(), "outside.sh")
	if err := os.WriteFile(outside, []byte("cp $0 $LAYER/stolen\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	dir := files(t, map[string]string{"packfile.toml": sh + "[[layers]]\nname = \"a\"\n[layers.build.run]\npath = \"sub/link.sh\"\n", "sub/x": ""})
	if err := os.Symlink(outside, filepath.Join(dir, "sub/link.sh")); err != nil {
		t.Fatal(err)
	}
	contains(t, request{dir: dir}.fail(t), "sub/link.sh", "symbolic link", ">>> path")

	dir = files(t, map[string]string{"packfile.toml": sh + "[[layers]]\nname = \"a\"\n[layers.build.test]\nmatch = [\"*.lock\"]\n[layers.build.run]\ninline = \"true\"\n"})
	if err := os.Symlink(outside, filepath.Join(dir, "app.lock")); err != nil {
		t.Fatal(err)
	}
	contains(t, request{dir: dir}.fail(t), "app.lock", outside, ">>> match")
}

func TestHugePackfileIsRefused(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"packfile.toml": sh + "[[layers]]\nname = \"a\"\n[layers.build.run]\ninline = '''\n" + strings.Repeat("# a line of ten megabytes of comments\n", 10<<20/38) + "'''\n"})
	log := request{dir: dir}.fail(t)
	contains(t, log, "packfile.toml", "4 MiB")
	if len(log) > 100_000 {
		t.Errorf("the error has %d bytes", len(log))
	}
}

func TestUnknownBuildArgumentOfOursIsRefused(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"packfile.toml": sh + layerNamed("a")})
	contains(t, request{dir: dir, opts: map[string]string{"build-arg:PACKFILE_TYPO": "1"}}.fail(t), "PACKFILE_TYPO", "PACKFILE_APP")
	contains(t, request{dir: dir, opts: map[string]string{"build-arg:SOURCE_DATE_EPOCH": "soon"}}.fail(t), "SOURCE_DATE_EPOCH", "soon")
}
