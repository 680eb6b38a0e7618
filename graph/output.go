package graph

import (
	"context"
	"path"
	"slices"
	"time"

	bk "github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/step"
	"github.com/packfile/frontend/text"
)

// Output is a layer as other steps and the image see it: at its place below step.LayersDir, with one time for all files.
type Output struct {
	tree   bk.State  // the layer as steps see it: with DefaultTime
	Timed  *bk.State // the layer as the image has it, nil when that is the same as tree
	md     bk.State  // tree with the metadata that the run step left, in mdDir
	Raw    bk.State  // the layer that both were made from: the same files with any time
	linked *bk.State // tree as Steps.linked returns it
	Reused bool      // Raw is a layer of the previous image
	app    bk.State  // of a lock-app layer: the app as it left it
}

// mdDir is the folder with $MD in a step's output tree.
const mdDir = container.OutDir + "/" + step.MetadataDir

// Output returns the output of a layer that is ready. It builds a kept layer after all. It fails when the layer is not decided.
func (s Steps) Output(ctx context.Context, l *Layer) (*Output, error) {
	of := s.of(l)
	if of.output != nil {
		return of.output, nil
	}
	d, err := s.Decision(l)
	if err != nil {
		return nil, err
	}
	var o *Output
	if d.Action == Reused {
		o, err = s.reuse(l)
	} else {
		o, err = s.run(ctx, l, d)
	}
	if err != nil {
		return nil, err
	}
	of.output = o
	return o, nil
}

// run returns the output of a layer that is built.
func (s Steps) run(ctx context.Context, l *Layer, d *Decision) (*Output, error) {
	r, err := s.recipe(l)
	if err != nil {
		return nil, err
	}
	p := r.run
	if why := s.whyRun(l, d); why != "" {
		p.Name += " (" + why + ")"
	}
	if err := s.show(ctx, &p, l, r); err != nil {
		return nil, err
	}
	if l.Restore {
		p.Mount(s.CacheMount(l.Module, step.RestoreDir, "restore", l.Name, false))
	}
	if l.testScript() == nil {
		s.mountRequires(&p, l)
	}
	// The steps that answered questions go below the run step, so that a cache export takes them along. Their result is all that
	// counts: when it is the same, the run step is the same.
	for _, kind := range l.maker.questions(s.facts) {
		a := s.facts[fact.Question{Layer: l.maker.id(), Kind: kind}]
		if kind == fact.LookedUp {
			continue // no step answered it
		}
		p.Mount(llb.Mount{Dest: path.Join(step.FactsDir, string(kind)), Tree: a.Tree, Source: a.File, Kind: llb.ReadOnly})
	}
	out, err := s.Exec(p)
	if err != nil {
		return nil, err
	}
	o := &Output{md: out[step.OutDir], tree: out[step.SealedDir]}
	if l.linksLayers() {
		o.md = llb.Normalize(o.md, container.DefaultTime, Options(s.Name(l.ID, "output"), l)...)
	}
	o.Raw = o.tree
	if err := s.sealTimed(l, o); err != nil {
		return nil, err
	}
	if l.Provide.LockApp {
		o.app = s.withoutSymlinks(out[step.AppDir], l)
	}
	return o, nil
}

// show mounts what the scripts of a run step see of other layers and of the app, and the history.
func (s Steps) show(ctx context.Context, p *container.Process, l *Layer, r *recipe) error {
	task := r.task
	if task.RunsScripts() {
		seen, err := s.showLinks(ctx, p, l, true, true)
		if err != nil {
			return err
		}
		task.Links, task.Exposed = seen.Links, seen.Exposed
		p.Spec.Task = task
		history := s.CacheMount(l.Module, step.HistoryDir, "history", "", false)
		history.Kind = llb.SharedCache // builds need not wait for each other just to say why they do something
		p.Mount(history)
	} else if !l.Provide.LockApp {
		return nil
	}
	app, err := s.runApp(ctx, l, r.record)
	if err != nil {
		return err
	}
	p.Mount(app)
	if len(task.Setups) > 0 {
		app.Dest, app.Kind = step.SetupAppDir, llb.ReadOnly
		p.Mount(app)
	}
	return nil
}

