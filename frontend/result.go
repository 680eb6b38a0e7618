package frontend

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	"github.com/moby/buildkit/frontend/dockerui"
	gw "github.com/moby/buildkit/frontend/gateway/client"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/image"
	"github.com/packfile/frontend/llb"
)

// platformResult is all that a build returns for one platform. Whatever an index gets in addition becomes a field here, and part
// of the result in addTo.
type platformResult struct {
	dockerui.BuildResult                  // the image: its files, its config, and the config of its base
	inlineCache          []byte           // records by which later builds find the image's layers; nil for none
	attestations         []gw.Attestation // about the image
	tests                []tested         // of the image, when they were asked for
}

// results has a row for each platform, in the order in which the user named them.
type results []platformResult

// buildPlatforms builds for all platforms at the same time, and returns the result for the gateway. The first error ends it.
func buildPlatforms(ctx context.Context, ui *dockerui.Client, build func(ctx context.Context, index int) (*platformResult, error)) (*gw.Result, error) {
	rows := make(results, max(len(ui.TargetPlatforms), 1))
	one := func(ctx context.Context, _ *ocispecs.Platform, index int) (*dockerui.BuildResult, error) {
		row, err := build(ctx, index)
		if err != nil {
			return nil, err
		}
		rows[index] = *row
		return &row.BuildResult, nil
	}
	rb, err := ui.Build(ctx, platformBuild(one))
	if err != nil {
		return nil, err
	}
	res, err := rb.Finalize()
	if err != nil {
		return nil, err
	}
	if err := rows.addTo(res, ui.MultiPlatformRequested); err != nil {
		return nil, err
	}
	return res, checkResult(res)
}

// addTo adds to a result what dockerui does not know: attestations, inline caches, and the images' labels as annotations of their
// manifests. BuildKit leaves inline caches in the configs unless the user asks for an inline cache of its own. An exporter
// without annotations ignores them. With multi, the keys of configs in the result name platforms.
func (rows results) addTo(res *gw.Result, multi bool) error {
	built, err := exptypes.ParsePlatforms(res.Metadata) // in the order of rows, with the ids that dockerui gives them
	if err != nil {
		return err
	}
	for i, row := range rows {
		id := built.Platforms[i].ID
		for _, a := range row.attestations {
			res.AddAttestation(id, a)
		}
		for name, value := range image.Annotations(row.Image.Config.Labels) {
			res.AddMeta(exptypes.AnnotationManifestKey(nil, name), []byte(value))
		}
		key := exptypes.ExporterImageConfigKey
		if multi {
			key += "/" + id
		}
		if res.Metadata[key], err = withInlineCache(res.Metadata[key], row.inlineCache); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	return nil
}

// withInlineCache returns an image's config with records in it, unchanged when there are none.
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
