package convert

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"

	bk "github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/step"
)

// description is what is known of a layer that is built.
type description struct {
	metadata map[string]any // as its run step left it
	content  string         // diff id with DefaultTime
	diffID   string         // diff id in the image, "" when it is not there
}

// contentOf is what a record says of a layer.
func contentOf(r layerkey.Record) description {
	return description{metadata: r.Metadata, content: r.Content, diffID: r.DiffID}
}

// described returns the description of a decided layer, nil while it is not known.
func (d *Decisions) described(l *layer) *description {
	seen := d.content(l)
	if seen == nil {
		return nil
	}
	if timed, ok := d.facts[fact.Question{Layer: l.id, Kind: fact.Timed}]; ok {
		seen.diffID = timed.DiffID
	}
	if !d.keepsDigest(l) {
		seen.diffID = ""
	}
	return seen
}

// keepsDigest says whether a layer has the same digest in the image as it has alone.
func (g *Graph) keepsDigest(l *layer) bool { return l.Export && !g.in.Layering.Flat }

// metadataTree is $MD as a run step leaves it, made from what a label says of it.
func metadataTree(metadata map[string]any, owner llb.Owner, opts ...bk.ConstraintsOpt) bk.State {
	by := bk.WithUIDGID(owner.UID, owner.GID)
	action := bk.Mkdir(container.OutDir, 0o755, by).Mkdir(mdDir, 0o755, by)
	var add func(dir string, table map[string]any)
	add = func(dir string, table map[string]any) {
		for _, key := range slices.Sorted(maps.Keys(table)) {
			name := path.Join(dir, key)
			switch v := table[key].(type) {
			case string:
				action = action.Mkfile(name, 0o644, []byte(step.FileValue(v)), by)
			case map[string]any:
				action = action.Mkdir(name, 0o755, by)
				add(name, v)
			}
		}
	}
	add(mdDir, metadata)
	return bk.Scratch().File(action, opts...)
}

// label returns what the image says of its layers. Every layer must be described.
func (d *Decisions) label() (string, error) {
	label := layerkey.Label{
		Name: d.in.Root.ID(), Version: d.in.Root.Packfile.Config.Version, Time: d.in.Time.Unix(), Layers: []layerkey.Record{},
	}
	for _, l := range d.layers {
		if d.facts.status(l) == dropped {
			continue
		}
		how, err := d.recipe(l)
		if err != nil {
			return "", err
		}
		seen := d.described(l)
		if seen == nil {
			return "", fmt.Errorf("layer %q is not described", l.id)
		}
		r := how.record
		r.Metadata, r.Content, r.DiffID = seen.metadata, seen.content, seen.diffID
		var unknown *layer
		if r.Links, unknown, err = d.linkContents(l); err != nil {
			return "", err
		}
		if unknown != nil {
			return "", fmt.Errorf("layer %q is not described", unknown.id)
		}
		if !d.in.Build.Exact {
			r.Key = ""
		}
		label.Layers = append(label.Layers, r)
	}
	data, err := json.Marshal(label)
	return string(data), err
}
