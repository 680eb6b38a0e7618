package convert

import (
	"path"

	bk "github.com/moby/buildkit/client/llb"
	digest "github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/llb"
)

// Materials returns states that make the provenance of a build name the deps of layers that are not built, because the previous
// image has them. Nothing is downloaded for them; they are not to be had from every previous image.
func (d *Decisions) Materials() ([]bk.State, error) {
	if prev := d.in.Previous; prev == nil || !prev.HasMaterials() || !prev.References() {
		return nil, nil
	}
	var states []bk.State
	for _, l := range d.layers {
		if d.runs[l] || d.facts.status(l) == dropped {
			continue
		}
		files, err := d.fetched(l)
		if err != nil {
			return nil, err
		}
		if files != nil {
			states = append(states, llb.Materials(files, bk.WithCustomName(d.Name(l.id, "deps, by name"))))
		}
	}
	return states, nil
}

// addMaterials adds what Materials of a later build needs to an inline cache.
func (d *Decisions) addMaterials(inlineCache []byte) ([]byte, error) {
	var sets [][]llb.Material
	for _, l := range d.layers {
		if d.facts.status(l) == dropped {
			continue
		}
		files, err := d.fetched(l)
		if err != nil {
			return nil, err
		}
		if files != nil {
			sets = append(sets, files)
		}
	}
	return llb.AddMaterials(inlineCache, sets)
}

// fetched returns the deps that a layer has from the network.
func (d *Decisions) fetched(l *layer) (files []llb.Material, err error) {
	r, err := d.recipe(l)
	if err != nil {
		return nil, err
	}
	for i, dep := range r.task.Deps {
		// Those without sha are asked for in every build, so that provenance names them anyway.
		if dep.File == "" || dep.Vendored || unpinned(l.Provide.Deps[i]) {
			continue
		}
		for _, m := range r.run.Mounts {
			if m.Dest == path.Dir(dep.File) {
				files = append(files, llb.Material{Source: m.Tree, File: path.Base(dep.File), Owner: d.in.Owner, Digest: digest.NewDigestFromEncoded(digest.SHA256, dep.SHA)})
			}
		}
	}
	return files, nil
}
