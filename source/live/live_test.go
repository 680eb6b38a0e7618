package live

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerui"
	gw "github.com/moby/buildkit/frontend/gateway/client"
	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	fstypes "github.com/tonistiigi/fsutil/types"

	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/source"
	"github.com/packfile/frontend/tree"
	"github.com/packfile/frontend/tree/treetest"
)

// fakeClient is the client of a build, and a registry.
type fakeClient struct {
	gw.Client
	opts   map[string]string
	images map[string]string // configs, by reference
}

func (c fakeClient) BuildOpts() gw.BuildOpts {
	return gw.BuildOpts{Opts: c.opts, SessionID: "session", Caps: gwpb.Caps.CapSet(gwpb.Caps.All()), LLBCaps: pb.Caps.CapSet(pb.Caps.All())}
}

func (c fakeClient) ResolveImageConfig(_ context.Context, ref string, _ sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	config, ok := c.images[ref]
	if !ok {
		return "", "", nil, errors.New("no match for platform in manifest")
	}
	return ref, digest.FromString(config), []byte(config), nil
}

// Solve is called by dockerui, which gets no files: the tests look at what goes through a door's Solve.
func (c fakeClient) Solve(context.Context, gw.SolveRequest) (*gw.Result, error) {
	res := gw.NewResult()
	res.SetRef(noFiles{})
	return res, nil
}

type noFiles struct{ gw.Reference }

func (noFiles) StatFile(context.Context, gw.StatRequest) (*fstypes.Stat, error) {
	return nil, errors.New("no such file or directory")
}

func (noFiles) ReadFile(context.Context, gw.ReadRequest) ([]byte, error) {
	return nil, errors.New("no such file or directory")
}

func (c fakeClient) Inputs(context.Context) (map[string]bk.State, error) { return nil, nil }

var linux = ocispecs.Platform{OS: "linux", Architecture: "amd64"}

// doorOf returns a door of a build with options. All that it looks into has the given files.
func doorOf(t *testing.T, opts, images map[string]string, files treetest.Files) *Door {
	t.Helper()
	client := fakeClient{opts: opts, images: images}
	ui, err := dockerui.NewClient(client)
	if err != nil {
		t.Fatal(err)
	}
	d := New(client, ui, func(context.Context, *bk.Definition) (tree.Files, error) { return treetest.New(files), nil })
	st := bk.Local("dockerfile", bk.SessionID("session"))
	d.packfile = &dockerui.Source{SourceMap: bk.NewSourceMap(&st, "sub/packfile.toml", "TOML", nil)}
	return d
}

// sourceOf returns the only source of a state.
func sourceOf(t *testing.T, st bk.State) *pb.SourceOp {
	t.Helper()
	ops, err := llb.OperationsOf(t.Context(), st)
	if err != nil {
		t.Fatal(err)
	}
	return ops[0].GetSource()
}

const config = `{"os":"linux","architecture":"amd64","config":{"Env":["A=b"]}}`

func TestANamedImageIsPinnedOnlyWhenItsConfigIsToBeBelieved(t *testing.T) {
	d := doorOf(t, map[string]string{"context:run-image": "docker-image://registry.example.com/run:1"}, map[string]string{"registry.example.com/run:1": config}, nil)
	sum := digest.FromString(config)
	for pinned, want := range map[bool]string{true: "docker-image://registry.example.com/run:1@" + sum.String(), false: "docker-image://registry.example.com/run:1"} {
		st, is, err := d.Resolve(t.Context(), source.Context{Name: "run-image", Platform: linux, Pinned: pinned})
		if err != nil {
			t.Fatal(err)
		}
		if got := sourceOf(t, st).Identifier; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if is.Digest != sum || !is.Exact || is.Repository != "registry.example.com/run" || is.Given != "registry.example.com/run:1" || is.Config.Config.Env[0] != "A=b" {
			t.Errorf("%+v", is)
		}
	}
}

func TestAContextThatCannotBeHadIsSaidByItsName(t *testing.T) {
	d := doorOf(t, map[string]string{"context:previous": "docker-image://registry.example.com/none"}, nil, nil)
	if _, _, err := d.Resolve(t.Context(), source.Context{Name: "other", Platform: linux}); !errors.Is(err, source.ErrNotGiven) {
		t.Error(err)
	}
	_, _, err := d.Resolve(t.Context(), source.Context{Name: "previous", Platform: linux})
	want := "named context previous: registry.example.com/none: there is no image for linux/amd64 among those of that name"
	if !errors.As(err, new(*source.ContextError)) || err.Error() != want {
		t.Error(err)
	}
}

func TestAFolderOfTheClientIsSentWithoutWhatItsDockerignoreNames(t *testing.T) {
	opts := map[string]string{"context:a": "local:a"}
	d := doorOf(t, opts, nil, treetest.Files{".dockerignore": "secret\n"})
	st, _, err := d.Resolve(t.Context(), source.Context{Name: "a", Platform: linux, Ignored: true})
	if err != nil {
		t.Fatal(err)
	}
	if got := sourceOf(t, st).Attrs[pb.AttrExcludePatterns]; got != `["secret"]` {
		t.Error(got)
	}
	d = doorOf(t, opts, nil, treetest.Files{".dockerignore": "["})
	if _, _, err := d.Resolve(t.Context(), source.Context{Name: "a", Platform: linux, Ignored: true}); err == nil || !strings.Contains(err.Error(), "pattern") {
		t.Errorf("a .dockerignore that means nothing: %v", err)
	}
}

