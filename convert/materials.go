package convert

import (
	"path"

	bk "github.com/moby/buildkit/client/llb"
	digest "github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/llb"
)

// Materials are states that make the provenance of a build name the deps of layers that are not built, because the previous
// image has them. Nothing is downloaded for them; they are not to be had from every previous image.
func (b *Build) Materials(f Facts) ([]bk.State, error) {
	if prev := b.in.Previous; prev == nil || !prev.materials || !prev.References() {
		return nil, nil
	}
	s, err := b.fates(f)
	if err != nil {
		return nil, err
	}
	var states []bk.State
	for _, l := range b.layers {
		if s.runs[l] || f.status(l) == dropped {
			continue
		}
		files, err := b.fetched(l, f)
		if err != nil {
			return nil, err
		}
		if files != nil {
			states = append(states, llb.Materials(files, bk.WithCustomName(b.name(l.id, "deps, by name"))))
		}
	}
	return states, nil
}

// addMaterials adds what Materials of a later build needs to an inline cache.
func (b *Build) addMaterials(inlineCache []byte, f Facts) ([]byte, error) {
	var sets [][]llb.Material
	for _, l := range b.layers {
		if f.status(l) == dropped {
			continue
		}
		files, err := b.fetched(l, f)
		if err != nil {
			return nil, err
		}
		if files != nil {
			sets = append(sets, files)
		}
	}
	return llb.AddMaterials(inlineCache, sets)
}

// fetched are the deps that a layer has from the network.
func (b *Build) fetched(l *layer, f Facts) (files []llb.Material, err error) {
	r, err := b.recipe(l, f)
	if err != nil {
		return nil, err
	}
	for i, d := range r.run.spec.Deps {
		// Those without sha are asked for in every build, so that provenance names them anyway.
		if d.File == "" || d.Vendored || unpinned(l.Provide.Deps[i]) {
			continue
		}
		for _, m := range r.run.mounts {
			if m.Dest == path.Dir(d.File) {
				files = append(files, llb.Material{Source: m.Tree, File: path.Base(d.File), Owner: b.in.Owner, Digest: digest.NewDigestFromEncoded(digest.SHA256, d.SHA)})
			}
		}
	}
	return files, nil
}
