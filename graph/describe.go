package graph

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	bk "github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/step"
)

// Undescribed is a layer of the image to describe.
type Undescribed struct {
	fact.Question
	Tree   bk.State
	Result *bk.State // tree with the result of its run step; nil when nobody asks for that
	Layer  *Layer    // nil when it is not a layer of the packfile
	Name   string
}

// Undescribed returns what is to be found out about a layer with this output.
func (o *Output) Undescribed(l *Layer) Undescribed {
	return Undescribed{Question: fact.Question{Layer: l.ID, Kind: fact.Built}, Tree: o.tree, Result: &o.md, Layer: l, Name: l.Path()}
}

// MaxDescribed is how many layers one step describes. What takes time is the container: for most layers of the packfile, the step
// that made them has noted their digest.
const MaxDescribed = 50

// Describe returns one step that describes layers whose files have time t. The state has the result about layer i at
// container.TreeResult(i).
func (s Steps) Describe(layers []Undescribed, t time.Time) (bk.State, error) {
	var p container.Process
	var names []string
	var targets map[int][]string
	for i, l := range layers {
		names = append(names, l.Name)
		number := strconv.Itoa(i)
		p.Mount(llb.Mount{Dest: path.Join(step.TreeDir, number), Tree: l.Tree, Kind: llb.ReadOnly, ByKey: true})
		if l.Result != nil {
			p.Mount(llb.Mount{Dest: path.Join(step.RunResult, number), Tree: *l.Result, Source: container.ResultPath, Kind: llb.ReadOnly})
		}
		affects := s.LockApp
		if l.Layer != nil {
			affects = []*Layer{l.Layer}
			p.At = append(p.At, l.Layer.Module.At(l.Layer.Range()))
			for _, link := range l.Layer.Provide.AppSymlinks {
				if targets == nil {
					targets = map[int][]string{}
				}
				targets[i] = append(targets[i], inTree(l.Layer, link))
			}
		}
		p.NoCache = p.NoCache || slices.ContainsFunc(affects, func(l *Layer) bool { return l.affected })
	}
	if p.At == nil {
		p.At = []module.Place{s.Root.At(s.Root.Packfile.Config.Range())}
	}
	p.Spec.Task = step.Describe{Trees: names, Targets: targets, Time: t.Unix()}
	p.Name = "describe " + someOf(names)
	if len(layers) == 1 && layers[0].Layer != nil {
		l := layers[0].Layer
		p.Subject, p.Module, p.Name, p.NoCache = l.ID, l.Module, "describe", p.NoCache || l.noCache
	}
	out, err := s.Exec(p)
	return out[step.OutDir], err
}

// describeCopies returns one step that describes layers as they are copied out of the previous image.
func (s Steps) describeCopies(qs []fact.Question) (fact.Inquiry, error) {
	in := fact.Inquiry{Files: map[fact.Question]string{}}
	var layers []Undescribed
	for i, q := range qs {
		l := s.byID[q.Layer]
		layers = append(layers, Undescribed{Question: q, Tree: s.taken(l), Layer: l, Name: l.Path()})
		in.Files[q] = container.TreeResult(i)
	}
	var err error
	in.State, err = s.Describe(layers, s.Previous.Time)
	return in, err
}

// someOf returns a list of names, cut off when there are many.
func someOf(names []string) string {
	const most = 10
	if len(names) > most {
		names = append(names[:most:most], fmt.Sprintf("%d more", len(names)-most))
	}
	return strings.Join(names, ", ")
}

// Description is what is known of a layer that was built.
type Description struct {
	Metadata metadata.Table // as its run step left it
	Content  string         // diff id with DefaultTime
	DiffID   string         // diff id in the image, "" when it is not there
}

// Described returns the description of a decided layer, nil while it is not known. Its content is that of a record of the previous
// image only as long as nobody looks at the layer: see layerkey.Record.
func (d *Decisions) Described(l *Layer) *Description {
	known := d.content(l)
	if known == nil {
		return nil
	}
	seen := known.Description
	if timed, ok := d.facts[fact.Question{Layer: l.ID, Kind: fact.Timed}]; ok {
		seen.DiffID = timed.DiffID
		if d.Time.Equal(container.DefaultTime) {
			seen.Content = timed.DiffID
		}
	}
	if !d.KeepsDigest(l) {
		seen.DiffID = ""
	}
	return &seen
}

// KeepsDigest reports whether a layer has the same digest in the image as alone.
func (g *Graph) KeepsDigest(l *Layer) bool { return l.Export && !g.Layering.Flat }
