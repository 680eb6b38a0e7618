package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client"
	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/secrets/secretsprovider"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	"github.com/opencontainers/go-digest"

	steps "github.com/packfile/frontend/container"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/step"
)

// installation is a step that installs packages, without a packfile around it.
type installation struct {
	names         []string
	image         *bk.State         // $PACKFILE_DEBIAN_IMAGE when nil
	sources, keys map[string]string // texts, by name
	host          string            // another daemon
	secret        []byte            // ca-certificates
	refresh       string            // another one is another step
}

// layer is what an installation makes.
type layer struct {
	diffID digest.Digest
	files  map[string]*tar.Header // without a slash at the end
	texts  map[string]string      // of small files
	result step.Result
	log    string
}

// debian is the image of Debian alone.
func debian(t *testing.T) bk.State {
	t.Helper()
	return bk.Image(env.debian)
}

// builder and packages are what the frontend would make of the installation.
func (i installation) packages(t *testing.T) (*steps.Builder, steps.Packages) {
	t.Helper()
	image := debian(t)
	if i.image != nil {
		image = *i.image
	}
	native := platforms.DefaultSpec()
	tools := bk.Image(env.frontend)
	b := steps.New(steps.Input{
		Platform: native, Tools: tools, Native: steps.Native{Platform: native, Tools: tools},
		App: steps.App{Tree: bk.Scratch()}, Owner: llb.Owner{UID: 1000, GID: 1000},
	})
	config := &dockerspec.DockerOCIImage{}
	config.Config.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
	p := steps.Packages{
		Base: steps.Base{State: image, Config: config}, Names: i.names, Name: "packages", Refresh: i.refresh,
	}
	for _, name := range slices.Sorted(maps.Keys(i.sources)) {
		p.Files.AddText(name, []byte(i.sources[name]))
		p.Sources = append(p.Sources, name)
	}
	for _, name := range slices.Sorted(maps.Keys(i.keys)) {
		p.Files.AddText(name, []byte(i.keys[name]))
		p.Keys = append(p.Keys, name)
	}
	return b, p
}

// solve builds a state and returns what its steps print. Its export may be nil.
func (i installation) solve(t *testing.T, st bk.State, export ...client.ExportEntry) (log string, err error) {
	t.Helper()
	c := clientOf(t, or(i.host, os.Getenv("BUILDKIT_HOST")))
	def, err := st.Marshal(t.Context(), bk.Platform(platforms.DefaultSpec()))
	if err != nil {
		t.Fatal(err)
	}
	secrets := map[string][]byte{}
	if i.secret != nil {
		secrets[step.CASecret] = i.secret
	}
	var text strings.Builder
	statuses := make(chan *client.SolveStatus)
	var wg sync.WaitGroup
	wg.Go(func() {
		for s := range statuses {
			for _, l := range s.Logs {
				text.Write(l.Data)
			}
		}
	})
	_, err = c.Solve(t.Context(), def, client.SolveOpt{
		Exports: export, Session: []session.Attachable{secretsprovider.FromMap(secrets)},
	}, statuses)
	wg.Wait()
	return text.String(), err
}

// layer makes a layer of packages.
func (i installation) layer(t *testing.T) layer {
	t.Helper()
	l, err := i.tryLayer(t)
	if err != nil {
		t.Fatalf("%v\n%s", err, l.log)
	}
	return l
}

// fails returns the exit code and the words of an installation that must not succeed.
func (i installation) fails(t *testing.T) (code int, log string) {
	t.Helper()
	l, err := i.tryLayer(t)
	if err == nil {
		t.Fatalf("it should have failed\n%s", l.log)
	}
	if _, after, ok := strings.Cut(err.Error(), "exit code: "); ok {
		fmt.Sscan(after, &code)
	}
	return code, l.log + err.Error()
}

func (i installation) tryLayer(t *testing.T) (layer, error) {
	t.Helper()
	var l layer
	b, p := i.packages(t)
	made, result, err := b.PackagesLayer(p)
	if err != nil {
		t.Fatal(err)
	}
	name := imageName(t)
	l.log, err = i.solve(t, made, client.ExportEntry{Type: client.ExporterImage, Attrs: map[string]string{
		"name": name, "push": "true", "oci-mediatypes": "true",
	}})
	if err != nil {
		return l, err
	}
	out := t.TempDir()
	if log, err := i.solve(t, result, client.ExportEntry{Type: client.ExporterLocal, OutputDir: out}); err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	data, err := os.ReadFile(filepath.Join(out, steps.ResultPath))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &l.result); err != nil {
		t.Fatal(err)
	}
	l.files, l.texts = map[string]*tar.Header{}, map[string]string{}
	pushed := pull(t, name)
	if ids := pushed.RootFS.DiffIDs; len(ids) > 0 {
		l.diffID = ids[0]
	}
	for _, desc := range pushed.manifest.Layers {
		l.read(t, pushed.blobData(t, desc.Digest))
	}
	return l, nil
}

// read reads the archive of a layer.
func (l *layer) read(t *testing.T, blob []byte) {
	t.Helper()
	plain, err := gzip.NewReader(bytes.NewReader(blob))
	if err != nil {
		t.Fatal(err)
	}
	archive := tar.NewReader(plain)
	for {
		h, err := archive.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		path := strings.TrimSuffix(h.Name, "/")
		l.files[path] = h
		if h.Size < 1<<20 {
			data, err := io.ReadAll(archive)
			if err != nil {
				t.Fatal(err)
			}
			l.texts[path] = string(data)
		}
	}
}

// names are the sorted paths of the layer.
func (l layer) names() (names []string) {
	for name := range l.files {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
