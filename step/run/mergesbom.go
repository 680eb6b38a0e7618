package run

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/packfile/frontend/sbom/merge"
	"github.com/packfile/frontend/step"
)

// mergeSBOM adds our SPDX document to that of an SBOM generator.
func (r *runner) mergeSBOM(task step.MergeSBOM) error {
	ours, err := os.ReadFile(filepath.Join(r.input, step.SBOMFile))
	if err != nil {
		return err
	}
	if err := merge.Folder(r.found, ours, filepath.Join(r.out, step.MergedDir)); err != nil {
		return fmt.Errorf("SBOM generator %s: %w", task.Generator, err)
	}
	return nil
}
