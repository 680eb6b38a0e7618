package image

import (
	"strings"
	"testing"

	bk "github.com/moby/buildkit/client/llb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/cnb/label"
	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/previous"
)

// appWith returns the config of an app image with one layer of its own besides those that every one has, and a run image below.
func appWith(t *testing.T, ids ...digest.Digest) *dockerspec.DockerOCIImage {
	t.Helper()
	top := digest.FromString("top")
	md := label.LifecycleMetadata{
		App: []label.Layer{{SHA: ids[0].String()}}, Config: label.Layer{SHA: ids[1].String()}, Launcher: label.Layer{SHA: ids[2].String()},
		RunImage: label.RunImage{TopLayer: top.String()},
	}
	cfg := &dockerspec.DockerOCIImage{}
	cfg.RootFS.DiffIDs = append([]digest.Digest{top}, ids...)
	cfg.Config.Labels = map[string]string{}
	if err := label.Set(cfg.Config.Labels, label.Lifecycle, md); err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestDiffIDsThatAreNoneAreRefused(t *testing.T) {
	run := container.Base{State: bk.Image("run"), Config: &dockerspec.DockerOCIImage{}}
	run.Config.RootFS.DiffIDs = []digest.Digest{digest.FromString("other")}
	app, config, launcher := digest.FromString("app"), digest.FromString("config"), digest.FromString("launcher")
	rebase := func(ids ...digest.Digest) error {
		cfg := appWith(t, ids...)
		_, err := Rebase(previous.Source{State: bk.Image("app"), Config: cfg, InlineCache: inlineCache(t, cfg)}, run)
		return err
	}
	// Only the history is missing from a whole image, so everything else has been checked.
	if err := rebase(app, config, launcher); err == nil || !strings.Contains(err.Error(), "fewer history entries") {
		t.Errorf("true digests: %v", err)
	}
	for _, id := range []digest.Digest{"", "x", "sha256:", "sha256:x", "md5:x"} {
		if err := rebase(app, config, id); err == nil || !strings.Contains(err.Error(), "it was changed after it was built") {
			t.Errorf("%q: %v", id, err)
		}
	}
}
