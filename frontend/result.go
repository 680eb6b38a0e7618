package frontend

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	gw "github.com/moby/buildkit/frontend/gateway/client"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"

	"github.com/packfile/frontend/cnb/label"
	"github.com/packfile/frontend/convert"
	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/llb"
)

// keepInlineCache remembers an image's inline cache for finish.
func (b *build) keepInlineCache(img *dockerspec.DockerOCIImage, records []byte) {
	if records == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.inlineCaches[inlineCacheID(img)] = records
}

// inlineCacheID tells the images of a build apart.
func inlineCacheID(img *dockerspec.DockerOCIImage) string {
	return img.Config.Labels[label.Lifecycle] + img.Config.Labels[layerkey.LabelName]
}

// finish adds to a result what dockerui knows nothing of: annotations of the images' manifests, which are labels of the images,
// and the inline caches by which later builds find their layers; caches has them by inlineCacheID. BuildKit leaves those in the
// configs unless the user asks for an inline cache of its own, and an exporter that has no annotations passes them over.
func finish(res *gw.Result, caches map[string][]byte) error {
	for key, config := range maps.Clone(res.Metadata) {
		if key != exptypes.ExporterImageConfigKey && !strings.HasPrefix(key, exptypes.ExporterImageConfigKey+"/") {
			continue
		}
		var img dockerspec.DockerOCIImage
		if err := json.Unmarshal(config, &img); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		for name, value := range convert.Annotations(img.Config.Labels) {
			res.AddMeta(exptypes.AnnotationManifestKey(nil, name), []byte(value))
		}
		var err error
		if res.Metadata[key], err = withInlineCache(config, caches[inlineCacheID(&img)]); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	return nil
}

// withInlineCache is an image's config with records in it.
func withInlineCache(config, records []byte) ([]byte, error) {
	if records == nil {
		return config, nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(config, &fields); err != nil {
		return nil, err
	}
	var err error
	if fields[llb.InlineCacheField], err = json.Marshal(records); err != nil {
		return nil, err
	}
	return json.Marshal(fields)
}
