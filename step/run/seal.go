package run

import (
	"path/filepath"
	"time"

	"github.com/packfile/frontend/layer"
	"github.com/packfile/frontend/step"
)

// sealTree copies the layer in TreeDir and gives its files another time.
func (r *runner) sealTree(task step.Seal) error {
	return layer.SealTree(r.tree, r.sealed, time.Unix(task.Time, 0))
}

// sealLayer makes a layer of LAYER, at its place in SealedDir.
func (f *filler) sealLayer() error {
	place, err := filepath.Rel(f.root, f.layerDir)
	if err != nil {
		return err
	}
	owner := f.task.User
	if err := layer.SealFolder(f.layerDir, f.sealed, place, owner.UID, owner.GID, time.Unix(f.task.Time, 0)); err != nil {
		return err
	}
	// Removed files need not be written to the disk.
	return removeContent(f.layerDir)
}
