package convert

import (
	"context"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	bk "github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/step"
	"github.com/packfile/frontend/text"
)

// outDir is the folder of a step's output tree that was mounted at step.OutDir.
const outDir = "/out"

// newLayerDir is the folder of the empty tree that is mounted where a script fills a layer.
const newLayerDir = "/layer"

// ResultPath is where the state of a Question has the step.Result.
const ResultPath = outDir + "/" + step.ResultFile

// Inquiry is a state that has the answers to some questions.
type Inquiry struct {
	State bk.State
	Files map[Question]string // path of the step.Result that answers the question

	id string // of the project and the layers' keys, for onTop
}

// answer is where the answer to a question is.
type answer struct {
	tree bk.State
	file string
}

// Ask is what answers questions, with as few steps as that takes.
func (b *Build) Ask(ctx context.Context, qs []Question, f Facts) ([]Inquiry, error) {
	var inquiries []Inquiry
	var matching, copied []Question
	for _, q := range qs {
		if q.Kind == Copied {
			copied = append(copied, q)
			continue
		}
		if b.isMatch(q) {
			matching = append(matching, q)
			continue
		}
		st, err := b.ask(ctx, q, f)
		if err != nil {
			return nil, err
		}
		file := ResultPath
		if q.Kind == Built {
			file = treeResult(0)
		}
		inquiries = append(inquiries, Inquiry{State: st, Files: map[Question]string{q: file}})
	}
	if len(matching) > 0 {
		in, err := b.match(matching)
		if err != nil {
			return nil, err
		}
		inquiries = append(inquiries, in)
	}
	for some := range slices.Chunk(copied, maxDescribed) {
		in, err := b.describeCopies(some)
		if err != nil {
			return nil, err
		}
		inquiries = append(inquiries, in)
	}
	for _, in := range inquiries {
		for q, file := range in.Files {
			b.asked[q] = answer{in.State, file}
		}
	}
	return inquiries, nil
}

// isMatch says whether a question asks for the digest of files of the app.
func (b *Build) isMatch(q Question) bool {
	return q.Kind == Inputs || q.Kind == Tested && b.byID[q.Layer].testScript() == nil
}

// match is one step that answers all questions for digests of files: most are about a file or two, and what takes time is
// the container.
func (b *Build) match(qs []Question) (Inquiry, error) {
	p := process{name: "match"}
	p.spec.Kind = step.Match
	in := Inquiry{Files: map[Question]string{}}
	var files *bk.FileAction
	for i, q := range qs {
		l := b.byID[q.Layer]
		src, folder := b.matched(l, q.Kind)
		sel := b.Selection(q)
		info := &bk.CopyInfo{
			CopyDirContentsOnly: true, CreateDestPath: true, IncludePatterns: sel.patterns(), Mode: &bk.ChmodOpt{ModeStr: AppMode},
		}
		files = files.Copy(src, folder, "/"+strconv.Itoa(i), info)
		p.spec.Trees = append(p.spec.Trees, l.id)
		p.spec.Selected = append(p.spec.Selected, sel.chosen)
		if a, again := b.asked[q]; again { // a cache export takes along what is below
			dest := path.Join(step.FactsDir, string(step.Match), strconv.Itoa(i))
			p.mount(llb.Mount{Dest: dest, Tree: a.tree, Source: a.file, Kind: llb.ReadOnly})
		}
		p.noCache = p.noCache || l.noCache
		if q.Kind == Inputs {
			p.at = append(p.at, l.module.At(l.Provide.At("inputs")))
		} else {
			p.at = append(p.at, l.module.At(l.Provide.Test.At("match")))
		}
		in.Files[q] = treeResult(i)
	}
	if len(qs) == 1 {
		p.layer = b.byID[qs[0].Layer]
	} else {
		p.name = "match " + text.Short(strings.Join(p.spec.Trees, ","))
	}
	p.mount(llb.Mount{Dest: step.MatchDir, Tree: bk.Scratch().File(files, bk.WithCustomName("[internal] select files")), Kind: llb.ReadOnly})
	out, err := b.exec(p)
	in.State = out[step.OutDir]
	return in, err
}

