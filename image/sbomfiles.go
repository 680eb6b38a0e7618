package image

import (
	"path"
	"strings"
	"time"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"

	"github.com/packfile/frontend/cnb/label"
	"github.com/packfile/frontend/cnb/launch"
	"github.com/packfile/frontend/graph"
	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/sbom"
	"github.com/packfile/frontend/step"
)

// sbomModule is a module with files in the SBOM of an image.
type sbomModule struct {
	dir         string // name of its folder
	id, version string
	layers      []sbomLayer
}

// sbomLayer is a layer of a module in the SBOM of an image.
type sbomLayer struct {
	index int    // in sbom.Image
	name  string // of its folder
}

// sbomModules returns the modules that take part, in group order, with their layers in the image.
func sbomModules(d *graph.Decisions) (modules []sbomModule) {
	for _, m := range d.Modules {
		of := sbomModule{dir: m.LayersName(), id: m.ID(), version: m.Packfile.Config.Version}
		i := 0 // index in sbom.Image, which has the layers of modules in the same order
		for _, l := range d.Layers {
			if !inResult(d, l) {
				continue
			}
			if l.Module == m {
				of.layers = append(of.layers, sbomLayer{i, l.Name})
			}
			i++
		}
		modules = append(modules, of)
	}
	return modules
}

// sbomFiles returns the files that tell what the image's layers hold, by their path in the image: one for each layer, and one for
// each module. That of the last module also has the packages; when there is only one module, its file is about the image.
func sbomFiles(modules []sbomModule, im sbom.Image, created time.Time) (files map[string][]byte, err error) {
	files = map[string][]byte{}
	for n, m := range modules {
		dir := path.Join(step.LayersDir, sbomDir, m.dir)
		of := sbom.Image{Name: m.id, Version: m.version}
		for _, l := range m.layers {
			of.Layers = append(of.Layers, im.Layers[l.index])
			if files[path.Join(dir, l.name, sbom.FileName)], err = im.Layers[l.index].Document(created); err != nil {
				return nil, err
			}
		}
		switch {
		case len(modules) == 1:
			of = im
		case n == len(modules)-1:
			of.Debs = im.Debs
		}
		if len(of.Layers)+len(of.Debs) == 0 {
			continue
		}
		if files[path.Join(dir, sbom.FileName)], err = of.Document(created); err != nil {
			return nil, err
		}
	}
	return files, nil
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
	im, _ := labelledSBOM(l, md)
	return im.Document(time.Unix(l.Time, 0))
}

// labelledSBOM returns what an image that has been built consists of, and its modules, from its labels.
func labelledSBOM(l layerkey.Label, md label.LifecycleMetadata) (im sbom.Image, modules []sbomModule) {
	im = sbom.Image{Name: l.Name, Version: l.Version}
	if l.RunPackages != nil {
		im.Debs = debs(l.RunPackages.Installed)
	}
	for _, bp := range md.Buildpacks {
		version := bp.Version
		if version == module.NoVersion {
			version = ""
		}
		modules = append(modules, sbomModule{dir: launch.EscapeID(bp.Key), id: bp.Key, version: version})
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
		for i := range modules {
			if path.Join(step.LayersDir, modules[i].dir, r.Name) == r.Parts.Layer {
				modules[i].layers = append(modules[i].layers, sbomLayer{len(im.Layers), r.Name})
			}
		}
		im.Layers = append(im.Layers, layer)
	}
	return im, modules
}
