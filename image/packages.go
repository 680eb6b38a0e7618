package image

import (
	"fmt"
	"time"

	bk "github.com/moby/buildkit/client/llb"
	digest "github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/cnb/label"
	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/graph"
	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/step"
)

// packagesPart is the name, for descriptions, of the layer with the packages of the app image. It is right on the run image.
const packagesPart = container.RunPackages

// packages is the layer with the packages of the app image: what is known of it before it is made, and what becomes of it.
type packages struct {
	*container.Wanted
	record layerkey.RunPackages // without what is found out when it is made
	graph.Decision

	old    layerkey.RunPackages // of the previous image, when the layer is reused
	layer  bk.State             // as the image has it
	result *bk.State            // of the step that made it; nil when it is reused
}

// findPackages returns the layer with the packages of the app image, nil when nobody wants any. It decides what becomes of the layer.
func findPackages(s assembly) (*packages, error) {
	if s.TargetLayer != nil {
		return nil, nil
	}
	wanted, err := s.Unite(container.RunPackages, s.speakers(), s.Now)
	if wanted == nil || err != nil {
		return nil, err
	}
	p := &packages{Wanted: wanted}
	if p.record, err = recordPackages(wanted, s.Run, s.Builder); err != nil {
		return nil, err
	}
	p.Decision = p.decide(s)
	return p, nil
}

// recordPackages returns the record of the layer that packages make on a run image, as far as it is known before the layer is made.
func recordPackages(w *container.Wanted, run container.Base, b *container.Builder) (r layerkey.RunPackages, err error) {
	r.Parts = layerkey.RunPackagesParts{Contract: step.Contract, Platform: container.PlatformString(b.Platform), RunImage: run.Digest.String(), Packages: w.Key}
	r.Files, r.Owner = w.Files, b.Owner.String()
	if w.Refresh > 0 {
		r.Refresh = w.Refresh.String()
	}
	if run.Config != nil {
		r.Fixed = run.Config.Config.Labels[label.Rebasable] == "false"
	}
	if run.Exact {
		r.Key, err = r.Parts.MakeKey()
	}
	return r, err
}

// decide decides what becomes of the layer. It is reused when the previous image has it under the same key.
func (p *packages) decide(s assembly) graph.Decision {
	made := func(reason string) graph.Decision { return graph.Decision{Action: graph.Made, Reason: reason} }
	if s.Previous == nil {
		return made("")
	}
	old := s.Previous.RunPackages()
	switch {
	case old == nil:
		return made("the previous image does not have it")
	case !s.Run.Exact:
		return made("the run image has no digest")
	case old.Key == "":
		return made("the previous image was built on a run image that has no digest")
	case old.Key != p.record.Key:
		return graph.Decision{Action: graph.Made, Changes: layerkey.PackageChanges(*old, p.record)}
	case s.NoCache(container.RunPackages):
		return made("no cache is wanted")
	}
	p.old = *old
	return graph.Decision{Action: graph.Reused}
}

// make makes the layer, or takes it from the previous image. No script of the packfile sees it.
func (p *packages) make(s assembly) error {
	var files bk.State
	if p.Action == graph.Reused {
		files = p.taken(s)
		if s.Previous.Time.Equal(s.Time) {
			p.layer = files
			return nil
		}
	} else {
		layer, result, err := s.PackagesLayer(p.Install(s.Run, p.Why(), s.NoCache(container.RunPackages)))
		if err != nil {
			return err
		}
		files, p.result = layer, &result
		if s.Time.Equal(container.DefaultTime) {
			p.layer = files
			return nil
		}
	}
	var err error
	p.layer, err = sealPackages(s.Builder, p.Wanted, files, s.Time)
	return err
}

// taken returns the layer of the previous image as it is there.
func (p *packages) taken(s assembly) bk.State {
	return llb.Reference(digest.Digest(p.old.DiffID), bk.WithCustomName(s.Name(container.RunPackages, "reused from the previous image")))
}

// sealPackages copies a layer with packages, and gives its files a time.
func sealPackages(b *container.Builder, w *container.Wanted, tree bk.State, t time.Time) (bk.State, error) {
	p := container.Process{
		Subject: container.RunPackages, At: w.At[:min(len(w.At), 1)], Name: "layer", NoCache: b.NoCache(container.RunPackages),
	}
	p.Spec.Task = step.Seal{Time: t.Unix()}
	p.Mount(llb.Mount{Dest: step.TreeDir, Tree: tree, Kind: llb.ReadOnly, ByKey: true})
	p.Mount(llb.Mount{Dest: step.SealedDir, Tree: bk.Scratch(), Kind: llb.Output})
	out, err := b.Exec(p)
	return out[step.SealedDir], err
}

// question is what is to be found out about the layer: its diff id, and what was installed.
func (p *packages) question() fact.Question {
	return fact.Question{Layer: packagesPart, Kind: fact.Part}
}

// undescribed returns what is left to be found out about the layer; false when there is nothing.
func (p *packages) undescribed(s assembly) (graph.Undescribed, bool) {
	if p == nil || p.Action == graph.Reused && s.Previous.Time.Equal(s.Time) {
		return graph.Undescribed{}, false
	}
	return graph.Undescribed{Question: p.question(), Tree: p.layer, Result: p.result, Name: container.RunPackages}, true
}

// recorded returns what the label says of the layer, nil when there is none. known reports whether that is all: what was
// installed may not be known yet.
func (p *packages) recorded(s assembly) (r *layerkey.RunPackages, known bool) {
	if p == nil {
		return nil, true
	}
	record := p.record
	found, answered := s.Fact(p.question())
	known = true
	if p.Action == graph.Reused {
		record.Installed, record.DiffID = p.old.Installed, p.old.DiffID
		if _, left := p.undescribed(s); left {
			record.DiffID, known = found.DiffID, answered
		}
	} else {
		record.Installed, record.DiffID, known = found.Packages, found.DiffID, answered
	}
	if s.Layering.Flat {
		record.DiffID = "" // it depends on what is below
	}
	return &record, known
}

// diffID returns the diff id of the layer. It fails while that is not known.
func (p *packages) diffID(s assembly) (digest.Digest, error) {
	r, known := p.recorded(s)
	if !known {
		return "", fmt.Errorf("layer %s is not described", packagesPart)
	}
	return digest.Digest(r.DiffID), nil
}

// ExplainPackages returns what becomes of the layer with the packages of the app image; nil when there is none.
func ExplainPackages(d *graph.Decisions, in Input) (*graph.Explanation, error) {
	p, err := findPackages(assembly{Steps: graph.Steps{Decisions: d}, Input: in})
	if p == nil || err != nil {
		return nil, err
	}
	e := &graph.Explanation{Layer: container.RunPackages, Action: p.Action, Why: p.Why(), Changes: p.Changes}
	if p.Action == graph.Reused && !d.Previous.Time.Equal(d.Time) {
		e.Why = graph.WhyRetimed
	}
	return e, nil
}

// Reused returns a state with all that the build reuses from the previous image, as graph.Decisions.Reused does, with the packages of
// the app image.
func Reused(d *graph.Decisions, in Input) *bk.State {
	layers := d.Reused()
	s := assembly{Steps: graph.Steps{Decisions: d}, Input: in}
	p, err := findPackages(s)
	if err != nil || p == nil || p.Action != graph.Reused {
		return layers
	}
	taken := p.taken(s)
	if layers == nil {
		return &taken
	}
	both := bk.Merge([]bk.State{taken, *layers}, bk.WithCustomName(d.Name("", "reused from the previous image")))
	return &both
}
