package graph

import (
	"slices"

	"github.com/packfile/frontend/layerkey"
)

// Unknown is the action of a layer whose fate depends on the content of another one, which is not built just to find out.
const Unknown Action = "unknown"

// WhyRetimed is what there is to tell of a layer that is reused and gets another time.
const WhyRetimed = "downloaded and copied: its files get another time than they have in the previous image"

// Explanation is what becomes of a layer, and why.
type Explanation struct {
	Layer   string            `json:"layer"`
	Version string            `json:"version,omitempty"`
	Action  Action            `json:"action"`
	Why     string            `json:"why,omitempty"`
	Changes []layerkey.Change `json:"changes,omitempty"`
}

// Explain returns what becomes of each layer, in group order and then in file order, as far as that is known.
func (d *Decisions) Explain() []Explanation {
	explanations, retimed := []Explanation{}, d.Retimed()
	for _, l := range d.Layers {
		made := d.of(l).decision
		e := Explanation{Layer: d.Shown(l), Action: Unknown}
		switch {
		case made != nil:
			e.Action, e.Why, e.Changes = made.Action, made.Why(), made.Changes
			if slices.Contains(retimed, e.Layer) {
				e.Why = WhyRetimed
			}
		case d.of(l).status == open:
			e.Why = "its version depends on layers that have to be built first"
		default:
			e.Why = "reused if the layers that it links, which have to be built, come out as they were"
		}
		if d.of(l).status == settled {
			e.Version = d.facts.version(l)
		}
		explanations = append(explanations, e)
	}
	return explanations
}
