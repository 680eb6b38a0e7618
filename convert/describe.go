package convert

import (
	"context"
	"path"
	"strconv"
	"strings"

	bk "github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/step"
)

// descriptions collects what is left to be found out about layers, as one Inquiry.
type descriptions struct {
	Inquiry
	copies *bk.FileAction
	layers []*layer // that it depends on
}

// add makes the answer to a question, a file of some state, a part of the inquiry.
func (d *descriptions) add(q Question, st bk.State, file string) {
	at := path.Join("/", strconv.Itoa(len(d.Files)))
	d.Files[q] = at
	d.copies = d.copies.Copy(st, file, at)
}

// descriptions are what is left to be found out about the layers of the packfile and of the image; nil when it is nothing.
// Answering it runs the steps of all layers, also of those that are not in the image.
func (b *Build) descriptions(ctx context.Context, image []imageLayer, f Facts) (*Inquiry, error) {
	d := &descriptions{Inquiry: Inquiry{Files: map[Question]string{}, id: digestOf([]byte(b.in.Project))}}
	if b.below == nil { // a second image of one build has the same layers of the packfile
		if err := b.describeLayers(ctx, d, f); err != nil {
			return nil, err
		}
	}
	if err := b.describeParts(d, image, f); err != nil {
		return nil, err
	}
	if d.copies == nil {
		return nil, nil
	}
	d.State = bk.Scratch().File(d.copies, options(b.name("", "descriptions of layers"), d.layers...)...)
	return &d.Inquiry, nil
}

// describeLayers asks about the layers of the packfile.
func (b *Build) describeLayers(ctx context.Context, d *descriptions, f Facts) error {
	for _, l := range b.layers {
		decision, err := b.decide(l, f)
		if err != nil {
			return err
		}
		if decision.Action != Made {
			continue
		}
		if _, err := b.output(ctx, l, f); err != nil { // which may need one that was to be kept
			return err
		}
	}
	for _, l := range b.layers {
		decision, err := b.decide(l, f)
		if err != nil {
			return err
		}
		otherTime := decision.Action == Reused && b.keepsDigest(l) && !b.in.Previous.time.Equal(b.in.Time)
		if decision.Action != Made && !b.ran[l.Name] && !otherTime {
			continue
		}
		o, err := b.output(ctx, l, f)
		if err != nil {
			return err
		}
		if !o.reused {
			d.add(Question{l.Name, Built}, o.said, describedPath)
		}
		if otherTime || o.timed != nil && !o.reused && b.keepsDigest(l) {
			d.add(Question{l.Name, Timed}, o.inImage().said, describedPath)
		}
		d.layers = append(d.layers, l)
		plan, err := b.plan(l, f)
		if err != nil {
			return err
		}
		d.id = digestOf([]byte(d.id + "\x00" + plan.record.Key))
	}
	return nil
}

// describeParts asks, with one step, about the layers of the image that are not the packfile's. On a daemon that cannot
// merge their digests depend on what is below them, and there is nothing to ask.
func (b *Build) describeParts(d *descriptions, image []imageLayer, f Facts) error {
	if b.in.Layering.Flat {
		return nil
	}
	p := process{name: "describe", files: stepFiles{b: b}, at: []packfile.Range{b.in.Packfile.Config.Range()}}
	p.spec = step.Spec{Kind: step.Describe, Time: b.in.Time.Unix()}
	var questions []Question
	var origins []string
	for _, l := range image {
		q := Question{l.part, Part}
		if _, answered := f[q]; answered || l.part == "" {
			continue
		}
		p.spec.Trees = append(p.spec.Trees, l.part)
		p.mount(llb.Mount{Dest: path.Join(step.TreeDir, l.part), Tree: l.state, Kind: llb.ReadOnly, ByKey: true})
		questions, origins = append(questions, q), append(origins, l.origin)
	}
	if questions == nil {
		return nil
	}
	p.name += " " + strings.Join(origins, ", ")
	for _, l := range b.lockApp() {
		p.noCache = p.noCache || l.affected
		d.layers = append(d.layers, l)
	}
	out, err := b.exec(p)
	if err != nil {
		return err
	}
	for _, q := range questions {
		d.add(q, out[step.OutDir], path.Join(outDir, q.Layer+".json"))
	}
	return nil
}
