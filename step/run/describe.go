package run

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/containerd/containerd/v2/pkg/archive"
	"github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/step"
)

// describe says what a layer holds, as steps see it and as the image has it, and what its run step said of it.
func (r *runner) describe() (step.Result, error) {
	var result step.Result
	content, err := digestLayer(r.tree)
	if err != nil {
		return result, err
	}
	result.Content, result.DiffID = content, content
	switch _, err := os.Stat(r.timed); {
	case err == nil:
		if result.DiffID, err = digestLayer(r.timed); err != nil {
			return result, err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return result, err
	}
	data, err := os.ReadFile(r.runResult)
	if errors.Is(err, fs.ErrNotExist) {
		return result, nil
	}
	if err != nil {
		return result, err
	}
	var ran step.Result
	if err := json.Unmarshal(data, &ran); err != nil {
		return result, fmt.Errorf("%s: %w", r.runResult, err)
	}
	result.Metadata = ran.Metadata
	return result, nil
}

// digestLayer is the digest of the uncompressed tar of a layer with everything below dir. BuildKit writes layers with the
// same code, so this is the diff id that it gives them.
func digestLayer(dir string) (string, error) {
	h := sha256.New()
	if err := archive.WriteDiff(context.Background(), h, "", dir); err != nil {
		return "", fmt.Errorf("digest of the layer in %s: %w", dir, err)
	}
	return digest.NewDigest(digest.SHA256, h).String(), nil
}
