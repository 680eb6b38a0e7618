package image

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	digest "github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/cnb/label"
	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/graph"
	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/module"
)

// labels adds to the labels what the image says of itself, in Cloud Native Buildpacks' terms and in ours.
func (d assembly) labels(labels map[string]string, layers []imageLayer) error {
	ours, err := d.label()
	if err != nil {
		return err
	}
	lifecycle, err := d.lifecycleMetadata(layers)
	if err != nil {
		return err
	}
	// The run image knows best whether others may take its place.
	// Packages are made on this one: other tools cannot make them on another.
	rebasable := lifecycle.RunImage.TopLayer != "" && labels[label.Rebasable] != "false" && d.packages == nil
	labels[layerkey.LabelName] = ours
	labels[label.Project] = "{}"
	labels[label.Rebasable] = fmt.Sprint(rebasable)
	if err := label.Set(labels, label.Lifecycle, lifecycle); err != nil {
		return err
	}
	return label.Set(labels, label.Build, d.buildMetadata())
}

// lifecycleMetadata returns the label that says which layer is what.
func (d assembly) lifecycleMetadata(layers []imageLayer) (md label.LifecycleMetadata, err error) {
	of := map[*module.Module]*label.BuildpackLayers{}
	md.Buildpacks = make([]label.BuildpackLayers, len(d.Modules))
	for i, m := range d.Modules {
		of[m] = &md.Buildpacks[i]
		*of[m] = label.BuildpackLayers{Key: m.ID(), Version: m.Version(), Layers: map[string]label.BuildpackLayer{}}
	}
	md.App = []label.Layer{}
	for _, l := range layers {
		id, err := d.diffID(l)
		if err != nil {
			return md, err
		}
		is := label.Layer{SHA: id.String()}
		switch {
		case l.layer != nil:
			seen := d.Described(l.layer) // not nil: all layers are described
			of[l.layer.Module].Layers[l.layer.Name] = label.BuildpackLayer{
				SHA: is.SHA, Data: seen.Metadata, Build: l.layer.Expose, Launch: true, Cache: l.layer.Store,
			}
		case l.part == packagesPart: // it is neither the run image's nor the app's
		case l.part == launcherPart:
			md.Launcher = is
		case l.part == metadataPart:
			md.Config = is
		case l.part == processesPart:
			md.ProcessTypes = is
		case strings.HasPrefix(l.part, sbomPart):
			md.SBOM = &is
		default:
			md.App = append(md.App, is)
		}
	}
	md.RunImage = runImage(d.Run)
	md.Stack.RunImage.Image = d.Run.Name
	return md, nil
}

// runImage returns what the label says of a run image.
func runImage(base container.Base) label.RunImage {
	return label.RunImage{TopLayer: topLayer(base), Reference: base.Reference(), Image: base.Name}
}

// topLayer returns the diff id of an image's last layer, "" when it has none.
func topLayer(base container.Base) string {
	if base.Config == nil || len(base.Config.RootFS.DiffIDs) == 0 {
		return ""
	}
	ids := base.Config.RootFS.DiffIDs
	return ids[len(ids)-1].String()
}

// diffID returns the diff id of a layer of the image. It returns "" when the digest depends on what is below, and fails for a
// layer that is not described.
func (d assembly) diffID(l imageLayer) (digest.Digest, error) {
	if d.Layering.Flat {
		return "", nil
	}
	if l.part == packagesPart {
		return d.packages.diffID(d)
	}
	if l.layer == nil {
		r, ok := d.Fact(fact.Question{Layer: l.part, Kind: fact.Part})
		if !ok {
			return "", fmt.Errorf("layer %s is not described", l.part)
		}
		return digest.Digest(r.DiffID), nil
	}
	seen := d.Described(l.layer)
	if seen == nil {
		return "", fmt.Errorf("layer %q is not described", l.layer.ID)
	}
	return digest.Digest(seen.DiffID), nil
}

// buildMetadata returns the label that says what the image was built with, and what it runs.
func (d assembly) buildMetadata() label.BuildMetadata {
	md := d.metadata()
	build := label.BuildMetadata{Processes: []label.Process{}, DefaultProcessType: md.DefaultProcessType}
	for _, bp := range md.Buildpacks {
		build.Buildpacks = append(build.Buildpacks, label.Buildpack{ID: bp.ID, Version: bp.Version, Homepage: bp.Homepage})
	}
	for _, p := range md.Processes {
		build.Processes = append(build.Processes, label.Process{
			Type: p.Type, Command: p.Command, Args: p.Args, Direct: p.Direct, WorkingDir: p.WorkingDir, BuildpackID: p.Buildpack,
		})
	}
	slices.SortFunc(build.Processes, func(x, y label.Process) int { return cmp.Compare(x.Type, y.Type) })
	build.Launcher.Version = d.launcherVersion()
	return build
}

// label returns our own label, which describes the layers. Every layer must be described.
func (d assembly) label() (string, error) {
	label := layerkey.Label{
		Name: d.Root.ID(), Version: d.Root.Packfile.Config.Version, Time: d.Time.Unix(), Layers: []layerkey.Record{},
	}
	for _, l := range d.Layers {
		if d.Dropped(l) {
			continue
		}
		r, err := d.Record(l)
		if err != nil {
			return "", err
		}
		seen := d.Described(l)
		if seen == nil {
			return "", fmt.Errorf("layer %q is not described", l.ID)
		}
		r.Metadata, r.Content, r.DiffID = seen.Metadata, seen.Content, seen.DiffID
		var unknown *graph.Layer
		if r.Links, unknown, err = d.LinkContents(l); err != nil {
			return "", err
		}
		if unknown != nil {
			return "", fmt.Errorf("layer %q is not described", unknown.ID)
		}
		if !d.Build.Exact {
			r.Key = ""
		}
		label.Layers = append(label.Layers, r)
	}
	known := true
	if label.RunPackages, known = d.packages.recorded(d); !known {
		return "", fmt.Errorf("layer %s is not described", packagesPart)
	}
	data, err := json.Marshal(label)
	return string(data), err
}
