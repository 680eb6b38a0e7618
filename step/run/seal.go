package run

import (
	"path/filepath"
	"time"

	"github.com/packfile/frontend/layer"
)

// sealTree makes a layer of the one in TreeDir, with another time.
func (r *runner) sealTree() error {
	return layer.SealTree(r.tree, r.sealed, time.Unix(r.spec.Time, 0))
}

// sealLayer makes a layer of LAYER, at its place in SealedDir.
func (r *runner) sealLayer() error {
	place, err := filepath.Rel(r.root, r.spec.LayerDir)
	if err != nil {
		return err
	}
	owner := r.spec.User
	if err := layer.SealFolder(r.spec.LayerDir, r.sealed, place, owner.UID, owner.GID, time.Unix(r.spec.Time, 0)); err != nil {
		return err
	}
	// What is there no more need not be written to the disk.
	return removeContent(r.spec.LayerDir)
}
