package run

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	"github.com/containerd/containerd/v2/pkg/archive"
	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"github.com/packfile/frontend/measure"
	"github.com/packfile/frontend/step"
)

// describe writes a result for each of several layers, with what the run step said of it if that is there.
func (r *runner) describe() error {
	var eg errgroup.Group
	eg.SetLimit(runtime.GOMAXPROCS(0))
	for i, name := range r.spec.Trees {
		eg.Go(func() error {
			result, err := r.describeTree(strconv.Itoa(i))
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			return r.reportTree(i, result)
		})
	}
	return eg.Wait()
}

func (r *runner) describeTree(number string) (result step.Result, err error) {
	dir := filepath.Join(r.tree, number)
	if result.Metadata, err = readRunResult(filepath.Join(r.runResult, number)); err != nil {
		return result, err
	}
	if result.DiffID = notedDigest(dir, r.spec.Time); result.DiffID != "" {
		return result, nil
	}
	if err := checkContent(dir, ""); err != nil {
		return result, err
	}
	result.DiffID, err = digestLayer(dir)
	return result, err
}

// readRunResult is the metadata that a run step left, nil when its result is not there.
func readRunResult(path string) (map[string]any, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var ran step.Result
	if err := measure.DecodeJSON(data, measure.Record, &ran); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
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
