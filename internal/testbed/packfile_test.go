package testbed

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/packfile/frontend/packfile"
)

func TestAWrittenPackfileIsAsPeopleWriteIt(t *testing.T) {
	t.Parallel()
	got := Packfile(
		Process("web", "serve", `a "b" \c`).With("working-dir", "sub"),
		ShellProcess("line", "echo $A"),
		Slice("*.css", "img"),
		Cache("downloads", "shared", true, "setup.inline", "true"),
		Layer("a").Link("downloads", "path-as", "D").Run(`
echo "one"
echo two
`).Match("*.lock").Export().With("metadata.license", "MIT").Inputs("a"),
		Provided("b").Require("").Run("true", "network", "none").Env("launch", "A", "a", "op", "append", "delim", ":"),
		Required("c").Version("2").Require("exit 100"),
		Provided("d").Require("true"),
	)
	want := `[config]
shell = "/bin/sh -eu"

[[processes]]
type = "web"
command = ["serve", "a \"b\" \\c"]
working-dir = "sub"

[[processes]]
type = "line"
command = "echo $A"
direct = false

[[slices]]
paths = ["*.css", "img"]

[[caches]]
name = "downloads"
shared = true
setup.inline = "true"

[[layers]]
name = "a"
export = true
metadata.license = "MIT"
[layers.build]
inputs = ["a"]
[layers.build.run]
inline = '''
echo "one"
echo two
'''
[layers.build.test]
match = ["*.lock"]
[[layers.build.links]]
name = "downloads"
path-as = "D"

[[layers]]
name = "b"
[layers.require]
[layers.provide.run]
inline = "true"
network = "none"
[[layers.provide.env.launch]]
name = "A"
value = "a"
op = "append"
delim = ":"

[[layers]]
name = "c"
version = "2"
[layers.require]
inline = "exit 100"

[[layers]]
name = "d"
[layers.provide]
[layers.require]
inline = "true"
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, _, err := packfile.Parse("packfile.toml", []byte(got)); err != nil {
		t.Error(err)
	}
}

func TestLayersThatBeginAlikeShareNothing(t *testing.T) {
	t.Parallel()
	base := Layer("a").Run("true").Link("x").Env("build", "E", "e").Env("build", "F", "f").With("restore", true).With("store", true)
	one, two := base.Link("one").Export().Making("lock-app", true), base.Link("two").Expose()
	if got, want := one.String(), Layer("a").With("restore", true, "store", true).Export().LockApp().Run("true").Link("x").Env("build", "E", "e").Env("build", "F", "f").Link("one").String(); got != want {
		t.Errorf("the first layer is\n%s\nwant\n%s", got, want)
	}
	if got, want := two.String(), Layer("a").With("restore", true, "store", true).Expose().Run("true").Link("x").Env("build", "E", "e").Env("build", "F", "f").Link("two").String(); got != want {
		t.Errorf("the second layer is\n%s\nwant\n%s", got, want)
	}
}

func TestStringsAreReadBackAsTheyWere(t *testing.T) {
	t.Parallel()
	for _, script := range []string{"echo 'x'", "a\tb \\ \"c\" \x01\x7f ü", "x\n'''\ny", "\necho 1\necho 2'", "last\nline"} {
		pf, _, err := packfile.Parse("packfile.toml", []byte(Packfile(Layer("a").Run(script))))
		if err != nil {
			t.Errorf("%q: %v", script, err)
			continue
		}
		if got, want := pf.Layers[0].Provide.Run.Inline, strings.TrimPrefix(script, "\n"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
