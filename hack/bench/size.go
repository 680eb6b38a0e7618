package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strings"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// launcherBinary is where hack/binaries.sh left what is in the frontend image.
const launcherBinary = ".dev/frontend/out/launcher"

// measureSizes is about what is downloaded: the frontend image, and the launcher in every app image.
func (b *bench) measureSizes() error {
	ours, err := b.imageSize(b.images.packfile)
	if err != nil {
		return err
	}
	theirs, err := b.imageSize(b.images.dockerfile)
	if err != nil {
		return err
	}
	launcher, err := os.Stat(launcherBinary)
	if err != nil {
		return err
	}
	under("frontend image, compressed", megabytes, ours, theirs, 20e6).print()
	under("launcher", megabytes, float64(launcher.Size()), 0, 3e6).print()
	return nil
}

// imageSize is the size of an image's compressed layers in bytes, for this machine's platform.
func (b *bench) imageSize(ref string) (float64, error) {
	_, name, _ := strings.Cut(ref, "/")
	name, tag, _ := strings.Cut(name, ":")
	var found struct {
		Manifests []ocispecs.Descriptor
		Layers    []ocispecs.Descriptor
	}
	if err := b.manifest(name, tag, &found); err != nil {
		return 0, err
	}
	for _, m := range found.Manifests {
		if m.Platform != nil && m.Platform.OS == "linux" && m.Platform.Architecture == runtime.GOARCH {
			if err := b.manifest(name, m.Digest.String(), &found); err != nil {
				return 0, err
			}
			break
		}
	}
	if len(found.Layers) == 0 {
		return 0, fmt.Errorf("%s has no layers for this machine", ref)
	}
	size := 0.0
	for _, l := range found.Layers {
		size += float64(l.Size)
	}
	return size, nil
}

func (b *bench) manifest(name, reference string, to any) error {
	req, err := http.NewRequestWithContext(b.ctx, http.MethodGet, fmt.Sprintf("http://%s/v2/%s/manifests/%s", b.images.registry, name, reference), nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", strings.Join([]string{
		ocispecs.MediaTypeImageIndex, ocispecs.MediaTypeImageManifest,
		"application/vnd.docker.distribution.manifest.list.v2+json", "application/vnd.docker.distribution.manifest.v2+json",
	}, ", "))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", req.URL, resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(to)
}
