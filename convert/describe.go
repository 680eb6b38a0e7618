package convert

import (
	"context"
	"errors"
	"path"
	"slices"
	"strconv"
	"strings"

	bk "github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/llb"
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

func (b *Build) newDescriptions() *descriptions {
	return &descriptions{Inquiry: Inquiry{Files: map[Question]string{}, id: digestOf([]byte(b.in.Project))}}
}

// inquiry is nil when there is nothing to ask.
func (b *Build) inquiry(d *descriptions, what string) *Inquiry {
	if d.copies == nil {
		return nil
	}
	d.State = bk.Scratch().File(d.copies, options(b.name("", "descriptions of "+what), d.layers...)...)
	return &d.Inquiry
}

// descriptions are what is left to be found out about the layers of the packfile and of the image. Answering it runs the steps
// of all layers, also of those that are not in the image.
func (b *Build) descriptions(ctx context.Context, image []imageLayer, f Facts) (left []Inquiry, err error) {
	parts := b.newDescriptions()
	if err := b.describeParts(parts, image, f); err != nil {
		return nil, err
	}
	if in := b.inquiry(parts, "the image"); in != nil {
		left = append(left, *in)
	}
	if b.below != nil { // a second image of one build has the same layers of the packfile
		return left, nil
	}
	layers := b.newDescriptions()
	if err := b.describeLayers(ctx, layers, f); err != nil {
		return nil, err
	}
	if b.below = b.inquiry(layers, "layers"); b.below != nil {
		left = append(left, *b.below)
	}
	return left, nil
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
		if decision.Action != Made && !b.ran[l] && !otherTime {
			continue
		}
		o, err := b.output(ctx, l, f)
		if err != nil {
			return err
		}
		if !o.reused {
			d.add(Question{l.id, Built}, o.result, describedPath)
		}
		if otherTime || o.timed != nil && !o.reused && b.keepsDigest(l) {
			d.add(Question{l.id, Timed}, o.inImage().result, describedPath)
		}
		d.layers = append(d.layers, l)
		r, err := b.recipe(l, f)
		if err != nil {
			return err
		}
		d.id = digestOf([]byte(d.id + "\x00" + r.record.Key))
	}
	return nil
}

// describeParts asks about the layers of the image that are not the packfile's: with one step about those of the app, which
// are others in most builds, and with one about the rest. On a daemon that cannot merge their digests depend on what is below
// them, and there is nothing to ask.
func (b *Build) describeParts(d *descriptions, image []imageLayer, f Facts) error {
	if b.in.Layering.Flat {
		return nil
	}
	var app, rest []imageLayer
	for _, l := range image {
		_, answered := f[Question{l.part, Part}]
		switch {
		case l.part == "" || answered:
		case l.part == appPart || strings.HasPrefix(l.part, slicePart):
			app = append(app, l)
		default:
			rest = append(rest, l)
		}
	}
	d.layers = append(d.layers, b.lockApp()...)
	affected := slices.ContainsFunc(b.lockApp(), func(l *layer) bool { return l.affected })
	return errors.Join(b.describeSome(d, app, affected), b.describeSome(d, rest, false))
}

// describeSome asks about layers with one step.
func (b *Build) describeSome(d *descriptions, parts []imageLayer, noCache bool) error {
	if len(parts) == 0 {
		return nil
	}
	p := process{at: []place{b.in.Root.at(b.in.Root.Packfile.Config.Range())}, noCache: noCache}
	p.spec = step.Spec{Kind: step.Describe, Time: b.in.Time.Unix()}
	origins := make([]string, len(parts))
	for i, l := range parts {
		origins[i] = l.origin
		p.spec.Trees = append(p.spec.Trees, l.part)
		p.mount(llb.Mount{Dest: path.Join(step.TreeDir, strconv.Itoa(i)), Tree: l.state, Kind: llb.ReadOnly, ByKey: true})
	}
	p.name = "describe " + strings.Join(origins, ", ")
	out, err := b.exec(p)
	if err != nil {
		return err
	}
	for i, l := range parts {
		d.add(Question{l.part, Part}, out[step.OutDir], treeResult(i))
	}
	return nil
}
