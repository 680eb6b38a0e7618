package graph

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	bk "github.com/moby/buildkit/client/llb"
	digest "github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/source"
	"github.com/packfile/frontend/step"
)

// folderDeps is a layer with a dep of every kind. Its version is known after its test.
const folderDeps = `
[[layers]]
name = "a"
[layers.build]
test.inline = "x"
run.inline = "x"
[[layers.build.deps]]
name = "image"
version = "{{.version}}"
uri = "docker://registry.example.com/image:{{.version}}"
platform = "linux/arm64"
[[layers.build.deps]]
name = "repository"
uri = "https://example.com/a.git#main:sub"
[[layers.build.deps]]
name = "context"
uri = "context:tool"
[[layers.build.deps]]
name = "image"
version = "other"
uri = "docker://registry.example.com/other"
`

var (
	looking  = fact.Question{Layer: "a", Kind: fact.LookedUp}
	fetching = fact.Question{Layer: "a", Kind: fact.Fetched}
)

// looked are facts after the look-up found these things.
func looked(image string, commit string, context source.Resolved) fact.Facts {
	return fact.Facts{
		{Layer: "a", Kind: fact.Tested}: {Result: step.Result{Metadata: metadata.Table{"version": "1"}}},
		looking: {Found: map[string]fact.Found{
			"image@1":    {Content: bk.Image("registry.example.com/image"), Resolved: source.Resolved{Digest: digest.FromString(image), Exact: true, Repository: "registry.example.com/image"}},
			"repository": {Content: bk.Git("https://example.com/a.git", "main:sub"), Resolved: source.Resolved{Commit: commit, Folder: "sub", Exact: true}},
			"context":    {Content: bk.Local("tool"), Resolved: context},
		}},
	}
}

func TestWhatFolderDepsAreIsLookedUpAfterTheTestAndBeforeAnythingIsFetched(t *testing.T) {
	b := newBuild(t, folderDeps)
	f := fact.Facts{}
	if got := b.decided(t, f).Questions(); len(got) != 1 || got[0].Kind != fact.Tested {
		t.Fatalf("first it asks %v", got)
	}
	f[fact.Question{Layer: "a", Kind: fact.Tested}] = fact.Answer{Result: step.Result{Metadata: metadata.Table{"version": "1"}}}
	d := b.decided(t, f)
	if got := d.Questions(); !slices.Equal(got, []fact.Question{looking}) {
		t.Fatalf("then it asks %v", got)
	}
	inquiries, err := d.Ask(t.Context(), []fact.Question{looking}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var wanted []string
	for id, s := range inquiries[0].Wanted {
		w := s.Wanted()
		platform := ""
		if w.Platform != nil {
			platform = w.Platform.Architecture
		}
		wanted = append(wanted, strings.TrimSpace(fmt.Sprintf("%s %s %s %d %s", id, w.Kind, w.Ref, w.At.Start.Line, platform)))
	}
	slices.Sort(wanted)
	want := []string{"context context tool 17 amd64", "image@1 image registry.example.com/image:1 10 arm64", "repository git https://example.com/a.git#main:sub 14"}
	if !slices.Equal(wanted, want) {
		t.Errorf("%q, want %q", wanted, want)
	}

	d = b.decided(t, looked("x", "c0", source.Resolved{Digest: digest.FromString("definition")}))
	if got := d.Questions(); !slices.Equal(got, []fact.Question{fetching}) {
		t.Errorf("after a folder was found it asks %v", got)
	}
	d = b.decided(t, looked("x", "c0", source.Resolved{Digest: digest.FromString("image"), Exact: true}))
	if got := d.Questions(); len(got) > 0 {
		t.Errorf("after an image was found it asks %v", got)
	}
}

func TestAKeyHasTheDigestTheCommitOrTheContentOfFolderDeps(t *testing.T) {
	b := newBuild(t, folderDeps)
	folder := source.Resolved{Digest: digest.FromString("definition")}
	with := func(f fact.Facts, content string) fact.Facts {
		return f.With(fact.Facts{fetching: {Result: step.Result{Metadata: metadata.Table{"context": content}}}})
	}
	first := b.recipe(t, named(b, "a"), with(looked("x", "c0", folder), "content"))
	var got []step.Content
	for _, dep := range first.record.Parts.Deps {
		got = append(got, dep.Content)
	}
	if want := []step.Content{
		{Image: "registry.example.com/image", Platform: "linux/arm64", Digest: digest.FromString("x").String()},
		{Commit: "c0"},
		{Digest: "content"},
		{}, // of another version
	}; !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	for i, m := range first.run.Mounts[:3] {
		if m.Dest != fmt.Sprint(step.DepsDir, "/", i) || m.Kind != llb.ReadOnly || m.ByKey != (i < 2) {
			t.Errorf("mount %+v", m)
		}
	}
	for name, f := range map[string]fact.Facts{
		"another digest":  with(looked("y", "c0", folder), "content"),
		"another commit":  with(looked("x", "c1", folder), "content"),
		"another content": with(looked("x", "c0", folder), "other"),
		"another kind":    looked("x", "c0", source.Resolved{Digest: digest.FromString("image"), Exact: true}),
	} {
		if b.recipe(t, named(b, "a"), f).record.Key == first.record.Key {
			t.Errorf("%s: the key is the same", name)
		}
	}
	same := looked("x", "c0", source.Resolved{Digest: digest.FromString("definition of another session")})
	if b.recipe(t, named(b, "a"), with(same, "content")).record.Key != first.record.Key {
		t.Error("the key depends on where the context comes from")
	}
}

func TestFolderDepsThatCannotBeWanted(t *testing.T) {
	f := fact.Facts{{Layer: "a", Kind: fact.Tested}: {Result: step.Result{Metadata: metadata.Table{"version": "1"}}}}
	for want, change := range map[string]func(*module.Module){
		`packfile0.toml:0:0: module packfile needs named context "tool", which it is not given (add contexts = ["tool"] to its entry)`: func(m *module.Module) { m.Grant = &module.Grant{} },
		`packfile0.toml:17:7: layer "a": dep context is a folder, and deps/context is a file: only a file can be replaced by one`: func(m *module.Module) {
			m.Offline = map[string]bool{"context": true}
		},
	} {
		b := newBuild(t, folderDeps)
		change(b.Modules[0])
		_, err := b.decided(t, f).Ask(t.Context(), []fact.Question{looking}, nil)
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestARepositoryIsPinnedByItsCommitInItsAddress(t *testing.T) {
	for address, want := range map[string]string{
		"https://example.com/a.git":                   "https://example.com/a.git#C",
		"https://example.com/a.git#main":              "https://example.com/a.git#C",
		"https://example.com/a.git#main:sub":          "https://example.com/a.git#C:sub",
		"git@example.com:a/b.git#:sub":                "git@example.com:a/b.git#C:sub",
		"https://example.com/a.git?ref=v1":            "https://example.com/a.git?ref=v1&checksum=C",
		"https://example.com/a.git?submodules=0#v1:x": "https://example.com/a.git?submodules=0&checksum=C#v1:x",
	} {
		if got := atCommit(address, "C"); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}
