package frontend

import (
	"context"
	"errors"
	"os"
	"path"
	"path/filepath"
	"testing"

	gw "github.com/moby/buildkit/frontend/gateway/client"
	fstypes "github.com/tonistiigi/fsutil/types"

	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/tree"
)

// failingRef is a folder of this machine as the daemon would show it, but for one call, which fails as a daemon or a network
// does that has enough to do.
type failingRef struct {
	gw.Reference
	root  string
	calls int
	fails int // which call fails, from 1
}

var errTransient = errors.New("rpc error: code = Unavailable desc = try again")

func (r *failingRef) call() error {
	if r.calls++; r.calls == r.fails {
		return errTransient
	}
	return nil
}

func (r *failingRef) ReadDir(_ context.Context, req gw.ReadDirRequest) ([]*fstypes.Stat, error) {
	if err := r.call(); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(filepath.Join(r.root, req.Path))
	var found []*fstypes.Stat
	for _, e := range entries {
		if ok, _ := path.Match(req.IncludePattern, e.Name()); ok || req.IncludePattern == "" {
			info, err := e.Info()
			if err != nil {
				return nil, err
			}
			found = append(found, statOf(info))
		}
	}
	return found, err
}

func (r *failingRef) StatFile(_ context.Context, req gw.StatRequest) (*fstypes.Stat, error) {
	if err := r.call(); err != nil {
		return nil, err
	}
	info, err := os.Stat(filepath.Join(r.root, req.Path))
	if err != nil {
		return nil, err
	}
	return statOf(info), nil
}

func (r *failingRef) ReadFile(_ context.Context, req gw.ReadRequest) ([]byte, error) {
	if err := r.call(); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(r.root, req.Filename))
}

func statOf(info os.FileInfo) *fstypes.Stat {
	return &fstypes.Stat{Path: info.Name(), Mode: uint32(info.Mode()), Size: info.Size()}
}

// Whichever of the calls by which something is read fails, the error is told: a file that could not be read is not a file that
// is not there.
func TestATransientErrorIsNeverReadAsNotThere(t *testing.T) {
	const packfileText = "[config]\nid = \"m\"\nversion = \"1\"\n[[layers]]\nname = \"a\"\n[layers.build.run]\npath = \"run.sh\"\n" +
		"[[layers.build.deps]]\nname = \"d\"\nversion = \"1\"\nuri = \"https://example.com/d\"\nsha = \"" +
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"\n"
	loaderOf := func() *loader {
		return &loader{build: &build{opts: options{requestID: "none"}}}
	}
	open := func(bp packfile.Buildpack) func(context.Context, tree.Folder) error {
		return func(ctx context.Context, f tree.Folder) error {
			_, err := loaderOf().readPackage(ctx, f, "module", bp, true)
			return err
		}
	}
	for name, test := range map[string]struct {
		files map[string]string
		read  func(context.Context, tree.Folder) error
	}{
		"a .dockerignore": {map[string]string{".dockerignore": "x"}, func(ctx context.Context, f tree.Folder) error {
			_, err := readIgnore(ctx, f, ".dockerignore")
			return err
		}},
		"no .dockerignore": {nil, func(ctx context.Context, f tree.Folder) error {
			_, err := readIgnore(ctx, f, "deep/.dockerignore")
			return err
		}},
		"a module and its files": {map[string]string{"packfile.toml": packfileText, "run.sh": "x", "deps/d@1": ""}, open(packfile.Buildpack{})},
		"a module without deps":  {map[string]string{"packfile.toml": packfileText, "run.sh": "x"}, open(packfile.Buildpack{})},
		"a buildpackage": {map[string]string{
			"cnb/package.toml": "[default]\nid = \"m\"\n", "cnb/buildpacks/m/1/packfile.toml": packfileText, "cnb/buildpacks/m/1/run.sh": "x",
		}, open(packfile.Buildpack{})},
		"a buildpackage of the first draft": {map[string]string{"cnb/by-id/m/1/packfile.toml": packfileText, "cnb/by-id/m/1/run.sh": "x"}, open(packfile.Buildpack{})},
		"a file beside a module": {map[string]string{"modules/file": "x"}, func(ctx context.Context, f tree.Folder) error {
			_, _, err := loaderOf().statModule(ctx, f, "modules/file/none")
			return err
		}},
		"a script that is there": {map[string]string{"bin/run.sh": "x"}, func(ctx context.Context, f tree.Folder) error {
			u := &unit{Module: &module.Module{}, folder: f}
			_, err := u.readScript(ctx, &packfile.Script{Path: "bin/run.sh"})
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			for file, text := range test.files {
				name := filepath.Join(root, file)
				if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			healthy := &failingRef{root: root}
			if err := test.read(t.Context(), tree.Folder{Files: files{healthy}}); err != nil || healthy.calls == 0 {
				t.Fatalf("without an error: %v, %d calls", err, healthy.calls)
			}
			for i := range healthy.calls {
				err := test.read(t.Context(), tree.Folder{Files: files{&failingRef{root: root, fails: i + 1}}})
				if err == nil {
					t.Errorf("call %d of %d failed, and nothing says so", i+1, healthy.calls)
				}
			}
		})
	}
}
