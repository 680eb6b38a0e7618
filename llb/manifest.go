package llb

import (
	"errors"
	"fmt"
	"slices"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/platforms"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/measure"
)

// MaxManifest is the size of the largest manifest whose cache BuildKit imports, in bytes (readBlob in
// cache/remotecache/import.go).
const MaxManifest = 1 << 20

// ManifestTypes are the media types that ParseManifest reads.
var ManifestTypes = []string{
	ocispecs.MediaTypeImageIndex, ocispecs.MediaTypeImageManifest, images.MediaTypeDockerSchema2ManifestList, images.MediaTypeDockerSchema2Manifest,
}

// imageConfigs are the media types of configs of images, as opposed to build caches.
var imageConfigs = []string{ocispecs.MediaTypeImageConfig, images.MediaTypeDockerSchema2Config}

// Manifest is a manifest of an image, or an index of several.
type Manifest struct {
	Config    *ocispecs.Descriptor  `json:"config"`
	Layers    []ocispecs.Descriptor `json:"layers"`
	Manifests []ocispecs.Descriptor `json:"manifests"` // of an index
}

// ParseManifest reads a manifest or an index as BuildKit does, whatever its media type says (DetectManifestBlobMediaType
// in util/imageutil/config.go). It fails if the data is both.
func ParseManifest(data []byte) (m Manifest, err error) {
	if len(data) > MaxManifest {
		return m, fmt.Errorf("its manifest has more than %d bytes", MaxManifest)
	}
	if err := measure.DecodeJSON(data, measure.Record, &m); err != nil {
		return m, fmt.Errorf("its manifest cannot be read: %w", err)
	}
	if m.Manifests != nil && (m.Config != nil || m.Layers != nil) {
		return m, errors.New("its manifest is an index as well")
	}
	return m, nil
}

// Index reports whether it is an index, and not the manifest of one image.
func (m Manifest) Index() bool { return m.Config == nil }

// For returns the digest of the manifest that BuildKit takes from an index for a platform (Manifest in
// containerd/core/images/image.go), and the other manifests. The digest is "" when no manifest names that platform.
func (m Manifest) For(p ocispecs.Platform) (own digest.Digest, others []ocispecs.Descriptor) {
	match := platforms.Only(p)
	best := -1
	for i, d := range m.Manifests {
		if d.Platform == nil || !match.Match(*d.Platform) {
			continue
		}
		if best < 0 || match.Less(*d.Platform, *m.Manifests[best].Platform) {
			best = i
		}
	}
	if best < 0 {
		return "", m.Manifests
	}
	own = m.Manifests[best].Digest
	for _, d := range m.Manifests {
		if d.Digest != own {
			others = append(others, d)
		}
	}
	return own, others
}

// CheckImport fails unless it is the manifest of the image with a config, so that BuildKit imports by the manifest's
// digest what InlineCache returns for the config.
func (m Manifest) CheckImport(config []byte) error {
	switch {
	case m.Index():
		return errors.New("its manifest is an index in an index")
	case m.Config.Digest != digest.FromBytes(config):
		return errors.New("its manifest is that of another image")
	case m.Config.Size != int64(len(config)): // BuildKit allocates what the size says
		return errors.New("its manifest gives its config another size")
	case !slices.Contains(imageConfigs, m.Config.MediaType):
		return errors.New("its manifest is that of a build cache")
	}
	img, err := parseConfig(config)
	if err != nil {
		return err
	}
	if len(m.Layers) != len(img.Rootfs.DiffIDs) {
		return fmt.Errorf("its manifest has %d layers, and its config %d", len(m.Layers), len(img.Rootfs.DiffIDs))
	}
	for _, l := range m.Layers {
		if len(l.URLs) > 0 {
			return errors.New("its manifest has a layer that is somewhere else")
		}
	}
	return nil
}

// InlineCache returns the inline cache that BuildKit imports from the image with a config, nil when it has none.
//
// It fails if the image has fewer entries in its history than layers. BuildKit v0.34.2 panics on such an image, and all
// builds of the daemon end with it.
func InlineCache(config []byte) ([]byte, error) {
	img, err := parseConfig(config)
	if err != nil {
		return nil, err
	}
	described := 0
	for _, h := range img.History {
		if !h.EmptyLayer {
			described++
		}
	}
	if img.Cache != nil && described < len(img.Rootfs.DiffIDs) {
		return nil, fmt.Errorf("its history tells of %d layers, and it has %d", described, len(img.Rootfs.DiffIDs))
	}
	return img.Cache, nil
}

// CheckInlineCache fails if the image with a config has an inline cache with anything but References and Materials.
func CheckInlineCache(config []byte) error {
	img, err := parseConfig(config)
	if err != nil || img.Cache == nil {
		return err
	}
	_, _, err = Referenced(img.Cache, img.Rootfs.DiffIDs, nil)
	return err
}

// ErrConfig is the error for a config that BuildKit cannot read when it imports its inline cache.
var ErrConfig = errors.New("its build cache cannot be read")

// imageConfig has the fields of a config that BuildKit reads when it imports its inline cache. The type is BuildKit's, in
// cache/remotecache/import.go: another type would read other fields of a config that has several of nearly the same name.
type imageConfig struct {
	Rootfs struct {
		DiffIDs []digest.Digest `json:"diff_ids"`
	} `json:"rootfs"`
	Cache   []byte `json:"moby.buildkit.cache.v0"` // InlineCacheField
	History []struct {
		EmptyLayer bool `json:"empty_layer,omitempty"`
	} `json:"history,omitempty"`
}

func parseConfig(config []byte) (img imageConfig, err error) {
	if err := measure.DecodeJSON(config, measure.Record, &img); err != nil {
		return img, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return img, nil
}
