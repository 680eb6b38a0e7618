package image

import "github.com/packfile/frontend/graph"

// MaxMounted is how many layers an image may have so that others can build on it. Container runtimes mount at most 127 or 128
// folders over one another, and a container takes one or two of them.
const MaxMounted = 125

// checkSaid fails when the image says more of its layers than it may. The error points at the layer that is too much. It goes by
// what is known by now: it is called before anything is built, and again when layers have been described.
func (s assembly) checkSaid() error {
	var said graph.Said
	if r, _ := s.packages.recorded(s); r != nil {
		said.Add(r)
	}
	for _, l := range s.Layers {
		if s.Dropped(l) {
			continue
		}
		r, err := s.Record(l)
		if err != nil {
			return err
		}
		if seen := s.Described(l); seen != nil {
			r.Metadata = seen.Metadata
		}
		said.Add(r)
		if l.Export {
			said.Add(r.Metadata) // the lifecycle's label holds it too
		}
		if err := said.Check(l); err != nil {
			return err
		}
	}
	return nil
}

// Unmountable returns how many layers the image has, 0 when that is no more than MaxMounted.
func (img *Image) Unmountable() int {
	n := len(img.layers)
	if img.Base != nil {
		n += len(img.Base.RootFS.DiffIDs)
	}
	if n <= MaxMounted {
		return 0
	}
	return n
}
