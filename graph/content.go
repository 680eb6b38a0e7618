package graph

import (
	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/layerkey"
)

// What is known of the content of layers under decisions.

// shown is what a layer shows to those that link it.
type shown struct {
	Description
	all string // one digest of content and metadata, "" before it is asked for
}

// through returns one digest of what a link shows.
func (s *shown) through(k link) (string, error) {
	if k.VersionAs == "" && k.MetadataAs == "" {
		return s.Content, nil
	}
	var err error
	if s.all == "" {
		s.all, err = layerkey.DigestJSON(s.Content, s.Metadata)
	}
	return s.all, err
}

// was returns what the previous image says of a layer, nil when it does not know the layer.
func (d *state) was(l *Layer) *shown {
	of := d.of(l)
	if of.was == nil {
		if r, known := d.Previous.Record(l.Dir()); known {
			of.was = &shown{Description: Description{Metadata: r.Metadata, Content: r.Content, DiffID: r.DiffID}}
		}
	}
	return of.was
}

// left returns what the run step of a layer left. The layer must be described.
func (d *state) left(l *Layer) *shown {
	of := d.of(l)
	if of.left == nil {
		r := d.facts[fact.Question{Layer: l.ID, Kind: fact.Built}]
		of.left = &shown{Description: Description{Metadata: r.Metadata, Content: r.DiffID, DiffID: r.DiffID}}
	}
	return of.left
}

// isCertain reports whether it is certain what a layer holds, or that it is not created.
func (d *state) isCertain(l *Layer) bool {
	return d.of(l).status == dropped || d.content(l) != nil
}

// content returns what a layer holds, nil while that is not certain.
func (d *state) content(l *Layer) *shown {
	of := d.of(l)
	switch {
	case d.runs[l.index] && of.described:
		return d.left(l)
	case d.runs[l.index] || d.mayRun[l.index] || of.same == nil:
		return nil
	}
	return d.was(l)
}

// LinkContents returns what the run step of a decided layer sees of others, by LAYER: their content, and their metadata if it asks
// for them. unknown is a layer that is not described, nil when there is none.
func (d *Decisions) LinkContents(l *Layer) (contents map[string]string, unknown *Layer, err error) {
	return d.linkContents(l, func(l *Layer) *shown {
		if known := d.Described(l); known != nil {
			return &shown{Description: *known}
		}
		return nil
	})
}

// linkContents returns what the run step of a layer sees of others, with what of says of each: nil for one that is not known.
func (d *Decisions) linkContents(l *Layer, of func(*Layer) *shown) (contents map[string]string, unknown *Layer, err error) {
	for _, k := range l.looksInto {
		if d.Dropped(k.layer) {
			continue
		}
		seen := of(k.layer)
		if seen == nil {
			return nil, k.layer, nil
		}
		content, err := seen.through(k)
		if err != nil {
			return nil, nil, err
		}
		contents = put(contents, k.layer.Dir(), content)
	}
	return contents, nil, nil
}
