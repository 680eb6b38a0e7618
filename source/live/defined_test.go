package live

import (
	"testing"

	bk "github.com/moby/buildkit/client/llb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/source"
)

func TestASourceFloatsWhenItsDefinitionDoesNotSayItsContent(t *testing.T) {
	const commit = "0123456789abcdef0123456789abcdef01234567"
	sum := digest.FromString("x")
	pinned := bk.Image("registry.example.com/a@" + sum.String())
	made := pinned.Run(bk.Shlex("make"), bk.AddSecret("/s")).Root().File(bk.Mkfile("/a", 0o644, []byte("x")))
	for name, test := range map[string]struct {
		st   bk.State
		want string
	}{
		"what steps make of an image with a digest": {made, ""},
		"two such images":             {bk.Merge([]bk.State{made, bk.Diff(pinned, made)}), ""},
		"an OCI layout":               {bk.OCILayout("registry.example.com/a@"+sum.String(), bk.OCIStore("session", "store")), ""},
		"a commit":                    {bk.Git("https://example.com/a.git", commit), ""},
		"a folder of a commit":        {bk.Git("https://example.com/a.git", commit, bk.GitSubDir("sub")), ""},
		"a checked branch":            {bk.Git("https://example.com/a.git", "main", bk.GitChecksum(commit)), ""},
		"a file with a checksum":      {bk.HTTP("https://example.com/a", bk.Checksum(sum)), ""},
		"a tag":                       {bk.Image("registry.example.com/a:1"), "image registry.example.com/a:1 without a digest"},
		"a folder":                    {pinned.File(bk.Copy(bk.Local("context"), "/", "/")), `the client's folder "context"`},
		"a folder that a step mounts": {pinned.Run(bk.Shlex("make"), bk.AddMount("/src", bk.Local("my folder"))).Root(), `the client's folder "my folder"`},
		"a branch":                    {bk.Git("https://user:secret@example.com/a.git", "main"), "Git repository example.com/a.git#main without the hash of a commit"},
		"a file":                      {bk.HTTP("https://user:secret@example.com/a"), "file https://xxxxx:xxxxx@example.com/a without a checksum"},
	} {
		t.Run(name, func(t *testing.T) {
			ops, err := llb.OperationsOf(t.Context(), test.st)
			if err != nil {
				t.Fatal(err)
			}
			if got := floatingSource(ops); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestWhatOperationsMakeIsKnownByThemAndByItsConfig(t *testing.T) {
	of := func(st bk.State, env string) source.Resolved {
		t.Helper()
		is := source.Resolved{Repository: "registry.example.com/a", Config: new(dockerspec.DockerOCIImage)}
		is.Config.Config.Env = []string{env}
		if err := resolveDefined(t.Context(), st, &is); err != nil {
			t.Fatal(err)
		}
		return is
	}
	image := bk.Image("registry.example.com/a@" + digest.FromString("x").String())
	one := of(image, "A=1")
	if !one.Defined || !one.Exact || one.Floating != "" || one.Repository != "" || one.Digest == "" {
		t.Errorf("%+v", one)
	}
	if again := of(image, "A=1"); again.Digest != one.Digest {
		t.Error("the same has two digests")
	}
	for what, other := range map[string]source.Resolved{"environment": of(image, "A=2"), "operation": of(image.File(bk.Mkdir("/a", 0o755)), "A=1")} {
		if other.Digest == one.Digest {
			t.Errorf("another %s has the same digest", what)
		}
	}
	layout := func(session string) bk.State {
		return bk.OCILayout("registry.example.com/a@"+digest.FromString("x").String(), bk.OCIStore(session, "store"))
	}
	if of(layout("one"), "").Digest != of(layout("two"), "").Digest {
		t.Error("an OCI layout is another one in each session of the client")
	}
	if folder := of(bk.Local("context"), ""); folder.Exact || folder.Floating == "" || !folder.Defined {
		t.Errorf("%+v", folder)
	}
}
