package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/packfile/frontend/layer"
	"github.com/packfile/frontend/measure"
	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/step"
)

// describe writes a result for each layer, with the metadata of its run step if that is there.
func (r *runner) describe(task step.Describe) error {
	var eg errgroup.Group
	eg.SetLimit(runtime.GOMAXPROCS(0))
	for i, name := range task.Trees {
		eg.Go(func() error {
			result, err := r.describeTree(strconv.Itoa(i), time.Unix(task.Time, 0))
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			return r.reportTree(i, result)
		})
	}
	return eg.Wait()
}

func (r *runner) describeTree(number string, t time.Time) (result step.Result, err error) {
	if result.Metadata, err = readRunResult(filepath.Join(r.runResult, number)); err != nil {
		return result, err
	}
	id, err := layer.Describe(filepath.Join(r.tree, number), t)
	result.DiffID = id.String()
	return result, err
}

// readRunResult returns the metadata that a run step left, nil when its result is not there.
func readRunResult(path string) (metadata.Table, error) {
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
