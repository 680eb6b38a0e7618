package image

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
	"github.com/packfile/frontend/graph"
	"github.com/packfile/frontend/layerkey"
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
	r, knownToo := s.packagesRecord()
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

// DocumentOf returns the SBOM of an image that has been built, from its labels.
func DocumentOf(img *dockerspec.DockerOCIImage) ([]byte, error) {
	l, err := layerkey.ParseLabel(img.Config.Labels[layerkey.LabelName])
	if err != nil {
		return nil, err
	}
	md, err := lifecycleMetadataOf(img)
	if err != nil {
		return nil, err
	}
	im := sbom.Image{Name: l.Name, Version: l.Version}
	if l.RunPackages != nil {
		im.Debs = debs(l.RunPackages.Installed)
	}
	shown := map[string]string{} // name of a layer of the image, by LAYER
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
			case k.Exposed || strings.Contains(k.Name, "/"): // labels of older frontends show it by the slash alone
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

// sbomFiles returns the files that tell what the image's layers hold, by their path in the image: one for each layer, and one for
// each module. That of the last module also has the packages; when there is only one module, its file is about the image.
func sbomFiles(d *graph.Decisions, im sbom.Image) (files map[string][]byte, err error) {
	files = map[string][]byte{}
	for n, m := range d.Modules {
		dir := path.Join(step.LayersDir, sbomDir, m.LayersName())
		of := sbom.Image{Name: m.ID(), Version: m.Packfile.Config.Version}
		i := 0 // index in im.Layers, which has the layers of modules in the same order
		for _, l := range d.Layers {
			if !inResult(d, l) {
				continue
			}
			if l.Module == m {
				of.Layers = append(of.Layers, im.Layers[i])
				if files[path.Join(dir, l.Name, sbom.FileName)], err = im.Layers[i].Document(d.Time); err != nil {
					return nil, err
				}
			}
			i++
		}
		switch {
		case len(d.Modules) == 1:
			of = im
		case n == len(d.Modules)-1:
			of.Debs = im.Debs
		}
		if len(of.Layers)+len(of.Debs) == 0 {
			continue
		}
		if files[path.Join(dir, sbom.FileName)], err = of.Document(d.Time); err != nil {
			return nil, err
		}
	}
	return files, nil
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
