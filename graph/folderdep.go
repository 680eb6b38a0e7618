package graph

import (
	"maps"
	"slices"

	"github.com/containerd/platforms"
	bk "github.com/moby/buildkit/client/llb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/source"
	"github.com/packfile/frontend/step"
)

// Deps that are folders: images, Git repositories and named contexts. Steps see them where they are, without a copy. What they are
// now takes a look-up before there is a key.

// lookedUp returns what the look-up of a layer's deps found, by the id of the dep.
func (f facts) lookedUp(l *Layer) map[string]fact.Found {
	return f[fact.Question{Layer: l.ID, Kind: fact.LookedUp}].Found
}

// foundInexact reports whether the look-up of a layer's deps found something that only its files identify: a folder of the client,
// say.
func (f facts) foundInexact(l *Layer) bool {
	for _, is := range f.lookedUp(l) {
		if !identified(is) {
			return true
		}
	}
	return false
}

// identified reports whether something has a digest or a commit that stands for its content. The digest of the operations that make
// the result of another target does not: the same operations may make something else on another builder.
func identified(is fact.Found) bool { return is.Exact && !is.Defined }

// wantedFolders returns what has to be looked up for the deps of a layer. It fails for a named context that a module is not given,
// and for a dep that the module's folder has as a file.
func (s Steps) wantedFolders(l *Layer) (map[string]source.Source, error) {
	all, err := s.renderedDeps(l, s.facts.metadata(l, fact.LookedUp))
	if err != nil {
		return nil, err
	}
	wanted := map[string]source.Source{}
	for _, d := range all {
		if !d.wanted || !d.IsFolder() {
			continue
		}
		if wanted[d.id], err = s.wantedFolder(l, d); err != nil {
			return nil, err
		}
	}
	return wanted, nil
}

// wantedFolder returns the source of a dep that is a folder.
func (g *Graph) wantedFolder(l *Layer, d dep) (source.Source, error) {
	at := d.written.At("uri")
	place := source.Place{Filename: l.Module.Filename, Range: at}
	name := g.Name(l.ID, "dep "+d.id)
	shown := []bk.ConstraintsOpt{l.Module.At(at).Location()}
	if d.vendored {
		return nil, l.Module.Fail(at, "layer %q: dep %s is a folder, and deps/%s is a file: only a file can be replaced by one", l.Name, d.id, d.id)
	}
	p, err := g.depPlatform(d)
	if err != nil {
		return nil, l.Module.Fail(d.written.At("platform"), "layer %q: dep %s: platform: %v", l.Name, d.id, err)
	}
	kind, location := d.Source()
	switch kind {
	case packfile.ImageSource:
		return source.Image{
			Ref: location, Platform: p, LookUp: "load metadata for " + location, Name: "dep " + d.id, At: place,
			Shown: append(shown, bk.WithCustomName(name+" "+location)),
		}, nil
	case packfile.GitSource:
		return source.Git{Address: location, Foreign: l.Module != g.Root, Pinned: true, At: place, Shown: append(shown, bk.WithCustomName(name))}, nil
	}
	if err := l.Module.CheckContext(g.Root.Filename, location); err != nil {
		return nil, err
	}
	return source.Context{Name: location, Platform: p, Pinned: true, Ignored: true, At: place}, nil
}

// depPlatform returns the platform of a dep that is an image: the one that is built for, unless the packfile names another.
func (g *Graph) depPlatform(d dep) (ocispecs.Platform, error) {
	if d.Platform == "" {
		return g.Platform, nil
	}
	return platforms.Parse(d.Platform)
}

// contentOf returns what a dep that is a folder has come to. It was looked up, for platform p when it is an image.
func (f facts) contentOf(l *Layer, d dep, p ocispecs.Platform) (c step.Content) {
	is := f.lookedUp(l)[d.id]
	switch {
	case !identified(is):
		c.Digest = f[fact.Question{Layer: l.ID, Kind: fact.Fetched}].Metadata.Text(d.id)
	case is.Commit != "":
		c.Commit = is.Commit
	default:
		c.Digest, c.Image, c.Platform = is.Digest.String(), is.Repository, container.PlatformString(p)
	}
	return c
}

// folderMount returns the mount of dep i of a layer, a folder that was looked up. What has a digest or a commit counts by that, so
// that BuildKit need not read all of an image.
func (f facts) folderMount(l *Layer, d dep, i int) llb.Mount {
	is := f.lookedUp(l)[d.id]
	return llb.Mount{Dest: depDir(i), Tree: is.Content, Kind: llb.ReadOnly, ByKey: identified(is)}
}

// repositories returns the sources of a layer's deps that are Git repositories.
func (f facts) repositories(l *Layer) (found []fact.Found) {
	all := f.lookedUp(l)
	for _, id := range slices.Sorted(maps.Keys(all)) {
		if all[id].Commit != "" {
			found = append(found, all[id])
		}
	}
	return found
}
