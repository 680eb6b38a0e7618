package run

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	fscopy "github.com/tonistiigi/fsutil/copy"
)

// sealTree makes a layer of the one in TreeDir, with another time.
func (r *runner) sealTree() error {
	if err := checkContent(r.tree, ""); err != nil {
		return err
	}
	return r.seal(r.tree, ".", true)
}

// sealLayer makes a layer of LAYER, at its place in SealedDir.
func (r *runner) sealLayer() error {
	if err := checkContent(r.spec.LayerDir, r.spec.LayerDir); err != nil {
		return err
	}
	place, err := filepath.Rel(r.root, r.spec.LayerDir)
	if err != nil {
		return err
	}
	owner := r.spec.User
	var above []string
	for dir := filepath.Dir(place); dir != "."; dir = filepath.Dir(dir) {
		above = append(above, filepath.Join(r.sealed, dir))
	}
	for _, dir := range slices.Backward(above) {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
		if err := os.Chown(dir, owner.UID, owner.GID); err != nil {
			return err
		}
	}
	if err := r.seal(r.spec.LayerDir, place, false, above...); err != nil {
		return err
	}
	// What is there no more need not be written to the disk.
	return removeContent(r.spec.LayerDir)
}

// seal copies a folder to a place in SealedDir, with one time for all files and for the folders above, and notes the digest of
// the layer.
func (r *runner) seal(dir, place string, contents bool, above ...string) error {
	t := time.Unix(r.spec.Time, 0)
	// The one that matters is in every copy, or the image would not be what was built; others are in no image.
	attributes := func(_, _, name string, err error) error {
		if name == "security.capability" {
			return err
		}
		return nil
	}
	err := fscopy.Copy(context.Background(), dir, "/", r.sealed, place,
		fscopy.WithCopyInfo(fscopy.CopyInfo{CopyDirContents: contents, Utime: &t, XAttrErrorHandler: attributes}))
	if err != nil {
		return fmt.Errorf("copy of the layer: %w", err)
	}
	for _, dir := range above {
		if err := os.Chtimes(dir, t, t); err != nil {
			return err
		}
	}
	id, err := digestLayer(r.sealed)
	if err != nil {
		return err
	}
	noteDigest(r.sealed, layerNote{Time: r.spec.Time, DiffID: id})
	return nil
}
