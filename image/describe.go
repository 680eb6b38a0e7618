package image

import (
	"context"
	"errors"
	"path"
	"slices"
	"strconv"
	"time"

	bk "github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/graph"
	"github.com/packfile/frontend/layerkey"
)

// descriptions collects what is left to be found out about layers into one Inquiry.
type descriptions struct {
	fact.Inquiry
	copies *bk.FileAction
	layers []*graph.Layer // layers it depends on
	id     string         // of the project and the layers' keys, for onTop
}

// add adds a question to the inquiry, with its answer as a file of some state.
func (d *descriptions) add(q fact.Question, st bk.State, file string) {
	at := path.Join("/", strconv.Itoa(len(d.Files)))
	d.Files[q] = at
	d.copies = d.copies.Copy(st, file, at)
}

func (s assembly) newDescriptions() *descriptions {
	return &descriptions{Inquiry: fact.Inquiry{Files: map[fact.Question]string{}}, id: layerkey.Digest([]byte(s.Project))}
}

// finish makes the inquiry of what was added. It returns false when nothing was added.
func (s assembly) finish(d *descriptions, what string) bool {
	if d.copies == nil {
		return false
	}
	d.State = bk.Scratch().File(d.copies, graph.Options(s.Name("", "descriptions of "+what), d.layers...)...)
	return true
}

// describeMade asks what is left to be found out about the layers of the packfile; asked is nil when nothing is left. Answering
// runs the steps of all layers, even of those that are not in the image. Steps that run anyway describe parts of the image as
// well; rest are the parts that none of them describes.
func (s assembly) describeMade(ctx context.Context, parts []graph.Undescribed) (asked *descriptions, rest []graph.Undescribed, err error) {
	asked, rest = s.newDescriptions(), parts
	built, timed, err := s.undescribedLayers(ctx, asked)
	if err != nil {
		return nil, nil, err
	}
	if packages, left := s.packages.undescribed(s); left {
		timed = append(timed, packages)
	}
	most := 1
	if !s.CacheImported {
		most = graph.MaxDescribed
		if len(built)+len(timed) > 0 {
			timed, rest = append(timed, rest...), nil
		}
	}
	if s.Time.Equal(container.DefaultTime) {
		built, timed = append(built, timed...), nil
	}
	if err := errors.Join(s.describeAll(asked, built, most, container.DefaultTime), s.describeAll(asked, timed, most, s.Time)); err != nil {
		return nil, nil, err
	}
	if !s.finish(asked, "layers") {
		return nil, rest, nil
	}
	return asked, rest, nil
}

// describeParts asks what is left to be found out about the parts of the image: those of the app, and the rest. It returns nil when
// nothing is left.
func (s assembly) describeParts(app, rest []graph.Undescribed) (*descriptions, error) {
	asked := s.newDescriptions()
	asked.layers = s.LockApp
	if err := errors.Join(s.describeAll(asked, app, graph.MaxDescribed, s.AppTime), s.describeAll(asked, rest, graph.MaxDescribed, s.Time)); err != nil {
		return nil, err
	}
	if !s.finish(asked, "the image") {
		return nil, nil
	}
	return asked, nil
}

// undescribedLayers returns the layers of the packfile to describe: as steps see them, and as the image has them when the image's
// time differs.
func (s assembly) undescribedLayers(ctx context.Context, d *descriptions) (built, timed []graph.Undescribed, err error) {
	for _, l := range s.Layers {
		decision, err := s.Decision(l)
		if err != nil {
			return nil, nil, err
		}
		otherTime := decision.Action == graph.Reused && s.KeepsDigest(l) && !s.Previous.Time.Equal(s.Time)
		if !s.Runs(l) && !otherTime {
			continue
		}
		o, err := s.Output(ctx, l)
		if err != nil {
			return nil, nil, err
		}
		layer := o.Undescribed(l)
		if a, asked := s.Fact(layer.Question); asked {
			d.add(layer.Question, a.Tree, a.File)
		} else if !o.Reused {
			built = append(built, layer)
		}
		if otherTime || o.Timed != nil && !o.Reused && s.KeepsDigest(l) {
			layer.Question, layer.Tree, layer.Result = fact.Question{Layer: l.ID, Kind: fact.Timed}, o.InImage(), nil
			timed = append(timed, layer)
		}
		d.layers = append(d.layers, l)
		r, err := s.Record(l)
		if err != nil {
			return nil, nil, err
		}
		d.id = layerkey.Digest([]byte(d.id + "\x00" + r.Key))
	}
	return built, timed, nil
}

// undescribedParts returns the layers of the image that are not the packfile's: those of the app, which change with most builds,
// and the rest. It returns none on a daemon that cannot merge: there, digests depend on what is below, and there is nothing to
// describe.
func (s assembly) undescribedParts(image []imageLayer) (app, rest []graph.Undescribed) {
	if s.Layering.Flat {
		return nil, nil
	}
	for _, l := range image {
		q := fact.Question{Layer: l.part, Kind: fact.Part}
		if _, answered := s.Fact(q); answered || l.part == "" || l.part == packagesPart {
			continue
		}
		part := graph.Undescribed{Question: q, Tree: l.state, Name: l.origin}
		if l.ofApp() {
			app = append(app, part)
		} else {
			rest = append(rest, part)
		}
	}
	return app, rest
}

// describeAll asks about layers whose files have time t. Each of its steps describes up to most layers.
func (s assembly) describeAll(d *descriptions, layers []graph.Undescribed, most int, t time.Time) error {
	for some := range slices.Chunk(layers, most) {
		out, err := s.Describe(some, t)
		if err != nil {
			return err
		}
		for i, l := range some {
			d.add(l.Question, out, container.TreeResult(i))
		}
	}
	return nil
}
