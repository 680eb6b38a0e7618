package graph

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	bk "github.com/moby/buildkit/client/llb"
	digest "github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/step"
)

// Undescribed is a layer of the image to describe.
type Undescribed struct {
	fact.Question
	Tree   bk.State
	Result *bk.State // has the result of its run step; nil when that is not asked for
	Layer  *Layer    // nil for a layer that is not the packfile's
	Name   string
}

// Undescribed is what is to be found out about a layer that has this output.
func (o *Output) Undescribed(l *Layer) Undescribed {
	return Undescribed{Question: fact.Question{Layer: l.ID, Kind: fact.Built}, Tree: o.tree, Result: &o.md, Layer: l, Name: l.Path()}
}

// MaxDescribed is how many layers one step describes. What made a layer of the packfile has noted its digest, so that most take
// no time, and what does is the container.
const MaxDescribed = 50

// Describe is one step that describes layers whose files have time t. The state has the result about each at treeResult.
func (s Steps) Describe(layers []Undescribed, t time.Time) (bk.State, error) {
	var p container.Process
	var names []string
	for i, l := range layers {
		names = append(names, l.Name)
		number := strconv.Itoa(i)
		p.Mount(llb.Mount{Dest: path.Join(step.TreeDir, number), Tree: l.Tree, Kind: llb.ReadOnly, ByKey: true})
		if l.Result != nil {
			p.Mount(llb.Mount{Dest: path.Join(step.RunResult, number), Tree: *l.Result, Source: container.ResultPath, Kind: llb.ReadOnly})
		}
		affects := s.LockApp()
		if l.Layer != nil {
			affects = []*Layer{l.Layer}
			p.At = append(p.At, l.Layer.Module.At(l.Layer.Range()))
		}
		p.NoCache = p.NoCache || slices.ContainsFunc(affects, func(l *Layer) bool { return l.affected })
	}
	if p.At == nil {
		p.At = []module.Place{s.Root.At(s.Root.Packfile.Config.Range())}
	}
	p.Spec.Task = step.Describe{Trees: names, Time: t.Unix()}
	p.Name = "describe " + someOf(names)
	if len(layers) == 1 && layers[0].Layer != nil {
		l := layers[0].Layer
		p.Subject, p.Module, p.Name, p.NoCache = l.ID, l.Module, "describe", p.NoCache || l.noCache
	}
	out, err := s.Exec(p)
	return out[step.OutDir], err
}

// describeCopies is one step that describes layers as they are copied out of the previous image.
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

// someOf is a list of names, not all of many.
func someOf(names []string) string {
	const most = 10
	if len(names) > most {
		names = append(names[:most:most], fmt.Sprintf("%d more", len(names)-most))
	}
	return strings.Join(names, ", ")
}

// AskTarget is what describes the target, for its SBOM.
func (d *Decisions) AskTarget(ctx context.Context) ([]fact.Inquiry, error) {
	return d.Ask(ctx, []fact.Question{{Layer: d.TargetLayer.ID, Kind: fact.Built}}, nil)
}

// Description is what is known of a layer that is built.
type Description struct {
	Metadata map[string]any // as its run step left it
	Content  string         // diff id with DefaultTime
	DiffID   string         // diff id in the image, "" when it is not there
}

// contentOf is what a record says of a layer.
func contentOf(r layerkey.Record) Description {
	return Description{Metadata: r.Metadata, Content: r.Content, DiffID: r.DiffID}
}

// Described returns the description of a decided layer, nil while it is not known.
func (d *Decisions) Described(l *Layer) *Description {
	seen := d.content(l)
	if seen == nil {
		return nil
	}
	if timed, ok := d.facts[fact.Question{Layer: l.ID, Kind: fact.Timed}]; ok {
		seen.DiffID = timed.DiffID
	}
	if !d.KeepsDigest(l) {
		seen.DiffID = ""
	}
	return seen
}

// KeepsDigest says whether a layer has the same digest in the image as it has alone.
func (g *Graph) KeepsDigest(l *Layer) bool { return l.Export && !g.Layering.Flat }

// metadataTree is $MD as a run step leaves it, made from what a label says of it.
func metadataTree(metadata map[string]any, owner llb.Owner, opts ...bk.ConstraintsOpt) bk.State {
	by := bk.WithUIDGID(owner.UID, owner.GID)
	action := bk.Mkdir(container.OutDir, 0o755, by).Mkdir(mdDir, 0o755, by)
	var add func(dir string, table map[string]any)
	add = func(dir string, table map[string]any) {
		for _, key := range slices.Sorted(maps.Keys(table)) {
			name := path.Join(dir, key)
			switch v := table[key].(type) {
			case string:
				action = action.Mkfile(name, 0o644, []byte(step.FileValue(v)), by)
			case map[string]any:
				action = action.Mkdir(name, 0o755, by)
				add(name, v)
			}
		}
	}
	add(mdDir, metadata)
	return bk.Scratch().File(action, opts...)
}

// Fetched returns the deps that a layer has from the network.
func (d *Decisions) Fetched(l *Layer) (files []llb.Material, err error) {
	r, err := d.recipe(l)
	if err != nil {
		return nil, err
	}
	for i, dep := range r.task.Deps {
		// Those without sha are asked for in every build, so that provenance names them anyway.
		if dep.File == "" || dep.Vendored || unpinned(l.Provide.Deps[i]) {
			continue
		}
		for _, m := range r.run.Mounts {
			if m.Dest == path.Dir(dep.File) {
				files = append(files, llb.Material{Source: m.Tree, File: path.Base(dep.File), Owner: d.Owner, Digest: digest.NewDigestFromEncoded(digest.SHA256, dep.SHA)})
			}
		}
	}
	return files, nil
}
