package run

import (
	"context"
	"fmt"
	"time"

	fscopy "github.com/tonistiigi/fsutil/copy"
)

// seal copies a layer as its run step left it, with one time for all files.
func (r *runner) seal() error {
	if err := checkContent(r.tree, ""); err != nil {
		return err
	}
	t := time.Unix(r.spec.Time, 0)
	// The one that matters is in every copy, or the image would not be what was built; others are in no image.
	attributes := func(_, _, name string, err error) error {
		if name == "security.capability" {
			return err
		}
		return nil
	}
	err := fscopy.Copy(context.Background(), r.tree, "/", r.sealed, "/",
		fscopy.WithCopyInfo(fscopy.CopyInfo{CopyDirContents: true, Utime: &t, XAttrErrorHandler: attributes}))
	if err != nil {
		return fmt.Errorf("copy of the layer: %w", err)
	}
	return nil
}