func TestTheAppIsKnownByWhatItComesFrom(t *testing.T) {
	const commit = "0123456789abcdef0123456789abcdef01234567"
	for name, test := range map[string]struct {
		opts map[string]string
		app  source.App
		want source.AppOrigin
		not  string // what is left out
	}{
		"a folder":                   {nil, source.App{}, source.AppOrigin{Folder: "context"}, `["x","**/.git"]`},
		"a folder with its .git":     {nil, source.App{KeepGitDir: true}, source.AppOrigin{Folder: "context"}, `["x"]`},
		"a named folder":             {map[string]string{"context:context": "local:other"}, source.App{}, source.AppOrigin{Folder: "other"}, `["x","**/.git"]`},
		"a branch":                   {map[string]string{"context": "https://example.com/a.git#main:sub"}, source.App{}, source.AppOrigin{Repository: "https://example.com/a.git", Subfolder: "sub"}, ""},
		"a commit":                   {map[string]string{"context": "https://example.com/a.git#" + commit}, source.App{}, source.AppOrigin{Repository: "https://example.com/a.git", Pinned: "a Git commit, named by its hash"}, ""},
		"an image with a tag":        {map[string]string{"context:context": "docker-image://registry.example.com/app:1"}, source.App{}, source.AppOrigin{}, ""},
		"an image with its digest":   {map[string]string{"context:context": "docker-image://registry.example.com/app@" + digest.FromString(config).String()}, source.App{}, source.AppOrigin{Pinned: "an image, named by its digest"}, ""},
		"a file named as the app is": {map[string]string{"context:context": "https://example.com/app.tgz"}, source.App{}, source.AppOrigin{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if test.opts == nil {
				test.opts = map[string]string{}
			}
			d := doorOf(t, test.opts, map[string]string{"registry.example.com/app:1": config, "registry.example.com/app@" + digest.FromString(config).String(): config}, treetest.Files{".dockerignore": "x"})
			test.app.Platform = linux
			st, is, err := d.Resolve(t.Context(), test.app)
			if err != nil {
				t.Fatal(err)
			}
			if is.App.Ignore.Name != ".dockerignore" {
				t.Errorf("%+v", is.App.Ignore)
			}
			is.App.Ignore = source.IgnoreFile{}
			if diff := cmp.Diff(test.want, is.App); diff != "" {
				t.Error(diff)
			}
			if (is.Stable == nil) != (test.want.Pinned != "") {
				t.Errorf("stable: %v", is.Stable)
			}
			if test.want.Folder == "" {
				return
			}
			now, ever := sourceOf(t, st).Attrs, sourceOf(t, *is.Stable).Attrs
			if now[pb.AttrExcludePatterns] != test.not || now[pb.AttrLocalSessionID] != "session" {
				t.Error(now)
			}
			delete(now, pb.AttrLocalSessionID)
			delete(ever, pb.AttrLocalUniqueID) // llb.KeyedView has another one
			if diff := cmp.Diff(now, ever); diff != "" {
				t.Error("the stable form differs in more than the session:", diff)
			}
		})
	}
}

func TestOnlyWhatIsNamedBesideThePackfileIsAskedOfTheClient(t *testing.T) {
	d := doorOf(t, map[string]string{}, nil, nil)
	st, _, err := d.Resolve(t.Context(), source.Beside{Paths: []string{"run.sh", "deps"}, Mode: "u=rw"})
	if err != nil {
		t.Fatal(err)
	}
	if got := sourceOf(t, st).Attrs[pb.AttrIncludePatterns]; !strings.Contains(got, "sub") || !strings.Contains(got, "run.sh") || !strings.Contains(got, "deps") {
		t.Error(got)
	}
}

func TestAFileIsAskedForAsItIsWanted(t *testing.T) {
	sum := digest.FromString("x")
	st, is, err := doorOf(t, map[string]string{}, nil, nil).Resolve(t.Context(), source.File{
		URI: "https://example.com/a", Digest: sum, File: "a", Mode: 0o644, Owner: &llb.Owner{UID: 7, GID: 8}, Accept: []string{"b", "c"},
	})
	if err != nil || is.Digest != sum || !is.Exact {
		t.Fatal(is, err)
	}
	want := map[string]string{
		pb.AttrHTTPChecksum: sum.String(), pb.AttrHTTPFilename: "a", pb.AttrHTTPPerm: "0644", pb.AttrHTTPUID: "7", pb.AttrHTTPGID: "8",
		pb.AttrHTTPHeaderPrefix + "accept": "b, c",
	}
	if diff := cmp.Diff(want, sourceOf(t, st).Attrs); diff != "" {
		t.Error(diff)
	}
	if st, err = Make(source.File{URI: "https://example.com/a", File: "a"}); err != nil || len(sourceOf(t, st).Attrs) != 1 {
		t.Error(sourceOf(t, st).Attrs, err)
	}
	if _, err := Make(source.App{}); err == nil {
		t.Error("the app takes a look-up")
	}
}
