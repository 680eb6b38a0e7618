package convert

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	bk "github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/step"
)

// descriptions collects what is left to be found out about layers, as one Inquiry.
type descriptions struct {
	fact.Inquiry
	copies *bk.FileAction
	layers []*layer // that it depends on
	id     string   // of the project and the layers' keys, for onTop
}

// add makes the answer to a question, a file of some state, a part of the inquiry.
func (d *descriptions) add(q fact.Question, st bk.State, file string) {
	at := path.Join("/", strconv.Itoa(len(d.Files)))
	d.Files[q] = at
	d.copies = d.copies.Copy(st, file, at)
}

func (s steps) newDescriptions() *descriptions {
	return &descriptions{Inquiry: fact.Inquiry{Files: map[fact.Question]string{}}, id: layerkey.Digest([]byte(s.in.Project))}
}

// finish makes the inquiry of what was added, and returns false when that is nothing.
func (s steps) finish(d *descriptions, what string) bool {
	if d.copies == nil {
		return false
	}
	d.State = bk.Scratch().File(d.copies, options(s.Name("", "descriptions of "+what), d.layers...)...)
	return true
}

// describeMade asks what is left to be found out about the layers of the packfile, nil when nothing is. Answering it runs the steps
// of all layers, also of those that are not in the image. A step that runs in any case describes parts of the image as well; rest are
// those that none does.
func (s steps) describeMade(ctx context.Context, parts []undescribed) (asked *descriptions, rest []undescribed, err error) {
	asked, rest = s.newDescriptions(), parts
	built, timed, err := s.undescribedLayers(ctx, asked)
	if err != nil {
		return nil, nil, err
	}
	most := 1
	if !s.in.CacheImported {
		most = maxDescribed
		if len(built)+len(timed) > 0 {
			timed, rest = append(timed, rest...), nil
		}
	}
	if s.in.Time.Equal(container.DefaultTime) {
		built, timed = append(built, timed...), nil
	}
	if err := errors.Join(s.describeAll(asked, built, most, container.DefaultTime), s.describeAll(asked, timed, most, s.in.Time)); err != nil {
		return nil, nil, err
	}
	if !s.finish(asked, "layers") {
		return nil, rest, nil
	}
	return asked, rest, nil
}

// describeParts asks what is left to be found out about the parts of the image, nil when nothing is.
func (s steps) describeParts(parts ...[]undescribed) (*descriptions, error) {
	asked := s.newDescriptions()
	asked.layers = s.lockApp()
	for _, some := range parts {
		if err := s.describeAll(asked, some, maxDescribed, s.in.Time); err != nil {
			return nil, err
		}
	}
	if !s.finish(asked, "the image") {
		return nil, nil
	}
	return asked, nil
}

// undescribed is a layer of the image to describe.
type undescribed struct {
	fact.Question
	tree  bk.State
	md    *bk.State // has the result of its run step; nil when that is not asked for
	layer *layer    // nil for a layer that is not the packfile's
	name  string
}

func undescribedLayer(l *layer, o *output) undescribed {
	return undescribed{Question: fact.Question{Layer: l.id, Kind: fact.Built}, tree: o.tree, md: &o.md, layer: l, name: l.path()}
}

// undescribedLayers are the layers of the packfile that are to be described: as steps see them, and as the image has them when
// that has another time.
func (s steps) undescribedLayers(ctx context.Context, d *descriptions) (built, timed []undescribed, err error) {
	for _, l := range s.layers {
		decision, err := s.decision(l)
		if err != nil {
			return nil, nil, err
		}
		otherTime := decision.Action == Reused && s.keepsDigest(l) && !s.in.Previous.Time.Equal(s.in.Time)
		if !s.runs[l] && !otherTime {
			continue
		}
		o, err := s.output(ctx, l)
		if err != nil {
			return nil, nil, err
		}
		layer := undescribedLayer(l, o)
		if a, asked := s.facts[layer.Question]; asked {
			d.add(layer.Question, a.Tree, a.File)
		} else if !o.reused {
			built = append(built, layer)
		}
		if otherTime || o.timed != nil && !o.reused && s.keepsDigest(l) {
			layer.Question, layer.tree, layer.md = fact.Question{Layer: l.id, Kind: fact.Timed}, o.inImage(), nil
			timed = append(timed, layer)
		}
		d.layers = append(d.layers, l)
		r, err := s.recipe(l)
		if err != nil {
			return nil, nil, err
		}
		d.id = layerkey.Digest([]byte(d.id + "\x00" + r.record.Key))
	}
	return built, timed, nil
}

