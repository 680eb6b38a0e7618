package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// A layer with restore = true starts from the content that its last run on this builder left. RestoreDir, a cache mount,
// keeps that content in these folders. A build can be killed at any moment, so "current" is complete at all times: only
// renames put content there, or remove it.
const (
	restoreCurrent = "current"
	restoreNext    = "next" // being written; not complete until it is renamed
	restoreOld     = "old"  // being replaced; the last complete content if there is no current
)

// restoreLayer copies the saved content to LAYER.
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

// saveLayer saves LAYER for the next run.
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
