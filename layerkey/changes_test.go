package layerkey

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/step"
)

var (
	digestA = strings.Repeat("ab12", 16)
	digestB = strings.Repeat("cd34", 16)
)

// change is a pair of records that are equal but for what f does to the second.
func change(f func(old, new *Record)) (old, new Record) {
	f(&old, &new)
	return old, new
}

func TestWhatChangesAreCalled(t *testing.T) {
	long := strings.Repeat("ä", 100)
	for _, test := range []struct {
		name string
		make func(old, new *Record)
		want string
	}{
		{"nothing", func(old, new *Record) {}, ""},
		{"what is not part of the key", func(old, new *Record) {
			new.Key, new.Content, new.DiffID, new.Metadata = digestA, "x", "x", metadata.Table{"a": "x"}
			new.Files = map[string]string{"a": "1"}
		}, ""},
		{"no metadata in two ways", func(old, new *Record) { new.Parts.Metadata = metadata.Table{} }, ""},
		{"a version", func(old, new *Record) { old.Parts.Version, new.Parts.Version = "1", "2" }, "version 1 -> 2"},
		{"a version that has come", func(old, new *Record) { new.Parts.Version = "2" }, "version added"},
		{"a version that has gone", func(old, new *Record) { old.Parts.Version = "2" }, "version removed"},
		{"a version that is a digest of files", func(old, new *Record) {
			old.Parts.Version, new.Parts.Version = digestA, digestB
			old.Files = map[string]string{"same": "1", "b": "1", "a": "1", "gone": "1"}
			new.Files = map[string]string{"same": "1", "b": "2", "a": "2", "here": "1"}
		}, "version ab12ab12ab12… -> cd34cd34cd34… (a, b, new: here, gone: gone)"},
		{"many files", func(old, new *Record) {
			old.Parts.Version, new.Parts.Version = digestA, digestB
			old.Files, new.Files = map[string]string{}, map[string]string{}
			for i := range 9 {
				old.Files[fmt.Sprint(i)], new.Files[fmt.Sprint(i)] = "1", "2"
			}
		}, "version ab12ab12ab12… -> cd34cd34cd34… (0, 1, 2, 3, 4 and 4 more)"},
		{"files that were not noted", func(old, new *Record) {
			old.Parts.Version, new.Parts.Version = digestA, digestB
			new.Files = map[string]string{"a": "1"}
		}, "version ab12ab12ab12… -> cd34cd34cd34…"},
		{"inputs that are the version", func(old, new *Record) {
			old.Parts.Version, old.Parts.Inputs = digestA, digestA
			new.Parts.Version, new.Parts.Inputs = digestB, digestB
			old.Files, new.Files = map[string]string{"a": "1"}, map[string]string{"a": "2"}
		}, "version ab12ab12ab12… -> cd34cd34cd34… (a)"},
		{"inputs besides a version", func(old, new *Record) {
			old.Parts.Version, old.Parts.Inputs = "1", digestA
			new.Parts.Version, new.Parts.Inputs = "2", digestB
			old.Files, new.Files = map[string]string{"a": "1"}, map[string]string{"a": "2"}
		}, "version 1 -> 2, inputs ab12ab12ab12… -> cd34cd34cd34… (a)"},
		{"a script", func(old, new *Record) {
			old.Parts.Script, new.Parts.Script = &Script{Digest: "1"}, &Script{Digest: "2"}
		}, "run script changed"},
		{"a script that has come", func(old, new *Record) { new.Parts.Script = &Script{Digest: "2"} }, "run script added"},
		{"its shell and folder", func(old, new *Record) {
			old.Parts.Script = &Script{Shell: []string{"/bin/sh"}}
			new.Parts.Script = &Script{Shell: []string{"/usr/bin/env", "bash"}, InLayer: true}
		}, `shell of run script /bin/sh -> "/usr/bin/env bash", folder in which run script starts $APP -> $LAYER`},
		{"the words of its shell", func(old, new *Record) {
			old.Parts.Script, new.Parts.Script = &Script{Shell: []string{"a b"}}, &Script{Shell: []string{"a", "b"}}
		}, "shell of run script changed"},
		{"another version of a dep", func(old, new *Record) {
			old.Parts.Deps = []Dep{{Name: "node", Version: "20.1.0", URI: "https://a/1", SHA: digestA}}
			new.Parts.Deps = []Dep{{Name: "node", Version: "20.2.0", URI: "https://a/2", SHA: digestB}}
		}, "dep node 20.1.0 -> 20.2.0"},
		{"another digest of an image", func(old, new *Record) {
			old.Parts.Deps = []Dep{{Name: "a", Content: step.Content{Image: "x/a", Digest: "sha256:1"}}}
			new.Parts.Deps = []Dep{{Name: "a", Content: step.Content{Image: "y/a", Digest: "sha256:2"}}}
		}, "dep a: image x/a -> y/a, dep a: digest sha256:1 -> sha256:2"},
		{"another platform of an image, another commit", func(old, new *Record) {
			old.Parts.Deps = []Dep{{Name: "a", Content: step.Content{Platform: "linux/386"}}, {Name: "b", Content: step.Content{Commit: "c0"}}}
			new.Parts.Deps = []Dep{{Name: "a", Content: step.Content{Platform: "linux/arm"}}, {Name: "b", Content: step.Content{Commit: "c1"}}}
		}, "dep a: platform linux/386 -> linux/arm, dep b: commit c0 -> c1"},
		{"the same version of a dep", func(old, new *Record) {
			old.Parts.Deps = []Dep{{Name: "node", Version: "1", URI: "https://a/1", SHA: digestA, Metadata: metadata.Table{"a": metadata.Table{"b": "1"}}}}
			new.Parts.Deps = []Dep{{Name: "node", Version: "1", URI: "https://a/2", SHA: digestB, Metadata: metadata.Table{"a": metadata.Table{"b": "2"}}}}
		}, "dep node: sha ab12ab12ab12… -> cd34cd34cd34…, dep node: uri https://a/1 -> https://a/2, dep node: metadata a.b 1 -> 2"},
		{"one of several versions of a dep", func(old, new *Record) {
			old.Parts.Deps = []Dep{{Name: "node", Version: "1"}, {Name: "node", Version: "2"}, {Name: "npm", Version: "7"}}
			new.Parts.Deps = []Dep{{Name: "node", Version: "1"}, {Name: "node", Version: "3"}}
		}, "dep node@2 removed, dep npm removed, dep node@3 added"},
		{"the order of deps", func(old, new *Record) {
			old.Parts.Deps, new.Parts.Deps = []Dep{{Name: "a"}, {Name: "b"}}, []Dep{{Name: "b"}, {Name: "a"}}
		}, "order of deps changed"},
		{"metadata", func(old, new *Record) {
			old.Parts.Metadata = metadata.Table{"arch": "amd64", "gone": "x", "same": "x", "os": metadata.Table{"name": "a", "b": metadata.Table{"c": ""}}}
			new.Parts.Metadata = metadata.Table{"arch": "arm64", "here": "x", "same": "x", "os": metadata.Table{"name": "a", "b": metadata.Table{"c": "x"}}}
		}, `metadata arch amd64 -> arm64, metadata gone removed, metadata here added and 1 more`},
		{"nested metadata", func(old, new *Record) {
			old.Parts.Metadata = metadata.Table{"os": metadata.Table{"b": metadata.Table{"c": ""}}}
			new.Parts.Metadata = metadata.Table{"os": metadata.Table{"b": metadata.Table{"c": "x"}}}
		}, `metadata os.b.c "" -> x`},
		{"metadata that has become a table", func(old, new *Record) {
			old.Parts.Metadata = metadata.Table{"os": "x"}
			new.Parts.Metadata = metadata.Table{"os": metadata.Table{}}
		}, "metadata os changed"},
		{"an environment variable", func(old, new *Record) {
			old.Parts.Env = []step.EnvFile{{Dir: "env", Name: "NODE_ENV", Value: "production", Op: "override"}}
			new.Parts.Env = []step.EnvFile{{Dir: "env", Name: "NODE_ENV", Value: "development", Op: "override"}}
		}, "env NODE_ENV production -> development"},
		{"an environment variable's op", func(old, new *Record) {
			old.Parts.Env = []step.EnvFile{{Dir: "env.build", Name: "A", Op: "append", Delim: ":"}}
			new.Parts.Env = []step.EnvFile{{Dir: "env.build", Name: "A", Op: "override"}, {Dir: "env", Name: "A"}}
		}, "env.build A: op append -> override, env.build A: delim removed, env A added"},
		{"a variable that a build argument makes", func(old, new *Record) {
			old.Parts.Env = []step.EnvFile{{Dir: "env.launch", Name: "REV", Value: "hunter2"}, {Dir: "env.launch", Name: "B", Value: "1"}}
			new.Parts.Env = []step.EnvFile{{Dir: "env.launch", Name: "REV", Value: "hunter3"}, {Dir: "env.launch", Name: "B", Value: "2"}}
			new.Args = map[string][]string{EnvPart("env.launch", "REV"): {"REV", "OTHER"}}
		}, "env.launch REV changed (build arg OTHER, REV), env.launch B 1 -> 2"},
		{"a variable that a build argument made", func(old, new *Record) {
			old.Parts.Env, new.Parts.Env = []step.EnvFile{{Dir: "env", Name: "REV", Value: "hunter2"}}, []step.EnvFile{{Dir: "env", Name: "REV", Value: "x"}}
			old.Args = map[string][]string{EnvPart("env", "REV"): {"REV"}}
		}, "env REV changed (build arg REV)"},
		{"a variable that stays", func(old, new *Record) {
			old.Parts.Env = []step.EnvFile{{Dir: "env", Name: "REV", Value: "x"}}
			new.Parts.Env = old.Parts.Env
			new.Args = map[string][]string{EnvPart("env", "REV"): {"REV"}}
		}, ""},
		{"a dep that a build argument chooses", func(old, new *Record) {
			old.Parts.Deps = []Dep{{Name: "node", Version: "hunter2", URI: "https://a/1"}, {Name: "npm", Version: "1"}, {Name: "same", Version: "hunter2"}}
			new.Parts.Deps = []Dep{{Name: "node", Version: "hunter2", URI: "https://a/2"}, {Name: "npm", Version: "2"}, {Name: "same", Version: "hunter2"}}
			old.Args = map[string][]string{DepPart("node"): {"V"}, DepPart("same"): {"V"}}
		}, "dep node changed (build arg V), dep npm 1 -> 2"},
		{"profile scripts", func(old, new *Record) {
			old.Parts.Profile, new.Parts.Profile = []string{"a", "b"}, []string{"a", "c", "d"}
		}, "profile script (2) changed, profile script (3) added"},
		{"a new link", func(old, new *Record) { new.Parts.Links = []Link{{Name: "nodejs"}} }, "link nodejs added"},
		{"a variable of a link", func(old, new *Record) {
			old.Parts.Links = []Link{{Name: "nodejs", PathAs: "A", VersionAs: "V"}}
			new.Parts.Links = []Link{{Name: "nodejs", PathAs: "B", MetadataAs: "M"}}
		}, "link nodejs: path-as A -> B, link nodejs: version-as removed, link nodejs: metadata-as added"},
		{"a symbolic link of a linked layer", func(old, new *Record) {
			old.Parts.Links = []Link{{Name: "modules", AppSymlinks: map[string]string{"a": "b", "c": "d"}}}
			new.Parts.Links = []Link{{Name: "modules", AppSymlinks: map[string]string{"a": "x", "e": "f"}}}
		}, "link modules: app-symlink a b -> x, link modules: app-symlink c removed, link modules: app-symlink e added"},
		{"version and content of links", func(old, new *Record) {
			old.Parts.LinkVersions, new.Parts.LinkVersions = map[string]string{"nodejs": "1"}, map[string]string{"nodejs": "2"}
			old.Parts.LinkContents, new.Parts.LinkContents = map[string]string{"npm": digestA}, map[string]string{"npm": digestB}
		}, "version of link nodejs 1 -> 2, content of link npm ab12ab12ab12… -> cd34cd34cd34…"},
		{"the build image", func(old, new *Record) {
			old.Parts.BuildImage, new.Parts.BuildImage = "sha256:"+digestA, "sha256:"+digestB
		}, "build image sha256:ab12ab12ab12… -> sha256:cd34cd34cd34…"},
		{"build args, of which no digest is shown", func(old, new *Record) {
			old.Parts.PlatformEnv = map[string]string{"FOO": digestA, "GONE": digestA}
			new.Parts.PlatformEnv = map[string]string{"FOO": digestB, "HERE": digestA}
		}, "build arg FOO changed, build arg GONE removed, build arg HERE added"},
		{"user and platform", func(old, new *Record) {
			old.Parts.User, new.Parts.User = "0:0", "1000:1000"
			old.Parts.Platform, new.Parts.Platform = "linux/amd64", "linux/arm64"
		}, "user 0:0 -> 1000:1000, platform linux/amd64 -> linux/arm64"},
		{"secrets and ssh", func(old, new *Record) {
			old.Parts.Secrets, new.Parts.Secrets = []string{"npm::A", "x::"}, []string{"npm::B"}
			new.Parts.SSH = []string{"default"}
		}, "variables of secret npm changed, secret x removed, ssh default added"},
		{"switches", func(old, new *Record) { new.Parts.Network, new.Parts.Restore, old.Parts.LockApp = "none", true, true },
			"network added, restore false -> true, lock-app true -> false"},
		{"the rest", func(old, new *Record) {
			old.Parts.Setups, new.Parts.Setups = []Script{{Digest: "1"}}, []Script{{Digest: "2"}}
			old.Parts.Layer, new.Parts.Layer = "/layers/a/b", "/layers/a/c"
			new.Parts.Contract = 1
		}, "setup script changed, folder of the layer /layers/a/b -> /layers/a/c, step contract 0 -> 1"},
		{"more than a line has room for", func(old, new *Record) {
			new.Parts = Parts{Version: "1", Inputs: "1x", User: "x", Platform: "x", Network: "x"}
		}, "version added, inputs added, user added and 2 more"},
		{"long values", func(old, new *Record) { old.Parts.User, new.Parts.User = "x", long },
			"user x -> " + strings.Repeat("ä", 60) + "…"},
		{"values that look the same when they are short", func(old, new *Record) { old.Parts.User, new.Parts.User = long+"a", long+"b" },
			"user changed"},
		{"values that would write elsewhere on a terminal", func(old, new *Record) { old.Parts.User, new.Parts.User = "a\n\x1b[2Jb", "\u202ec\xff" },
			`user "a\n\x1b[2Jb" -> "\u202ec\xff"`},
		{"names that would", func(old, new *Record) {
			new.Parts.Metadata = metadata.Table{"a\rb": "", "\u2028": ""}
			new.Parts.Links = []Link{{Name: "a b"}}
		}, `metadata "a\rb" added, metadata "\u2028" added, link "a b" added`},
		{"files that would", func(old, new *Record) {
			old.Parts.Inputs, new.Parts.Inputs = digestA, digestB
			old.Files, new.Files = map[string]string{"a\nb": "1"}, map[string]string{"\x07": "2"}
		}, `inputs ab12ab12ab12… -> cd34cd34cd34… (new: "\a", gone: "a\nb")`},
		{"names of which only the end differs", func(old, new *Record) {
			old.Parts.Links, new.Parts.Links = []Link{{Name: long + "a"}}, []Link{{Name: long + "b"}}
		}, "link " + strings.Repeat("ä", 60) + "… removed, link " + strings.Repeat("ä", 60) + "… added"},
	} {
		t.Run(test.name, func(t *testing.T) {
			changes := Changes(change(test.make))
			if got := Why(changes); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if test.want == "" && changes != nil {
				t.Errorf("got %v, want nil", changes)
			}
		})
	}
}

