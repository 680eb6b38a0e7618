package testbed

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"

	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// Image is an image in a registry.
type Image struct {
	Name     string
	Digest   digest.Digest // of a manifest, or of the index that the name stands for
	Manifest ocispecs.Manifest
	Config   ocispecs.Image
}

// Size returns the size of the compressed layers in bytes.
func (i Image) Size() (size int64) {
	for _, l := range i.Manifest.Layers {
		size += l.Size
	}
	return size
}

// ReadImage reads an image by its name, HOST/REPOSITORY:TAG or HOST/REPOSITORY@DIGEST, over HTTP. From an index it takes the
// image for this machine. It does not read layers.
func ReadImage(ctx context.Context, name string) (Image, error) {
	i := Image{Name: name}
	data, err := ReadManifest(ctx, name)
	if err != nil {
		return i, err
	}
	i.Digest = digest.FromBytes(data)
	var index ocispecs.Index
	if err := json.Unmarshal(data, &index); err != nil {
		return i, fmt.Errorf("%s: %w", name, err)
	}
	for _, m := range index.Manifests {
		if m.Platform != nil && m.Platform.OS == "linux" && m.Platform.Architecture == runtime.GOARCH {
			if data, err = ReadManifest(ctx, repositoryOf(name)+"@"+m.Digest.String()); err != nil {
				return i, err
			}
			break
		}
	}
	if err := json.Unmarshal(data, &i.Manifest); err != nil {
		return i, fmt.Errorf("%s: %w", name, err)
	}
	if i.Manifest.Config.Digest == "" {
		return i, fmt.Errorf("%s is no image for this machine", name)
	}
	data, err = ReadBlob(ctx, name, i.Manifest.Config.Digest)
	if err != nil {
		return i, err
	}
	if err := json.Unmarshal(data, &i.Config); err != nil {
		return i, fmt.Errorf("config of %s: %w", name, err)
	}
	return i, nil
}

// ReadManifest reads the manifest or the index of a name.
func ReadManifest(ctx context.Context, name string) ([]byte, error) {
	host, path, _ := strings.Cut(repositoryOf(name), "/")
	reference := strings.TrimLeft(strings.TrimPrefix(name, host+"/"+path), ":@")
	return get(ctx, fmt.Sprintf("http://%s/v2/%s/manifests/%s", host, path, reference))
}

// ReadBlob reads a blob of the repository that an image is in.
func ReadBlob(ctx context.Context, name string, blob digest.Digest) ([]byte, error) {
	host, path, _ := strings.Cut(repositoryOf(name), "/")
	return get(ctx, fmt.Sprintf("http://%s/v2/%s/blobs/%s", host, path, blob))
}

// repositoryOf returns a name without its tag and digest. The host may have a port.
func repositoryOf(name string) string {
	name, _, _ = strings.Cut(name, "@")
	if colon := strings.LastIndex(name, ":"); colon > strings.LastIndex(name, "/") {
		name = name[:colon]
	}
	return name
}

// get reads a URL of a registry, with any kind of manifest accepted. It fails for any status but 200.
func get(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", strings.Join([]string{
		ocispecs.MediaTypeImageIndex, ocispecs.MediaTypeImageManifest,
		"application/vnd.docker.distribution.manifest.list.v2+json", "application/vnd.docker.distribution.manifest.v2+json",
	}, ", "))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", url, err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", url, resp.Status)
	}
	return data, nil
}