// reuse returns the output of a layer that is reused from the previous image.
func (s Steps) reuse(l *Layer) (*Output, error) {
	prev := s.Previous
	old, _ := prev.Record(l.Dir())
	st := s.taken(l)
	md := metadataTree(old.Metadata, s.Owner, bk.WithCustomName(s.Name(l.ID, "metadata from the previous image")))
	o := &Output{tree: st, Raw: st, md: md, Reused: true}
	var err error
	if !prev.Time.Equal(container.DefaultTime) {
		if o.tree, err = s.seal(l, st, container.DefaultTime); err != nil {
			return nil, err
		}
	}
	return o, s.sealTimed(l, o)
}

// taken returns a layer of the previous image as it is there.
func (s Steps) taken(l *Layer) bk.State {
	old, _ := s.Previous.Record(l.Dir())
	name := s.Name(l.ID, "reused from the previous image")
	if v := old.Parts.Version; v != "" {
		name = s.Name(l.ID, "reused from the previous image, version "+text.Short(v))
	}
	return s.Previous.Layer(old, s.Owner, bk.WithCustomName(name))
}

// sealTimed makes the layer for the image if the image's time differs from the time that steps see.
func (s Steps) sealTimed(l *Layer, o *Output) error {
	switch {
	case s.Time.Equal(container.DefaultTime):
	case o.Reused && s.Previous.Time.Equal(s.Time):
		o.Timed = &o.Raw
	default:
		timed, err := s.seal(l, o.Raw, s.Time)
		o.Timed = &timed
		return err
	}
	return nil
}

// seal copies a layer and gives its files time t. The step knows the layer by its key and not by its content: finding out the
// content of a layer is as much work as copying it.
func (s Steps) seal(l *Layer, tree bk.State, t time.Time) (bk.State, error) {
	p := container.Process{Subject: l.ID, Module: l.Module, At: []module.Place{l.Module.At(l.Range())}, Name: "layer", NoCache: l.affected}
	p.Spec = step.Spec{Layer: l.Name, Task: step.Seal{Time: t.Unix()}}
	p.Mount(llb.Mount{Dest: step.TreeDir, Tree: tree, Kind: llb.ReadOnly, ByKey: true})
	p.Mount(llb.Mount{Dest: step.SealedDir, Tree: bk.Scratch(), Kind: llb.Output})
	out, err := s.Exec(p)
	return out[step.SealedDir], err
}

// linked returns a layer as layers that link it see it: beside something else, when it links others itself (markNoCache).
func (s Steps) linked(l *Layer, o *Output) bk.State {
	if o.Reused || !l.linksLayers() {
		return o.tree
	}
	if o.linked == nil {
		beside := llb.Layer{State: s.EmptyDir("/linked", llb.Owner{}, "linked"), Time: container.DefaultTime}
		st := s.Layering.Merge(o.tree, []llb.Layer{beside}, Options(s.Name(l.ID, "linked"), l)...)
		o.linked = &st
	}
	return *o.linked
}

// linksLayers reports whether a layer links other layers, and not only caches.
func (l *Layer) linksLayers() bool {
	return slices.ContainsFunc(l.links, func(k link) bool { return k.layer != nil })
}

// InImage returns a layer as the image has it.
func (o *Output) InImage() bk.State {
	if o.Timed != nil {
		return *o.Timed
	}
	return o.tree
}

// metadataTree returns $MD as a run step leaves it, made from the metadata in a label.
func metadataTree(md metadata.Table, owner llb.Owner, opts ...bk.ConstraintsOpt) bk.State {
	by := bk.WithUIDGID(owner.UID, owner.GID)
	action := bk.Mkdir(container.OutDir, 0o755, by).Mkdir(mdDir, 0o755, by)
	for e := range md.Entries() {
		name := path.Join(mdDir, path.Join(e.Path...))
		if value, ok := e.Value.(string); ok {
			action = action.Mkfile(name, 0o644, []byte(metadata.ToFile(value)), by)
		} else {
			action = action.Mkdir(name, 0o755, by)
		}
	}
	return bk.Scratch().File(action, opts...)
}
