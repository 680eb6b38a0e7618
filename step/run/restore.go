package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// A layer with restore = true finds what its last run on this builder left. RestoreDir, a cache mount, keeps that in
// these folders. A build can be killed at any moment, so the content of "current" is whole at all times: it is only ever
// put there, and taken away from there, by a rename.
const (
	restoreCurrent = "current"
	restoreNext    = "next" // being written; worth nothing until it is renamed
	restoreOld     = "old"  // being replaced; the last whole content if there is no current
)

// restoreLayer copies what was left to LAYER.
func (f *filler) restoreLayer() error {
	current, old := filepath.Join(f.restore, restoreCurrent), filepath.Join(f.restore, restoreOld)
	if _, err := os.Lstat(current); errors.Is(err, fs.ErrNotExist) {
		err := os.Rename(old, current)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // first run
		}
		if err != nil {
			return fmt.Errorf("restore: %w", err)
		}
	}
	if err := copyTree(current, f.layerDir); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	return nil
}

// saveLayer leaves LAYER for the next run.
func (f *filler) saveLayer() error {
	current := filepath.Join(f.restore, restoreCurrent)
	next := filepath.Join(f.restore, restoreNext)
	old := filepath.Join(f.restore, restoreOld)
	if err := f.replaceSaved(current, next, old); err != nil {
		return fmt.Errorf("save for restore: %w", err)
	}
	return nil
}

func (f *filler) replaceSaved(current, next, old string) error {
	for _, leftover := range []string{next, old} {
		if err := removeAll(leftover); err != nil {
			return err
		}
	}
	if err := os.Mkdir(next, 0o755); err != nil {
		return err
	}
	if err := copyTree(f.layerDir, next); err != nil {
		return err
	}
	if err := os.Rename(current, old); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(next, current); err != nil {
		return err
	}
	return removeAll(old)
}
