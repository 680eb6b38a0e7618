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
	s, err := b.fates(f)
	if err != nil {
		return nil, err
	}
	explanations := []Explanation{}
	for _, l := range b.layers {
		d := s.decided[l]
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
