package convert

import (
	"context"
	"path"
	"time"

	bk "github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/step"
)

// output is a layer as other steps and the image see it.
type output struct {
	sealed          // the layer as steps see it: with DefaultTime
	timed  *sealed  // the layer as the image has it, nil when that is sealed
	md     bk.State // the tree whose mdDir has the metadata that the run step left
	raw    bk.State // what sealed was made of; its files have any time
	reused bool     // raw is a layer of the previous image
}

// sealed is a layer at its place below step.LayersDir, all of whose files have one time.
type sealed struct {
	tree   bk.State
	result bk.State // has the step.Result about it at describedPath; a layer by reference has none
}

// mdDir is the folder of a step's output tree with $MD.
const mdDir = outDir + "/" + step.MetadataDir

// output of a layer that is decided. A layer that is kept is built after all when something asks for its output.
func (b *Build) output(ctx context.Context, l *layer, f Facts) (*output, error) {
	if o, ok := b.outputs[l]; ok {
		return o, nil
	}
	d, err := b.decide(l, f)
	if err != nil {
		return nil, err
	}
	var o *output
	if d.Action == Reused {
		o, err = b.reuse(l)
	} else {
		o, err = b.run(ctx, l, f, d)
	}
	if err != nil {
		return nil, err
	}
	b.outputs[l] = o
	return o, nil
}

// run is the output of a layer that is built.
func (b *Build) run(ctx context.Context, l *layer, f Facts, d *Decision) (*output, error) {
	r, err := b.recipe(l, f)
	if err != nil {
		return nil, err
	}
	p := r.run
	if why := d.whyRun(); why != "" {
		p.name += " (" + why + ")"
	}
	if err := b.show(ctx, &p, f, r.record); err != nil {
		return nil, err
	}
	if l.Restore {
		p.mount(b.cacheMount(l.module, step.RestoreDir, "restore", l.Name, false))
	}
	if l.testScript() == nil {
		b.mountRequires(&p)
	}
	// The steps that answered questions are below the run step, so that a cache export takes them along. It is their
	// result that counts: where that is the same, the run step is the same.
	for _, kind := range l.questions() {
		a := b.asked[Question{l.id, kind}]
		p.mount(llb.Mount{Dest: path.Join(step.FactsDir, string(kind)), Tree: a.tree, Source: a.file, Kind: llb.ReadOnly})
	}
	out, err := b.exec(p)
	if err != nil {
		return nil, err
	}
	o := &output{md: out[step.OutDir], raw: out[l.dir()]}
	if l.affected {
		o.md = llb.Normalize(o.md, DefaultTime, options(b.name(l.id, "output"), l)...)
	}
	if err := b.sealAll(l, o); err != nil {
		return nil, err
	}
	if l.Provide.LockApp {
		b.apps[l] = out[step.AppDir]
	}
	b.ran[l] = true
	return o, nil
}

// show mounts what the scripts of a run step see of other layers and of the app, and the history.
func (b *Build) show(ctx context.Context, p *process, f Facts, r layerkey.Record) error {
	if p.runsScripts() {
		if err := b.showLinks(ctx, p, f, true); err != nil {
			return err
		}
		history := b.cacheMount(p.layer.module, step.HistoryDir, "history", p.layer.Name, false)
		history.Kind = llb.SharedCache // builds need not wait for each other to say why they do something
		p.mount(history)
	} else if !p.layer.Provide.LockApp {
		return nil
	}
	app, err := b.runApp(ctx, p.layer, f, r)
	if err != nil {
		return err
	}
	p.mount(app)
	if len(p.spec.Setups) > 0 {
		app.Dest, app.Kind = step.SetupAppDir, llb.ReadOnly
		p.mount(app)
	}
	return nil
}

// reuse is the output of a layer that is taken over from the previous image.
func (b *Build) reuse(l *layer) (*output, error) {
	prev := b.in.Previous
	old := prev.records[l.dir()]
	name := b.name(l.id, "reused from the previous image")
	if v := old.Parts.Version; v != "" {
		name = b.name(l.id, "reused from the previous image, version "+layerkey.Short(v))
	}
	st := prev.layer(old, b.in.Owner, bk.WithCustomName(name))
	md := metadataTree(old.Metadata, b.in.Owner, bk.WithCustomName(b.name(l.id, "metadata from the previous image")))
	o := &output{sealed: sealed{tree: st}, raw: st, md: md, reused: true}
	return o, b.sealAll(l, o)
}

// sealAll makes the layer of what was left, or what the previous image has, for steps and for the image.
func (b *Build) sealAll(l *layer, o *output) (err error) {
	if !o.reused || !b.in.Previous.time.Equal(DefaultTime) {
		if o.sealed, err = b.seal(l, o, DefaultTime); err != nil {
			return err
		}
	}
	switch {
	case b.in.Time.Equal(DefaultTime):
	case o.reused && b.in.Previous.time.Equal(b.in.Time):
		o.timed = &sealed{tree: o.raw}
	default:
		timed, err := b.seal(l, o, b.in.Time)
		o.timed = &timed
		return err
	}
	return nil
}

// seal makes a layer, whose files have time t, and describes it. Both steps know their input by its key and not by its
// content: to find out the content of a layer is as much work as to describe it.
func (b *Build) seal(l *layer, o *output, t time.Time) (s sealed, err error) {
	p := process{layer: l, at: []place{l.module.at(l.Range())}, name: "layer", noCache: l.affected}
	p.spec = step.Spec{Kind: step.Seal, Layer: l.Name, Time: t.Unix()}
	p.mount(llb.Mount{Dest: step.TreeDir, Tree: o.raw, Kind: llb.ReadOnly, ByKey: true})
	p.mount(llb.Mount{Dest: step.SealedDir, Tree: bk.Scratch(), Kind: llb.Output})
	out, err := b.exec(p)
	if err != nil {
		return s, err
	}
	s.tree = out[step.SealedDir]

	p.name, p.mounts = "describe", nil
	p.spec = step.Spec{Kind: step.Describe, Layer: l.Name, Trees: []string{describedTree}, Time: t.Unix()}
	p.mount(llb.Mount{Dest: path.Join(step.TreeDir, "0"), Tree: s.tree, Kind: llb.ReadOnly, ByKey: true})
	if !o.reused {
		p.mount(llb.Mount{Dest: step.RunResult, Tree: o.md, Source: ResultPath, Kind: llb.ReadOnly})
	}
	out, err = b.exec(p)
	s.result = out[step.OutDir]
	return s, err
}

// describedTree is what a layer is called when it is described.
const describedTree = "layer"

// describedPath is where what is said of it is.
var describedPath = treeResult(0)

// inImage is a layer as the image has it.
func (o *output) inImage() sealed {
	if o.timed != nil {
		return *o.timed
	}
	return o.sealed
}
