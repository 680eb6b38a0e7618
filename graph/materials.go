package graph

import (
	"path"

	digest "github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/llb"
)

// Fetched returns the deps that a layer has from servers and that not every build asks for: files with a sha, and Git repositories.
// Every build looks up images.
func (d *Decisions) Fetched(l *Layer) (materials []llb.Material, err error) {
	r, err := d.recipe(l)
	if err != nil {
		return nil, err
	}
	for i, dep := range r.task.Deps {
		// Every build asks for files without sha, so the provenance names them anyway.
		if dep.File == "" || dep.Vendored || l.Provide.Deps[i].IsFolder() || unpinned(l.Provide.Deps[i]) {
			continue
		}
		for _, m := range r.run.Mounts {
			if m.Dest == path.Dir(dep.File) {
				materials = append(materials, llb.Material{Source: m.Tree, File: path.Base(dep.File), Owner: d.Owner, Digest: digest.NewDigestFromEncoded(digest.SHA256, dep.SHA)})
			}
		}
	}
	for _, is := range d.facts.repositories(l) {
		materials = append(materials, llb.Material{Source: is.Content, Commit: is.Commit, Folder: is.Folder})
	}
	return materials, nil
}
