package image

import "github.com/packfile/frontend/graph"

// MaxMounted is how many layers an image may have that others can be built on: container runtimes mount no more than 127 or 128 folders
// over one another, of which a container has one or two.
const MaxMounted = 125

// checkSaid is an error, at the layer that is too much, if the image says more of its layers than it may, by what is known by now: before anything is built, and again when layers have been described.
func (s assembly) checkSaid() error {
	var said graph.Said
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
			said.Add(r.Metadata) // the lifecycle's label has it too
		}
		if err := said.Check(l); err != nil {
			return err
		}
	}
	return nil
}

// Unmountable is how many layers the image has, 0 when that is no more than MaxMounted.
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
