package convert

import (
	"context"
	"path"
	"time"

	bk "github.com/moby/buildkit/client/llb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"

	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/sbom"
	"github.com/packfile/frontend/step"
)

// sbomDir is where an app image has its SBOMs (Buildpack API, "Bill-of-Materials").
const sbomDir = "sbom/launch"

// SBOM says what the image is made of, or with a target the layer: from the packfile, and from what run steps left, whether
// or not they ran in this build. It is known when all of these layers are described; before, it is what it will be if run
// steps add nothing to the metadata.
func (b *Build) SBOM(f Facts) (im sbom.Image, known bool, err error) {
	known = true
	im = sbom.Image{Name: ModuleID(b.in.Packfile), Version: b.in.Packfile.Config.Version}
	for _, l := range b.layers {
		if !b.inResult(l, f) {
			continue
		}
		seen, err := b.described(l, f)
		if err != nil {
			return im, false, err
		}
		if seen == nil {
			known, seen = false, &description{metadata: f.metadata(l, "")}
		}
		layer := sbom.Layer{Name: l.Name, Metadata: seen.metadata}
		for _, k := range l.links {
			if k.layer != nil && b.inResult(k.layer, f) {
				layer.Links = append(layer.Links, k.Name)
			}
		}
		im.Layers = append(im.Layers, layer)
	}
	return im, known, nil
}

// inResult says whether the image has a layer, or whether it is the target.
func (b *Build) inResult(l *layer, f Facts) bool {
	return f.status(l) != dropped && (l.Export && b.in.Target == "" || l.Name == b.in.Target)
}

// SBOMDocument is the SBOM as one SPDX document, nil when it is not known.
func (b *Build) SBOMDocument(f Facts) ([]byte, error) {
	im, known, err := b.SBOM(f)
	if !known || err != nil {
		return nil, err
	}
	return im.Document(b.in.Time)
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
	var im sbom.Image
	for _, bp := range md.Buildpacks {
		im.Name = bp.Key
		if bp.Version != moduleVersion(&packfile.Packfile{}) { // else the packfile gives none
			im.Version = bp.Version
		}
	}
	for _, r := range l.Layers {
		if r.DiffID == "" {
			continue // the image does not have it
		}
		layer := sbom.Layer{Name: r.Name, Metadata: r.Metadata}
		for _, k := range r.Parts.Links {
			layer.Links = append(layer.Links, k.Name)
		}
		im.Layers = append(im.Layers, layer)
	}
	return im.Document(time.Unix(l.Time, 0))
}

// sbomFiles are the files that tell what the image's layers hold, by their path in the image: one for each layer and one
// for the whole.
func (b *Build) sbomFiles(im sbom.Image) (files map[string][]byte, err error) {
	dir := path.Join(step.LayersDir, sbomDir, ModuleDir(b.in.Packfile))
	files = map[string][]byte{}
	if files[path.Join(dir, sbom.FileName)], err = im.Document(b.in.Time); err != nil {
		return nil, err
	}
	for _, l := range im.Layers {
		if files[path.Join(dir, l.Name, sbom.FileName)], err = l.Document(b.in.Time); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// AskTarget is what describes the target, for its SBOM.
func (b *Build) AskTarget(ctx context.Context, f Facts) ([]Inquiry, error) {
	return b.Ask(ctx, []Question{{b.in.Target, Built}}, f)
}

// MergeSBOM is a folder with what an SBOM generator found, our document in one of its own.
func (b *Build) MergeSBOM(found bk.State, generator string, document []byte) (bk.State, error) {
	p := process{name: "merge the SBOM with that of " + generator, files: stepFiles{b: b}}
	p.spec = step.Spec{Kind: step.MergeSBOM, Generator: generator}
	p.files.names, p.files.texts = []string{step.SBOMFile}, [][]byte{document}
	p.mount(llb.Mount{Dest: step.FoundDir, Tree: found, Kind: llb.ReadOnly})
	out, err := b.exec(p)
	if err != nil {
		return bk.State{}, err
	}
	// BuildKit knows the main document by its name, which has no folder.
	return bk.Scratch().File(bk.Copy(out[step.OutDir], path.Join(outDir, step.MergedDir), "/", &bk.CopyInfo{CopyDirContentsOnly: true}),
		bk.WithCustomName(b.name("", "SBOM"))), nil
}
