package module

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	bk "github.com/moby/buildkit/client/llb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/source"
	"github.com/packfile/frontend/tree"
	"github.com/packfile/frontend/tree/treetest"
)

// fakeWorld is a build whose files are in memory.
type fakeWorld struct {
	root     treetest.Files            // beside the packfile being built
	contexts map[string]treetest.Files // named contexts
	remote   map[string]treetest.Files // images, repositories and downloads
	archives map[string]treetest.Files // what is in archives, by path
	labels   map[string]string         // of all images

	mu       sync.Mutex
	resolved []source.Source
	folders  map[string]tree.Folder // by what state they are of
	warned   []string
}

// state returns a state with files. States are told apart by the text of a file.
func (w *fakeWorld) state(name string, files treetest.Files) bk.State {
	st := bk.Scratch().File(bk.Mkfile("/name", 0o644, []byte(name)))
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.folders == nil {
		w.folders = map[string]tree.Folder{}
	}
	if _, known := w.folders[idOf(st)]; !known {
		w.folders[idOf(st)] = tree.Folder{State: st, Files: treetest.New(files)}
	}
	return st
}

// idOf returns an id that tells states apart.
func idOf(st bk.State) string {
	id, err := treeID(context.Background(), tree.Folder{State: st})
	if err != nil {
		panic(err)
	}
	return id
}

func (w *fakeWorld) Resolve(_ context.Context, s source.Source) (none bk.State, is source.Resolved, err error) {
	wanted := s.Wanted()
	w.mu.Lock()
	w.resolved = append(w.resolved, s)
	w.mu.Unlock()
	files, ok := w.remote[wanted.Ref]
	switch wanted.Kind {
	case source.ContextKind:
		if files, ok = w.contexts[wanted.Ref]; !ok {
			return none, is, source.ErrNotGiven
		}
	case source.ImageKind:
		is.Config = &dockerspec.DockerOCIImage{Config: dockerspec.DockerOCIImageConfig{ImageConfig: ocispecs.ImageConfig{Labels: w.labels}}}
	}
	if !ok {
		return none, is, errors.New("nobody is there")
	}
	return w.state(string(wanted.Kind)+" "+wanted.Ref, files), is, nil
}

func (w *fakeWorld) HasContext(id string) bool { return w.contexts[id] != nil }

func (w *fakeWorld) Root(context.Context, []string) (tree.Folder, error) {
	return w.Fetch(context.Background(), w.state("root", w.root))
}

func (w *fakeWorld) Fetch(_ context.Context, st bk.State) (tree.Folder, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.folders[idOf(st)], nil
}

func (w *fakeWorld) Unpack(_ context.Context, a Archive, _ string) (tree.Folder, error) {
	files, ok := w.archives[a.Path]
	if !ok {
		return tree.Folder{}, fmt.Errorf("%s is no archive", a.Path)
	}
	return w.Fetch(context.Background(), w.state("archive "+idOf(a.Tree)+a.Path, files))
}

func (w *fakeWorld) Show(*bk.SourceMap) {}

func (w *fakeWorld) Warn(_ context.Context, filename string, warnings []node.Diagnostic) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, d := range warnings {
		w.warned = append(w.warned, filename+": "+d.Message)
	}
}

// asked returns the sources of a kind that were asked for, sorted.
func (w *fakeWorld) asked(kind source.Kind) (refs []string) {
	for _, s := range w.resolved {
		if wanted := s.Wanted(); wanted.Kind == kind {
			refs = append(refs, wanted.Ref)
		}
	}
	slices.Sort(refs)
	return refs
}

// load finds the modules of a packfile.
func (w *fakeWorld) load(t *testing.T, text string) (Found, error) {
	t.Helper()
	pf, _, err := packfile.Parse("packfile.toml", []byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	root := &Module{Packfile: pf, Filename: "packfile.toml", Source: textOf("packfile.toml", []byte(text)), Files: bk.Scratch()}
	return Load(t.Context(), w, root, ocispecs.Platform{OS: "linux", Architecture: "amd64"})
}

// found loads modules, and returns their names with where they come from.
func (w *fakeWorld) found(t *testing.T, text string) []string {
	t.Helper()
	found, err := w.load(t, text)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range found.All {
		names = append(names, m.Name()+" "+m.Filename)
	}
	return names
}

// module returns a packfile of a module with a layer.
func module(id, version, more string) string {
	return fmt.Sprintf("[config]\nid = %q\nversion = %q\n%s\n[[layers]]\nname = \"a\"\n[layers.build.run]\ninline = \"x\"\n", id, version, more)
}

// in returns files put into a folder.
func in(dir string, all ...treetest.Files) treetest.Files {
	moved := treetest.Files{}
	for _, files := range all {
		for name, text := range files {
			moved[dir+"/"+name] = text
		}
	}
	return moved
}

// both returns the files of several folders.
func both(all ...treetest.Files) treetest.Files {
	merged := treetest.Files{}
	for _, files := range all {
		maps.Copy(merged, files)
	}
	return merged
}
