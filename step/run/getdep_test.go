package run

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/step"
)

func dep(name, version, file string) step.Dep {
	return step.Dep{Name: name, Version: version, URI: "https://example.com/" + name, SHA: "aa", File: file}
}

func TestGetDepPrintsThePathAndRecordsTheDependency(t *testing.T) {
	b := newBox(t, step.KindRun).script(`get-dep ruby; get-dep node 20 >/dev/null; echo later > $MD/later`)
	b.spec.Metadata = metadata.Table{"version": "2"}
	b.spec.Deps = []step.Dep{dep("ruby", "1", "/deps/1"), dep("ruby", "2", "/deps/2"), dep("node", "20", "/deps/node")}
	b.spec.Deps[1].Metadata = metadata.Table{"license": "Ruby", "more": metadata.Table{"a": "b"}}
	out := b.succeed()
	if out.stdout != "/deps/2\n" {
		t.Errorf("get-dep printed %q", out.stdout)
	}
	want := metadata.Table{
		"version": "2",
		"later":   "later",
		"deps": metadata.Table{
			"ruby@2": metadata.Table{"name": "ruby", "version": "2", "uri": "https://example.com/ruby", "sha": "aa",
				"metadata": metadata.Table{"license": "Ruby", "more": metadata.Table{"a": "b"}}},
			"node@20": metadata.Table{"name": "node", "version": "20", "uri": "https://example.com/node", "sha": "aa"},
		},
	}
	if diff := cmp.Diff(want, out.result.Metadata); diff != "" {
		t.Error(diff)
	}
}

func TestWhichDependencyGetDepTakes(t *testing.T) {
	ruby := []step.Dep{dep("ruby", "1", "/1"), dep("ruby", "2", "/2")}
	fetched := []step.Dep{dep("ruby", "1", ""), dep("ruby", "2", "/2")}
	for _, test := range []struct {
		name    string
		deps    []step.Dep
		version string // of the layer
		args    string
		want    string // path, or a part of the error
		fails   bool
	}{
		{name: "that of the layer's version", deps: ruby, version: "2\n", args: "ruby", want: "/2"},
		{name: "that of the version that was asked for", deps: ruby, version: "2", args: "ruby 1", want: "/1"},
		{name: "the only one", deps: ruby[:1], version: "9", args: "ruby", want: "/1"},
		{name: "the only one without a layer's version", deps: ruby[:1], args: "ruby", want: "/1"},
		{name: "none, when there are several and none is the layer's", deps: ruby, version: "3", args: "ruby", fails: true,
			want: "get-dep: there are several versions of ruby (1, 2), and none is the layer's version (3): say get-dep ruby VERSION"},
		{name: "none, when there are several and the layer has no version", deps: ruby, args: "ruby", fails: true,
			want: "none is the layer's version (none)"},
		{name: "none of a version that there is not", deps: ruby, args: "ruby 3", fails: true,
			want: "get-dep: there is no ruby of version 3, only of 1, 2"},
		{name: "none of an empty version", deps: ruby[:1], args: "ruby ", fails: true, want: "get-dep: VERSION is empty"},
		{name: "none of an unknown name", deps: append(ruby, dep("node", "1", "/n")), args: "rbuy", fails: true,
			want: `get-dep: there is no dependency "rbuy": this layer declares ruby, node`},
		{name: "none where none is declared", args: "ruby", fails: true, want: `there is no dependency "ruby": this layer declares none`},
		{name: "none that was not fetched", deps: fetched, version: "2", args: "ruby 1", fails: true,
			want: "get-dep: ruby@1 was not fetched: only ruby@2 was, because it is the layer's version"},
		{name: "none when nothing was fetched", deps: fetched[:1], args: "ruby", fails: true, want: "ruby@1 was not fetched\n"},
		{name: "none that would be recorded elsewhere", deps: []step.Dep{dep("../x", "1", "/1")}, args: "../x", fails: true,
			want: `"../x@1" cannot be the name of a file`},
		{name: "none without a name", deps: ruby, args: "", fails: true, want: "usage: get-dep NAME [VERSION]"},
		{name: "none with too many arguments", deps: ruby, args: "ruby 1 2", fails: true, want: "usage: get-dep NAME [VERSION]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBox(t, step.KindRun)
			b.spec.Deps = test.deps
			b.mkdir(step.OutDir + "/md")
			if test.version != "" {
				b.write(step.OutDir+"/md/version", test.version)
			}
			var args []string
			if test.args != "" {
				args = strings.Split(test.args, " ")
			}
			stdout, stderr, code := b.get(args...)
			switch {
			case !test.fails && (code != 0 || stderr != "" || stdout != test.want+"\n"):
				t.Errorf("exit code %d, %q, %q", code, stdout, stderr)
			case test.fails && (code != 1 || stdout != "" || !strings.Contains(stderr, test.want)):
				t.Errorf("exit code %d, %q, %q, want %q", code, stdout, stderr, test.want)
			}
			if test.fails && b.exists(step.OutDir+"/md/deps") && !strings.Contains(test.want, "cannot be") {
				t.Error("something was recorded")
			}
		})
	}
}

func TestGetDepIsNotForSetupsOfCaches(t *testing.T) {
	b := newSetupBox(t)
	b.spec.Deps = []step.Dep{dep("ruby", "1", "/1")}
	b.write(step.SpecDir+"/setup", "get-dep ruby")
	b.fail(1, "get-dep: it works only in scripts that have $MD")
}
