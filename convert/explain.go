package convert

import (
	"github.com/packfile/frontend/layerkey"
)

// Unknown is the action of a layer whose fate depends on what another comes out as, and that is not built to find out.
const Unknown Action = "unknown"

// Explanation is what becomes of a layer, and why.
type Explanation struct {
	Layer   string            `json:"layer"`
	Version string            `json:"version,omitempty"`
	Action  Action            `json:"action"`
	Why     string            `json:"why,omitempty"`
	Changes []layerkey.Change `json:"changes,omitempty"`
}

// Explain says what becomes of each layer, in group order and then in file order, as far as that is known.
func (b *Build) Explain(f Facts) ([]Explanation, error) {
	explanations := []Explanation{}
	for _, l := range b.layers {
		d, err := b.decide(l, f)
		if err != nil {
			return nil, err
		}
		e := Explanation{Layer: b.shown(l), Action: Unknown}
		switch {
		case d != nil:
			e.Action, e.Why, e.Changes = d.Action, d.why(), d.Changes
		case f.status(l) == open:
			e.Why = "its version depends on layers that have to be built first"
		default:
			e.Why = "reused if the layers that it links, which have to be built, come out as they were"
		}
		if f.status(l) == settled {
			e.Version = f.version(l)
		}
		explanations = append(explanations, e)
	}
	return explanations, nil
}

// needsBuilding says whether something that l links, directly or not, would have to be built for l to see it.
func (b *Build) needsBuilding(l *layer, f Facts) (bool, error) {
	for _, k := range l.links {
		if k.layer == nil {
			continue
		}
		d, err := b.decide(k.layer, f)
		if err != nil {
			return false, err
		}
		if d == nil || d.Action == Made || d.Action == Kept {
			return true, nil
		}
	}
	return false, nil
}
