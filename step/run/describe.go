package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/packfile/frontend/layer"
	"github.com/packfile/frontend/measure"
	"github.com/packfile/frontend/step"
)

// describe writes a result for each layer, with the metadata of the step that made it, and the packages, if its result is there.
func (r *runner) describe(task step.Describe) error {
	var eg errgroup.Group
	eg.SetLimit(runtime.GOMAXPROCS(0))
	for i, name := range task.Trees {
		eg.Go(func() error {
			result, err := r.describeTree(strconv.Itoa(i), time.Unix(task.Time, 0))
			if err == nil {
				result.Missing, err = missing(filepath.Join(r.tree, strconv.Itoa(i)), task.Targets[i])
			}
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			return r.reportTree(i, result)
		})
	}
	return eg.Wait()
}

func (r *runner) describeTree(number string, t time.Time) (result step.Result, err error) {
	ran, err := readRunResult(filepath.Join(r.runResult, number))
	if err != nil {
		return result, err
	}
	result.Metadata, result.Installed = ran.Metadata, ran.Installed
	id, err := layer.Describe(filepath.Join(r.tree, number), t)
	result.DiffID = id.String()
	return result, err
}

// missing returns those of some paths that a layer does not have. A path behind a symlink that leads out of the layer is not among
// them: what is there is known only in the image.
func missing(layer string, paths []string) (none []string, err error) {
	if len(paths) == 0 {
		return nil, nil
	}
	root, err := os.OpenRoot(layer)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	for _, p := range paths {
		if _, err := root.Lstat(p); errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
			none = append(none, p)
		}
	}
	return none, nil
}

// readRunResult returns the result of the step that made a layer, an empty one when it is not there.
func readRunResult(path string) (ran step.Result, err error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return ran, nil
	}
	if err != nil {
		return ran, err
	}
	if err := measure.DecodeJSON(data, measure.Record, &ran); err != nil {
		return ran, fmt.Errorf("%s: %w", path, err)
	}
	return ran, nil
}
