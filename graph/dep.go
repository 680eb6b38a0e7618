package graph

import (
	"fmt"
	"net/url"
	"path"
	"regexp"

	bk "github.com/moby/buildkit/client/llb"
	digest "github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/source"
	"github.com/packfile/frontend/step"
)

// dep is a rendered dep of a layer.
type dep struct {
	packfile.Dep
	written  *packfile.Dep // the dep before it was rendered
	id       string        // of step.Dep
	vendored bool          // the module's folder has it
	wanted   bool          // false for a dep that shares its name with one of the layer's version, and has another version itself
}

// unpinned reports whether a dep is a file whose content is up to its server, or to the module's folder.
func unpinned(d packfile.Dep) bool { return !d.IsFolder() && d.SHA == "" }

// renderedDeps returns the deps of a settled layer, without checksums that the packfile does not give.
func (g *Graph) renderedDeps(l *Layer, md metadata.Table) ([]dep, error) {
	version := md.Text(metadata.Version)
	all := make([]dep, len(l.Provide.Deps))
	args := g.templateArgs(l)
	versioned := map[string]bool{} // names with a dep of the layer's version
	for i := range all {
		written := &l.Provide.Deps[i]
		d, err := written.Render(md, container.Target(g.Platform), args)
		if err != nil {
			return nil, g.unrendered(l, err)
		}
		id := step.Dep{Name: d.Name, Version: d.Version}.ID()
		all[i] = dep{Dep: d, written: written, id: id, vendored: l.Module.Offline[id]}
		if d.Version == version {
			versioned[d.Name] = true
		}
	}
	for i := range all {
		all[i].wanted = !versioned[all[i].Name] || all[i].Version == version
	}
	return all, nil
}

// deps returns a layer's deps for its run step. The step may change those that are files: no other step sees that.
func (s *Decisions) deps(l *Layer) (specs []step.Dep, mounts []llb.Mount, err error) {
	all, err := s.renderedDeps(l, s.facts.metadata(l, ""))
	if err != nil {
		return nil, nil, err
	}
	for i, d := range all {
		if unpinned(d.Dep) {
			d.SHA = s.facts[fact.Question{Layer: l.ID, Kind: fact.Fetched}].Metadata.Text(d.id)
		}
		spec := step.Dep{Name: d.Name, Version: d.Version, URI: d.URI, SHA: d.SHA, Metadata: d.Metadata}
		if d.wanted && d.IsFolder() {
			p, err := s.depPlatform(d)
			if err != nil {
				return nil, nil, err
			}
			spec.Content = s.facts.contentOf(l, d, p)
			m := s.facts.folderMount(l, d, i)
			mounts = append(mounts, m)
			spec.File = m.Dest
		} else if d.wanted {
			m, file, err := s.depMount(l, d, i, llb.Discarded)
			if err != nil {
				return nil, nil, err
			}
			mounts = append(mounts, m)
			spec.File, spec.Vendored = file, d.vendored
		}
		specs = append(specs, spec)
	}
	return specs, mounts, nil
}

// fetch returns a step that finds the checksums of a layer's deps that nothing else identifies: files without sha, and contexts that
// are no image. BuildKit asks servers and the client for them in every build, and the step runs when they give something new.
func (s Steps) fetch(l *Layer) (bk.State, error) {
	all, err := s.renderedDeps(l, s.facts.metadata(l, fact.Fetched))
	if err != nil {
		return bk.State{}, err
	}
	p := container.Process{Subject: l.ID, Module: l.Module, Name: string(fact.Fetched), NoCache: l.noCache}
	var files []step.DepFile
	for i, d := range all {
		var m llb.Mount
		file := step.DepFile{ID: d.id}
		switch {
		case !d.wanted:
			continue
		case d.IsFolder():
			if identified(s.facts.lookedUp(l)[d.id]) {
				continue
			}
			m = s.facts.folderMount(l, d, i)
			file.File, file.Folder = m.Dest, true
		case unpinned(*d.written):
			if m, file.File, err = s.depMount(l, d, i, llb.ReadOnly); err != nil {
				return bk.State{}, err
			}
		default:
			continue
		}
		p.Mount(m)
		files = append(files, file)
		p.At = append(p.At, l.Module.At(d.written.At("uri")))
	}
	p.Spec.Task = step.Digest{Files: files}
	out, err := s.Exec(p)
	return out[step.OutDir], err
}

// depMount returns the mount of dep i of a layer, and the path of its file.
func (g *Graph) depMount(l *Layer, d dep, i int, kind llb.MountKind) (llb.Mount, string, error) {
	src, file, err := g.depSource(l, d)
	dir := depDir(i)
	return llb.Mount{Dest: dir, Tree: src, Kind: kind}, path.Join(dir, file), err
}

// depDir returns where the steps of a layer see its dep i.
func depDir(i int) string { return path.Join(step.DepsDir, fmt.Sprint(i)) }

// fileNamePattern matches the last parts of addresses that can name a dep's file.
var fileNamePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+~=@,-]{0,199}$`)

// depSource returns a tree with a dep, and the file's name in it. The tree is the module's own folder when that has the file of
// the dep's id in deps/, else it comes from the network, checked against the dep's SHA-256 if the packfile gives it. The file
// belongs to the user of steps.
func (g *Graph) depSource(l *Layer, d dep) (bk.State, string, error) {
	owner := g.Owner
	if d.vendored {
		// Like a downloaded file: a step may leave what it finds.
		info := &bk.CopyInfo{Mode: &bk.ChmodOpt{Mode: 0o644}, CreatedTime: &container.DefaultTime}
		src := bk.Scratch().File(bk.Copy(l.Module.Files, path.Join("/", l.Module.Dir, "deps", d.id), "/"+d.id, info, bk.WithUIDGID(owner.UID, owner.GID)), bk.WithCustomName(g.Name(l.ID, "dep "+d.id)))
		return src, d.id, nil
	}
	at := d.written.At("uri")
	u, err := url.Parse(d.URI)
	if err != nil {
		return bk.State{}, "", l.Module.Fail(at, "layer %q: dep %s: %v", l.Name, d.id, err)
	}
	file := path.Base(u.Path)
	if !fileNamePattern.MatchString(file) {
		file = d.Name
	}
	wanted := source.File{
		URI: d.URI, File: file, Mode: llb.MaterialMode, Owner: &owner, At: source.Place{Filename: l.Module.Filename, Range: at},
		Shown: []bk.ConstraintsOpt{bk.WithCustomName(g.Name(l.ID, "fetch "+d.id)), l.Module.At(at).Location()},
	}
	if unpinned(*d.written) {
		// The run step mounts the same operation as the step that found the checksum: BuildKit asks once per build.
		hint := "the dep has no sha, so every build asks its server for it: give the sha, or put the file into deps/" + d.id
		wanted.Shown = append(wanted.Shown, bk.WithDescription(map[string]string{container.HintKey: hint}))
	} else {
		wanted.Digest = digest.NewDigestFromEncoded(digest.SHA256, d.SHA)
	}
	src, err := g.Sources(wanted)
	return src, file, err
}