func TestAChangeHasTheValuesAsTheyAre(t *testing.T) {
	old := Record{Parts: Parts{Version: digestA, PlatformEnv: map[string]string{"A": digestA}}, Files: map[string]string{}}
	new := Record{Parts: Parts{Version: digestB, PlatformEnv: map[string]string{"A": digestB, "B": digestA}, User: "0"}, Files: map[string]string{"a": "1"}}
	want := []Change{
		{Part: "version", Old: digestA, New: digestB, Files: []string{"new: a"}},
		{Part: "build arg A"},
		{Part: "build arg B", How: Added},
		{Part: "user", How: Added, New: "0"},
	}
	if diff := cmp.Diff(want, Changes(old, new)); diff != "" {
		t.Error(diff)
	}
}

// fill sets everything that a value is made of.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Map:
		value := reflect.New(v.Type().Elem()).Elem()
		fill(value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("key"), value)
	default:
		other(v)
	}
}

// other gives a value that has no parts another one.
func other(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int:
		v.SetInt(v.Int() + 1)
	case reflect.Interface:
		text, _ := v.Interface().(string)
		v.Set(reflect.ValueOf(text + "x"))
	default:
		panic("a test does not know fields of kind " + v.Kind().String())
	}
}

// eachPart calls f for everything that v is made of, each time with only that set to another value.
func eachPart(path string, v reflect.Value, f func(path string)) {
	switch v.Kind() {
	case reflect.Pointer:
		eachPart(path, v.Elem(), f)
	case reflect.Struct:
		for i := range v.NumField() {
			eachPart(path+"."+v.Type().Field(i).Name, v.Field(i), f)
		}
	case reflect.Slice:
		eachPart(path+"[0]", v.Index(0), f)
	case reflect.Map:
		key := reflect.ValueOf("key")
		before := v.MapIndex(key)
		value := reflect.New(v.Type().Elem()).Elem()
		value.Set(before)
		other(value)
		v.SetMapIndex(key, value)
		f(path + "[key]")
		v.SetMapIndex(key, before)
	default:
		before := reflect.New(v.Type()).Elem()
		before.Set(v)
		other(v)
		f(path)
		v.Set(before)
	}
}

