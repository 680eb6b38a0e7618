package convert

import (
	"context"
	"path"
	"time"

	bk "github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/step"
)

// outDir is the folder of a step's output tree that was mounted at step.OutDir.
const outDir = "/out"

// ResultPath is where the state of a Question has the step.Result.
const ResultPath = outDir + "/" + step.ResultFile

// Ask is the state that answers a question; its result is at ResultPath.
func (b *Build) Ask(ctx context.Context, q Question, f Facts) (bk.State, error) {
	l := b.byName[q.Layer]
	if q.Kind == Built {
		return b.describe(ctx, l, f)
	}
	p := process{layer: l, files: stepFiles{b: b}, name: string(q.Kind)}
	p.spec = step.Spec{Layer: l.Name, Metadata: f.metadata(l, q.Kind)}
	switch q.Kind {
	case Required:
		p.spec.Kind = step.Require
		p.spec.Script = p.files.script(l.Require.Script, l.Name+".require")
		p.network, p.access, p.at = l.Require.Script.Network, l.Require.Access, scriptRange(l.Require.Script)
		p.mount(appMount(b.app, llb.ReadOnly))
	case Inputs:
		p.spec.Kind = step.Match
		p.at = l.Provide.At("inputs")
		p.mount(appMount(b.visibleApp(l), llb.ReadOnly))
	case Tested:
		test := l.Provide.Test
		if test.Script == nil {
			p.spec.Kind = step.Match
			p.name, p.at = "match", test.At("match")
			p.mount(appMount(b.matchingApp(l), llb.ReadOnly))
			break
		}
		p.spec.Kind = step.Test
		p.spec.Script = p.files.script(test.Script, l.Name+".test")
		p.network, p.access, p.at = test.Script.Network, test.Access, scriptRange(test.Script)
		p.mount(appMount(b.visibleApp(l), llb.Discarded))
		if test.Refresh > 0 {
			p.spec.Refresh = b.in.Now.Truncate(test.Refresh).UTC().Format(time.RFC3339)
		}
		if err := b.link(ctx, &p, f, test.FullEnv); err != nil {
			return bk.State{}, err
		}
	}
	out, err := b.exec(p)
	b.asked[q] = out[step.OutDir]
	return b.asked[q], err
}

// link makes linked layers and caches visible to a step; without content only versions and metadata of layers.
func (b *Build) link(ctx context.Context, p *process, f Facts, content bool) error {
	for _, k := range p.layer.links {
		s := step.Link{Name: k.Name, PathAs: k.PathAs, VersionAs: k.VersionAs, MetadataAs: k.MetadataAs}
		switch {
		case k.cache != nil:
			if !content || p.spec.Kind == step.Test {
				continue // a cache is for run
			}
			s.Cache, s.Dir = true, b.layerDir(k.Name)
			p.mount(b.cacheMount(s.Dir, "cache", k.Name, k.cache.Shared))
		case k.layer == nil || f.status(k.layer) == dropped:
			continue // not created this time: its variables are not set
		case content:
			o, err := b.output(ctx, k.layer, f)
			if err != nil {
				return err
			}
			s.Dir = b.layerDir(k.Name)
			p.mount(llb.Mount{Dest: s.Dir, Tree: o.tree, Source: s.Dir, Kind: llb.ReadOnly})
			// What a step does not ask for does not rebuild it.
			if s.VersionAs != "" || s.MetadataAs != "" {
				p.mount(llb.Mount{
					Dest: path.Join(step.LinksDir, k.Name), Tree: o.md, Source: mdDir, Kind: llb.ReadOnly,
				})
			}
		default:
			s.Metadata = f.metadata(k.layer, "")
		}
		p.spec.Links = append(p.spec.Links, s)
	}
	return nil
}