// undescribedParts are the layers of the image that are not the packfile's: those of the app, which are others in most builds,
// and the rest. On a daemon that cannot merge their digests depend on what is below them, and there is nothing to describe.
func (s steps) undescribedParts(image []imageLayer) (app, rest []undescribed) {
	if s.in.Layering.Flat {
		return nil, nil
	}
	for _, l := range image {
		q := fact.Question{Layer: l.part, Kind: fact.Part}
		if _, answered := s.facts[q]; answered || l.part == "" {
			continue
		}
		part := undescribed{Question: q, tree: l.state, name: l.origin}
		if l.part == appPart || strings.HasPrefix(l.part, slicePart) {
			app = append(app, part)
		} else {
			rest = append(rest, part)
		}
	}
	return app, rest
}

// maxDescribed is how many layers one step describes. What made a layer of the packfile has noted its digest, so that most take
// no time, and what does is the container.
const maxDescribed = 50

// describeAll asks about layers whose files have time t, with steps that describe no more than most of them each.
func (s steps) describeAll(d *descriptions, layers []undescribed, most int, t time.Time) error {
	for some := range slices.Chunk(layers, most) {
		out, err := s.describe(some, t)
		if err != nil {
			return err
		}
		for i, l := range some {
			d.add(l.Question, out, container.TreeResult(i))
		}
	}
	return nil
}

// describe is one step that describes layers whose files have time t. The state has the result about each at treeResult.
func (s steps) describe(layers []undescribed, t time.Time) (bk.State, error) {
	var p container.Process
	var names []string
	for i, l := range layers {
		names = append(names, l.name)
		number := strconv.Itoa(i)
		p.Mount(llb.Mount{Dest: path.Join(step.TreeDir, number), Tree: l.tree, Kind: llb.ReadOnly, ByKey: true})
		if l.md != nil {
			p.Mount(llb.Mount{Dest: path.Join(step.RunResult, number), Tree: *l.md, Source: container.ResultPath, Kind: llb.ReadOnly})
		}
		affects := s.lockApp()
		if l.layer != nil {
			affects = []*layer{l.layer}
			p.At = append(p.At, l.layer.module.At(l.layer.Range()))
		}
		p.NoCache = p.NoCache || slices.ContainsFunc(affects, func(l *layer) bool { return l.affected })
	}
	if p.At == nil {
		p.At = []module.Place{s.in.Root.At(s.in.Root.Packfile.Config.Range())}
	}
	p.Spec.Task = step.Describe{Trees: names, Time: t.Unix()}
	p.Name = "describe " + someOf(names)
	if len(layers) == 1 && layers[0].layer != nil {
		l := layers[0].layer
		p.Subject, p.Module, p.Name, p.NoCache = l.id, l.module, "describe", p.NoCache || l.noCache
	}
	out, err := s.Exec(p)
	return out[step.OutDir], err
}

// describeCopies is one step that describes layers as they are copied out of the previous image.
func (s steps) describeCopies(qs []fact.Question) (fact.Inquiry, error) {
	in := fact.Inquiry{Files: map[fact.Question]string{}}
	var layers []undescribed
	for i, q := range qs {
		l := s.byID[q.Layer]
		layers = append(layers, undescribed{Question: q, tree: s.taken(l), layer: l, name: l.path()})
		in.Files[q] = container.TreeResult(i)
	}
	var err error
	in.State, err = s.describe(layers, s.in.Previous.Time)
	return in, err
}

// someOf is a list of names, not all of many.
func someOf(names []string) string {
	const most = 10
	if len(names) > most {
		names = append(names[:most:most], fmt.Sprintf("%d more", len(names)-most))
	}
	return strings.Join(names, ", ")
}
