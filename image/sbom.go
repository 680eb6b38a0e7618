package image

import (
	"context"
	"path"

	bk "github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/graph"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/sbom"
	"github.com/packfile/frontend/step"
)

// sbomDir is the folder of an app image for SBOMs (Buildpack API, "Bill-of-Materials").
const sbomDir = "sbom/launch"

// SBOM returns which layers the image consists of, or with a target the layer: from the packfile, and from what run steps left, whether
// or not they ran in this build. known reports whether all of these layers are described. Before that, SBOM returns what will
// hold if run steps add nothing to the metadata.
func SBOM(d *graph.Decisions) (im sbom.Image, known bool) {
	known = true
	im = sbom.Image{Name: d.Root.ID(), Version: d.Root.Packfile.Config.Version}
	for _, l := range d.Layers {
		if !inResult(d, l) {
			continue
		}
		seen := d.Described(l)
		if seen == nil {
			known, seen = false, &graph.Description{Metadata: d.Metadata(l)}
		}
		layer := sbom.Layer{Name: d.Shown(l), Metadata: seen.Metadata}
		for _, linked := range l.Linked() {
			if inResult(d, linked) {
				layer.Links = append(layer.Links, d.Shown(linked))
			}
		}
		im.Layers = append(im.Layers, layer)
	}
	return im, known
}

// inResult reports whether the image has a layer, or the layer is the target.
func inResult(d *graph.Decisions, l *graph.Layer) bool {
	return !d.Dropped(l) && (l.Export && d.TargetLayer == nil || l == d.TargetLayer)
}

// sbom returns what the image consists of: what SBOM returns, and its packages.
func (s assembly) sbom() (im sbom.Image, known bool) {
	im, known = SBOM(s.Decisions)
	r, knownToo := s.packages.recorded(s)
	if r != nil {
		im.Debs = debs(r.Installed)
	}
	return im, known && knownToo
}

// debs returns packages as an SBOM has them.
func debs(installed []step.Package) (found []sbom.Deb) {
	for _, p := range installed {
		found = append(found, sbom.Deb{
			Name: p.Name, Version: p.Version, Arch: p.Arch, Source: p.Source, SourceVersion: p.SourceVersion,
			Distro: p.Distro, DistroVersion: p.DistroVersion, Licenses: p.Licenses,
		})
	}
	return found
}

// TargetDocument returns the SBOM of the target as one SPDX document, nil while it is not known.
func TargetDocument(d *graph.Decisions) ([]byte, error) {
	im, known := SBOM(d)
	if !known {
		return nil, nil
	}
	return im.Document(d.Time)
}

// Document returns the SBOM of a finished image as one SPDX document, nil while it is not known.
func (img *Image) Document() ([]byte, error) {
	im, known := img.made.sbom()
	if !known {
		return nil, nil
	}
	return im.Document(img.made.Time)
}

// AskTarget returns the steps that describe the target, for its SBOM.
func AskTarget(ctx context.Context, d *graph.Decisions) ([]fact.Inquiry, error) {
	return d.Ask(ctx, []fact.Question{{Layer: d.TargetLayer.ID, Kind: fact.Built}}, nil)
}

// MergeSBOM returns a folder with the output of an SBOM generator, which has our document in one of its own documents.
func MergeSBOM(b *container.Builder, found bk.State, generator string, document []byte) (bk.State, error) {
	p := container.Process{Name: "merge the SBOM with that of " + generator}
	p.Spec = step.Spec{Task: step.MergeSBOM{Generator: generator}}
	p.Files.AddText(step.SBOMFile, document)
	p.Mount(llb.Mount{Dest: step.FoundDir, Tree: found, Kind: llb.ReadOnly})
	out, err := b.Exec(p)
	if err != nil {
		return bk.State{}, err
	}
	// BuildKit knows the main document by its name without a folder.
	return bk.Scratch().File(bk.Copy(out[step.OutDir], path.Join(container.OutDir, step.MergedDir), "/", &bk.CopyInfo{CopyDirContentsOnly: true}),
		bk.WithCustomName(b.Name("", "SBOM"))), nil
}
