package convert

import (
	"context"
	"path"
	"strings"
	"time"

	bk "github.com/moby/buildkit/client/llb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"

	"github.com/packfile/frontend/cnb/launch"
	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/sbom"
	"github.com/packfile/frontend/step"
)

// sbomDir is where an app image has its SBOMs (Buildpack API, "Bill-of-Materials").
const sbomDir = "sbom/launch"

// SBOM returns what the image is made of, or with a target the layer: from the packfile, and from what run steps left, whether
// or not they ran in this build. It is known when all of these layers are described; before, it is what it will be if run
// steps add nothing to the metadata.
func (d *Decisions) SBOM() (im sbom.Image, known bool) {
	known = true
	im = sbom.Image{Name: d.in.Root.ID(), Version: d.in.Root.Packfile.Config.Version}
	for _, l := range d.layers {
		if !d.inResult(l) {
			continue
		}
		seen := d.described(l)
		if seen == nil {
			known, seen = false, &description{metadata: d.facts.metadata(l, "")}
		}
		layer := sbom.Layer{Name: d.shown(l), Metadata: seen.metadata}
		for _, k := range l.links {
			if k.layer != nil && !k.exposed && d.inResult(k.layer) {
				layer.Links = append(layer.Links, d.shown(k.layer))
			}
		}
		im.Layers = append(im.Layers, layer)
	}
	return im, known
}

// inResult says whether the image has a layer, or whether it is the target.
func (d *Decisions) inResult(l *layer) bool {
	return d.facts.status(l) != dropped && (l.Export && d.target == nil || l == d.target)
}

// SBOMDocument is the SBOM as one SPDX document, nil when it is not known.
func (d *Decisions) SBOMDocument() ([]byte, error) {
	im, known := d.SBOM()
	if !known {
		return nil, nil
	}
	return im.Document(d.in.Time)
}

// SBOMOf is the SBOM of an image that has been built, by what its labels say.
func SBOMOf(img *dockerspec.DockerOCIImage) ([]byte, error) {
	l, err := layerkey.ParseLabel(img.Config.Labels[layerkey.LabelName])
	if err != nil {
		return nil, err
	}
	md, err := lifecycleMetadataOf(img)
	if err != nil {
		return nil, err
	}
	im := sbom.Image{Name: l.Name, Version: l.Version}
	shown := map[string]string{} // what a layer of the image is called, by LAYER
	for _, r := range l.Layers {
		if r.DiffID == "" {
			continue // the image does not have it
		}
		dir := r.Parts.Layer
		shown[dir] = r.Name
		for _, bp := range md.Buildpacks {
			if len(md.Buildpacks) > 1 && path.Join(step.LayersDir, launch.EscapeID(bp.Key), r.Name) == dir {
				shown[dir] = bp.Key + "/" + r.Name
			}
		}
	}
	for _, r := range l.Layers {
		if r.DiffID == "" {
			continue
		}
		layer := sbom.Layer{Name: shown[r.Parts.Layer], Metadata: r.Metadata}
		for _, k := range r.Parts.Links {
			linked := k.Layer
			switch {
			case k.Exposed || strings.Contains(k.Name, "/"): // older frontends told by the slash alone
				continue // the packfile does not name it
			case linked == "":
				linked = path.Join(path.Dir(r.Parts.Layer), k.Name)
			}
			if name, ok := shown[linked]; ok {
				layer.Links = append(layer.Links, name)
			}
		}
		im.Layers = append(im.Layers, layer)
	}
	return im.Document(time.Unix(l.Time, 0))
}

// sbomFiles are the files that tell what the image's layers hold, by their path in the image: one for each layer, and one for
// each module. That of the only module there is tells of the image.
func (d *Decisions) sbomFiles(im sbom.Image) (files map[string][]byte, err error) {
	files = map[string][]byte{}
	for _, m := range d.modules {
		dir := path.Join(step.LayersDir, sbomDir, m.LayersName())
		of := sbom.Image{Name: m.ID(), Version: m.Packfile.Config.Version}
		i := 0 // in im.Layers, which has the layers of modules in the same order
		for _, l := range d.layers {
			if !d.inResult(l) {
				continue
			}
			if l.module == m {
				of.Layers = append(of.Layers, im.Layers[i])
				if files[path.Join(dir, l.Name, sbom.FileName)], err = im.Layers[i].Document(d.in.Time); err != nil {
					return nil, err
				}
			}
			i++
		}
		if len(d.modules) == 1 {
			of = im
		}
		if len(of.Layers) == 0 {
			continue
		}
		if files[path.Join(dir, sbom.FileName)], err = of.Document(d.in.Time); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// AskTarget is what describes the target, for its SBOM.
func (d *Decisions) AskTarget(ctx context.Context) ([]fact.Inquiry, error) {
	return d.Ask(ctx, []fact.Question{{Layer: d.target.id, Kind: fact.Built}}, nil)
}

// MergeSBOM is a folder with what an SBOM generator found, our document in one of its own.
func (b *Build) MergeSBOM(found bk.State, generator string, document []byte) (bk.State, error) {
	p := container.Process{Name: "merge the SBOM with that of " + generator}
	p.Spec = step.Spec{Task: step.MergeSBOM{Generator: generator}}
	p.Files.AddText(step.SBOMFile, document)
	p.Mount(llb.Mount{Dest: step.FoundDir, Tree: found, Kind: llb.ReadOnly})
	out, err := b.Exec(p)
	if err != nil {
		return bk.State{}, err
	}
	// BuildKit knows the main document by its name, which has no folder.
	return bk.Scratch().File(bk.Copy(out[step.OutDir], path.Join(container.OutDir, step.MergedDir), "/", &bk.CopyInfo{CopyDirContentsOnly: true}),
		bk.WithCustomName(b.Name("", "SBOM"))), nil
}
