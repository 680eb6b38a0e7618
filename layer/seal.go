package layer

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	fscopy "github.com/tonistiigi/fsutil/copy"
)

// SealTree makes a layer of everything below folder tree: a copy in folder sealed, which exists and is empty, with time
// t. It reads and copies all files. It fails if something cannot be in an image.
func SealTree(tree, sealed string, t time.Time) error {
	if err := CheckContent(tree, ""); err != nil {
		return err
	}
	return seal(tree, sealed, ".", true, t)
}

// SealFolder makes a layer that has folder dir at a place, a relative path: a copy in folder sealed, which exists and is
// empty, with time t. The folders above the place belong to uid and gid. It reads and copies all files. It fails if
// something cannot be in an image.
func SealFolder(dir, sealed, place string, uid, gid int, t time.Time) error {
	if err := CheckContent(dir, dir); err != nil {
		return err
	}
	var above []string
	for folder := filepath.Dir(place); folder != "."; folder = filepath.Dir(folder) {
		above = append(above, filepath.Join(sealed, folder))
	}
	for _, folder := range slices.Backward(above) {
		if err := os.Mkdir(folder, 0o755); err != nil {
			return err
		}
		if err := os.Chown(folder, uid, gid); err != nil {
			return err
		}
	}
	return seal(dir, sealed, place, false, t, above...)
}

// seal copies a folder, or its contents, to a place in sealed, with one time for all files and for the folders above, and
// notes the digest of the layer.
func seal(dir, sealed, place string, contents bool, t time.Time, above ...string) error {
	// File capabilities must be in every copy, or the image would not be what was built; no image has other attributes.
	attributes := func(_, _, name string, err error) error {
		if name == "security.capability" {
			return err
		}
		return nil
	}
	err := fscopy.Copy(context.Background(), dir, "/", sealed, place,
		fscopy.WithCopyInfo(fscopy.CopyInfo{CopyDirContents: contents, Utime: &t, XAttrErrorHandler: attributes}))
	if err != nil {
		return fmt.Errorf("copy of the layer: %w", err)
	}
	for _, folder := range above {
		if err := os.Chtimes(folder, t, t); err != nil {
			return err
		}
	}
	id, err := Digest(sealed)
	if err != nil {
		return err
	}
	noteDigest(sealed, note{Time: t.Unix(), DiffID: id})
	return nil
}