// ask is the state that answers a question with a step of its own.
func (b *Build) ask(ctx context.Context, q Question, f Facts) (bk.State, error) {
	if q.Kind == Detected {
		return b.detect(q)
	}
	l := b.byID[q.Layer]
	if q.Kind == Fetched {
		return b.fetch(l, f)
	}
	if q.Kind == Built {
		o, err := b.output(ctx, l, f)
		if err != nil {
			return bk.State{}, err
		}
		return b.describe([]undescribed{undescribedLayer(l, o)}, DefaultTime)
	}
	p := process{layer: l, files: stepFiles{module: l.module}, name: string(q.Kind)}
	p.spec = step.Spec{Layer: l.Name}
	switch q.Kind {
	case Required:
		p.spec.Kind, p.spec.Metadata = step.Require, ownMetadata(l.module, l.Layer, nil)
		p.spec.Script = p.files.script(l.Require.Script, l.Name+".require")
		p.network, p.access = l.Require.Script.Network, l.Require.Access
		p.at = []module.Place{l.module.At(scriptRange(l.Require.Script))}
		p.mount(appMount(b.app, llb.ReadOnly))
	case Tested:
		test := l.Provide.Test
		p.spec.Kind, p.spec.Metadata, p.spec.Requires = step.Test, f.metadata(l, q.Kind), l.tables()
		p.spec.Script = p.files.script(test.Script, l.Name+".test")
		p.network, p.access, p.at = test.Script.Network, test.Access, []module.Place{l.module.At(scriptRange(test.Script))}
		if hidden := l.hiddenFromTest(); hidden != nil {
			p.spec.Bare, p.notFound = true, l.fullEnvHint(hidden)
		}
		p.mount(appMount(b.visibleApp(l), llb.Discarded))
		if test.Refresh > 0 {
			p.spec.Refresh = b.in.Now.Truncate(test.Refresh).UTC().Format(time.RFC3339)
		}
		if err := b.showLinks(ctx, &p, f, test.FullEnv); err != nil {
			return bk.State{}, err
		}
		b.mountRequires(&p)
	}
	out, err := b.exec(p)
	return out[step.OutDir], err
}

// showLinks makes linked layers and caches visible to a step; without content only versions and metadata of layers that the
// packfile names.
func (b *Build) showLinks(ctx context.Context, p *process, f Facts, content bool) error {
	from := map[*module.Module]int{} // which of spec.Exposed has the layers of a module
	for _, k := range p.layer.links {
		if k.layer == nil && k.cache == nil || k.layer != nil && f.status(k.layer) == dropped {
			continue // not created this time: its variables are not set
		}
		s := step.Link{Name: k.Name, PathAs: k.PathAs, VersionAs: k.VersionAs, MetadataAs: k.MetadataAs}
		switch {
		case k.cache != nil:
			if !content || p.spec.Kind == step.Test {
				continue // a cache is for run
			}
			s.Cache, s.Dir = true, p.layer.module.LayerDir(k.Name)
			name, err := p.layer.module.CacheName(k.cache)
			if err != nil {
				return err
			}
			p.mount(b.cacheMount(p.layer.module, s.Dir, "cache", name, k.cache.Shared))
		case content:
			o, err := b.output(ctx, k.layer, f)
			if err != nil {
				return err
			}
			s.Dir = k.layer.dir()
			p.mount(llb.Mount{Dest: s.Dir, Tree: b.linked(k.layer, o), Source: s.Dir, Kind: llb.ReadOnly})
			if k.exposed {
				if _, ok := from[k.layer.module]; !ok {
					from[k.layer.module] = len(p.spec.Exposed)
					p.spec.Exposed = append(p.spec.Exposed, nil)
				}
				i := from[k.layer.module]
				p.spec.Exposed[i] = append(p.spec.Exposed[i], s.Dir)
				continue
			}
			// What a step does not ask for does not rebuild it.
			if s.VersionAs != "" || s.MetadataAs != "" {
				p.mount(llb.Mount{
					Dest: path.Join(step.LinksDir, k.Name), Tree: o.md, Source: mdDir, Kind: llb.ReadOnly,
				})
			}
		case k.exposed:
			continue
		default:
			s.Metadata = f.metadata(k.layer, "")
		}
		p.spec.Links = append(p.spec.Links, s)
	}
	return nil
}

// tables are those of everyone who requires the layer, as $MD/.requires shows them.
func (l *layer) tables() (tables []map[string]any) {
	for _, r := range l.required {
		tables = append(tables, r.metadata)
	}
	return tables
}

// requiredByOthers says whether someone else than the layer's own section requires it.
func (l *layer) requiredByOthers() bool {
	return slices.ContainsFunc(l.required, func(r requirement) bool { return r.by != l })
}

// mountRequires has the require steps behind a layer below the first step that sees what they said, so that a cache export takes
// them along.
func (b *Build) mountRequires(p *process) {
	for i, r := range p.layer.required {
		if r.by == nil {
			continue // a build plan says more than what is wanted of this layer: it would run again for any of that
		}
		if a, ok := b.asked[Question{r.by.id, Required}]; ok {
			dest := path.Join(step.FactsDir, string(Required), strconv.Itoa(i))
			p.mount(llb.Mount{Dest: dest, Tree: a.tree, Source: a.file, Kind: llb.ReadOnly})
		}
	}
}

// treeResult is where a step leaves what it says of the tree with that number in its spec.
func treeResult(i int) string { return path.Join(outDir, strconv.Itoa(i)+".json") }
