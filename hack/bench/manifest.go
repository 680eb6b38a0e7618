package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"strings"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// imageSize is the size of an image's compressed layers in bytes.
func (b *bench) imageSize(ref string) (float64, error) {
	image, err := b.image(ref)
	if err != nil {
		return 0, err
	}
	size := 0.0
	for _, l := range image.Layers {
		size += float64(l.Size)
	}
	return size, nil
}

// image is the manifest that the registry has of an image, for this machine's platform.
func (b *bench) image(ref string) (ocispecs.Manifest, error) {
	_, name, _ := strings.Cut(ref, "/")
	name, tag, _ := strings.Cut(name, ":")
	var found struct {
		ocispecs.Manifest
		Manifests []ocispecs.Descriptor
	}
	if err := b.manifest(name, tag, &found); err != nil {
		return found.Manifest, err
	}
	for _, m := range found.Manifests {
		if m.Platform != nil && m.Platform.OS == "linux" && m.Platform.Architecture == runtime.GOARCH {
			if err := b.manifest(name, m.Digest.String(), &found); err != nil {
				return found.Manifest, err
			}
			break
		}
	}
	if len(found.Layers) == 0 {
		return found.Manifest, fmt.Errorf("%s has no layers for this machine", ref)
	}
	return found.Manifest, nil
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