func TestEveryPartOfAKeyIsCompared(t *testing.T) {
	check := func(path string, old, new Record) {
		t.Helper()
		for _, changes := range [][]Change{Changes(old, new), Changes(new, old)} {
			if len(changes) == 0 {
				t.Errorf("%s: no change was found", path)
			}
		}
		if key(t, old) == key(t, new) {
			t.Errorf("%s: the keys are the same", path)
		}
	}
	for i := range reflect.TypeFor[Parts]().NumField() {
		var old, new Record
		fill(reflect.ValueOf(&new.Parts).Elem().Field(i))
		check(reflect.TypeFor[Parts]().Field(i).Name+" is there", old, new)
	}
	var old, new Record
	fill(reflect.ValueOf(&old.Parts).Elem())
	fill(reflect.ValueOf(&new.Parts).Elem())
	if changes := Changes(old, new); changes != nil {
		t.Errorf("equal parts have changes %v", changes)
	}
	eachPart("Parts", reflect.ValueOf(&new.Parts).Elem(), func(path string) { check(path, old, new) })
}

func key(t *testing.T, r Record) string {
	t.Helper()
	key, err := r.Parts.Key()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestALineStaysShort(t *testing.T) {
	var old, new Record
	long := strings.Repeat("\x1b", 1<<20)
	new.Parts.Metadata = metadata.Table{long: "x"}
	old.Parts.Version, new.Parts.Version = digestA, digestB
	old.Files, new.Files = map[string]string{}, map[string]string{}
	for i := range 10 {
		new.Files[fmt.Sprint(i, long)] = "x"
	}
	new.Parts.Links = []Link{{Name: long, PathAs: long}}
	for i := range 100 {
		new.Parts.Deps = append(new.Parts.Deps, Dep{Name: fmt.Sprint(i)})
	}
	checkLine(t, Why(Changes(old, new)))
}

// checkLine checks that a text can be a line of a log.
func checkLine(t *testing.T, text string) {
	t.Helper()
	if len(text) > 10_000 || !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Errorf("no line for a log: %d bytes, %.200q", len(text), text)
	}
}

func TestChangedArgumentsAreThoseThatStepsSee(t *testing.T) {
	old, new := change(func(old, new *Record) {
		old.Parts.PlatformEnv = map[string]string{"A": "1", "GONE": "1", "SAME": "1"}
		new.Parts.PlatformEnv = map[string]string{"A": "2", "HERE": "1", "SAME": "1"}
		old.Parts.User, new.Parts.User = "0:0", "1:1"
	})
	changes := Changes(old, new)
	if diff := cmp.Diff([]string{"A", "GONE", "HERE"}, ChangedArgs(changes)); diff != "" || len(changes) != 4 {
		t.Error(diff, changes)
	}
}
