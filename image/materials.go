package image

import (
	bk "github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/graph"
	"github.com/packfile/frontend/llb"
)

// Materials returns states that make the provenance of a build name the deps of layers that are reused and not built. Solving
// them downloads nothing. It returns none when the previous image cannot tell.
func Materials(d *graph.Decisions) ([]bk.State, error) {
	if prev := d.Previous; prev == nil || !prev.HasMaterials() || !prev.References() {
		return nil, nil
	}
	var states []bk.State
	for _, l := range d.Layers {
		if d.Runs(l) || d.Dropped(l) {
			continue
		}
		files, err := d.Fetched(l)
		if err != nil {
			return nil, err
		}
		if files != nil {
			states = append(states, llb.Materials(files, bk.WithCustomName(d.Name(l.ID, "deps, by name"))))
		}
	}
	return states, nil
}

// addMaterials adds to an inline cache what Materials needs in a later build.
func addMaterials(d *graph.Decisions, inlineCache []byte) ([]byte, error) {
	var sets [][]llb.Material
	for _, l := range d.Layers {
		if d.Dropped(l) {
			continue
		}
		files, err := d.Fetched(l)
		if err != nil {
			return nil, err
		}
		if files != nil {
			sets = append(sets, files)
		}
	}
	return llb.AddMaterials(inlineCache, sets)
}
