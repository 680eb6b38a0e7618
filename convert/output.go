package convert

import (
	"context"
	"path"

	bk "github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/step"
)

// output is a layer as other steps and the image see it.
type output struct {
	tree bk.State // the layer at its place below step.LayersDir, with DefaultTime
	md   bk.State // the tree whose mdDir has the metadata that the run step left
	// raw is what tree was made of; its files have any time.
	raw    bk.State
	reused bool // raw is a layer of the previous image
}

// mdDir is the folder of a step's output tree with $MD.
const mdDir = outDir + "/" + step.MetadataDir

// output of a layer that is decided. A layer that is kept is built after all when something asks for its output.
func (b *Build) output(ctx context.Context, l *layer, f Facts) (*output, error) {
	if o, ok := b.outputs[l.Name]; ok {
		return o, nil
	}
	d, err := b.decide(l, f)
	if err != nil {
		return nil, err
	}
	var o *output
	if d.Action == Reused {
		o = b.reuse(l)
	} else if o, err = b.run(ctx, l, f, d); err != nil {
		return nil, err
	}
	b.outputs[l.Name] = o
	return o, nil
}

// run is the output of a layer that is built.
func (b *Build) run(ctx context.Context, l *layer, f Facts, d *Decision) (*output, error) {
	plan, err := b.plan(l, f)
	if err != nil {
		return nil, err
	}
	p := plan.run
	if why := d.whyRun(); why != "" {
		p.name += " (" + why + ")"
	}
	if err := b.link(ctx, &p, f, true); err != nil {
		return nil, err
	}
	app, err := b.runApp(ctx, l, f, plan.record)
	if err != nil {
		return nil, err
	}
	p.mount(app)
	if len(p.spec.Setups) > 0 {
		app.Dest, app.Kind = step.SetupAppDir, llb.ReadOnly
		p.mount(app)
	}
	if l.Restore {
		p.mount(b.cacheMount(step.RestoreDir, "restore", l.Name, false))
	}
	history := b.cacheMount(step.HistoryDir, "history", l.Name, false)
	history.Kind = llb.SharedCache // builds need not wait for each other to say why they do something
	p.mount(history)
	// The steps that answered questions are below the run step, so that a cache export takes them along. It is their
	// result that counts: where that is the same, the run step is the same.
	for _, kind := range l.questions() {
		a := b.asked[Question{l.Name, kind}]
		p.mount(llb.Mount{Dest: path.Join(step.FactsDir, string(kind)), Tree: a.tree, Source: a.file, Kind: llb.ReadOnly})
	}
	out, err := b.exec(p)
	if err != nil {
		return nil, err
	}
	o := &output{md: out[step.OutDir], raw: out[b.layerDir(l.Name)]}
	if l.affected {
		o.md = llb.Normalize(o.md, DefaultTime, options(b.name(l.Name, "output"), l)...)
	}
	o.tree = llb.Normalize(o.raw, DefaultTime, options(b.name(l.Name, "layer"), l)...)
	if l.Provide.LockApp {
		b.apps[l.Name] = out[step.AppDir]
	}
	b.ran[l.Name] = true
	return o, nil
}

// reuse is the output of a layer that is taken over from the previous image.
func (b *Build) reuse(l *layer) *output {
	prev := b.in.Previous
	old := prev.records[b.layerDir(l.Name)]
	name := b.name(l.Name, "reused from the previous image")
	if v := old.Parts.Version; v != "" {
		name = b.name(l.Name, "reused from the previous image, version "+layerkey.Short(v))
	}
	st := prev.layer(old, b.in.Owner, bk.WithCustomName(name))
	md := metadataTree(old.Metadata, b.in.Owner, bk.WithCustomName(b.name(l.Name, "metadata from the previous image")))
	o := &output{tree: st, raw: st, md: md, reused: true}
	if !prev.time.Equal(DefaultTime) {
		o.tree = llb.Normalize(st, DefaultTime, options(b.name(l.Name, "layer"))...)
	}
	return o
}

// timed is a layer as the image has it.
func (b *Build) timed(o *output, l *layer) bk.State {
	switch {
	case o.reused && b.in.Previous.time.Equal(b.in.Time):
		return o.raw
	case b.in.Time.Equal(DefaultTime):
		return o.tree
	}
	return llb.Normalize(o.raw, b.in.Time, options(b.name(l.Name, "layer"), l)...)
}
