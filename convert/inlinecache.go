package convert

import (
	digest "github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/llb"
)

// InlineCache is the inline cache of a finished image, by which later builds take its layers over by reference. It is nil
// when there are none.
func (d *Decisions) InlineCache(img *Image) ([]byte, error) {
	if d.in.Layering.Flat {
		return nil, nil
	}
	var base []digest.Digest
	if d.in.Run.Config != nil {
		base = d.in.Run.Config.RootFS.DiffIDs
	}
	var ids []digest.Digest
	for _, l := range img.layers {
		id, err := d.diffID(l)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	records, err := llb.References(ids, len(base))
	if err != nil {
		return nil, err
	}
	return d.addMaterials(records)
}
