package run

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/containerd/containerd/v2/pkg/archive"
	"github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/step"
)

// describe writes a result for each of several layers, with what the run step said of it if that is there.
func (r *runner) describe() error {
	metadata, err := r.readRunResult()
	if err != nil {
		return err
	}
	for i, name := range r.spec.Trees {
		dir := filepath.Join(r.tree, strconv.Itoa(i))
		if err := checkContent(dir, ""); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		id, err := digestLayer(dir)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := r.reportTree(i, step.Result{DiffID: id, Metadata: metadata}); err != nil {
			return err
		}
	}
	return nil
}

// readRunResult is the metadata that the run step left, nil when its result is not there.
func (r *runner) readRunResult() (map[string]any, error) {
	data, err := os.ReadFile(r.runResult)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var ran step.Result
	if err := json.Unmarshal(data, &ran); err != nil {
		return nil, fmt.Errorf("%s: %w", r.runResult, err)
	}
	return ran.Metadata, nil
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
