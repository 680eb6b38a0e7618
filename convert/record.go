package convert

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"

	bk "github.com/moby/buildkit/client/llb"

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

// described is the description of a decided layer, nil while it is not known.
func (b *Build) described(l *layer, f Facts) (*description, error) {
	s, err := b.fates(f)
	if err != nil {
		return nil, err
	}
	seen := s.content(l)
	if seen == nil {
		return nil, nil
	}
	if timed, ok := f[Question{l.id, Timed}]; ok {
		seen.diffID = timed.DiffID
	}
	if !b.keepsDigest(l) {
		seen.diffID = ""
	}
	return seen, nil
}

// keepsDigest says whether a layer has the same digest in the image as it has alone.
func (b *Build) keepsDigest(l *layer) bool { return l.Export && !b.in.Layering.Flat }

// metadataTree is $MD as a run step leaves it, made from what a label says of it.
func metadataTree(metadata map[string]any, owner llb.Owner, opts ...bk.ConstraintsOpt) bk.State {
	by := bk.WithUIDGID(owner.UID, owner.GID)
	action := bk.Mkdir(outDir, 0o755, by).Mkdir(mdDir, 0o755, by)
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

// label is what the image says of its layers. Every layer must be described.
func (b *Build) label(f Facts) (string, error) {
	label := layerkey.Label{
		Name: b.in.Root.ID(), Version: b.in.Root.Packfile.Config.Version, Time: b.in.Time.Unix(), Layers: []layerkey.Record{},
	}
	s, err := b.fates(f)
	if err != nil {
		return "", err
	}
	for _, l := range b.layers {
		if f.status(l) == dropped {
			continue
		}
		how, err := b.recipe(l, f)
		if err != nil {
			return "", err
		}
		seen, err := b.described(l, f)
		if err != nil {
			return "", err
		}
		if seen == nil {
			return "", fmt.Errorf("layer %q is not described", l.id)
		}
		r := how.record
		r.Metadata, r.Content, r.DiffID = seen.metadata, seen.content, seen.diffID
		var unknown *layer
		if r.Links, unknown, err = s.linkContents(l); err != nil {
			return "", err
		}
		if unknown != nil {
			return "", fmt.Errorf("layer %q is not described", unknown.id)
		}
		if !b.in.Build.Exact {
			r.Key = ""
		}
		label.Layers = append(label.Layers, r)
	}
	data, err := json.Marshal(label)
	return string(data), err
}
