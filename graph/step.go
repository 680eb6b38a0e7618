package graph

import (
	"context"
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
	"github.com/packfile/frontend/text"
)

// Steps makes the steps of a graph under some facts: those that answer questions, and those that make layers.
type Steps struct{ *Decisions }

// Ask returns the steps that answer questions, as few as possible. For a question about files, selections may say what symlinks
// lead to.
func (d *Decisions) Ask(ctx context.Context, qs []fact.Question, selections map[fact.Question]*fact.Selection) ([]fact.Inquiry, error) {
	s := Steps{d}
	var inquiries []fact.Inquiry
	var matching, copied []fact.Question
	for _, q := range qs {
		if q.Kind == fact.Copied {
			copied = append(copied, q)
			continue
		}
		if d.isMatch(q) {
			matching = append(matching, q)
			continue
		}
		if q.Kind == fact.LookedUp {
			wanted, err := s.wantedFolders(s.byID[q.Layer])
			if err != nil {
				return nil, err
			}
			inquiries = append(inquiries, fact.Inquiry{Files: map[fact.Question]string{q: ""}, Wanted: wanted})
			continue
		}
		st, err := s.ask(ctx, q)
		if err != nil {
			return nil, err
		}
		file := container.ResultPath
		if q.Kind == fact.Built {
			file = container.TreeResult(0)
		}
		inquiries = append(inquiries, fact.Inquiry{State: st, Files: map[fact.Question]string{q: file}})
	}
	if len(matching) > 0 {
		in, err := s.match(matching, selections)
		if err != nil {
			return nil, err
		}
		inquiries = append(inquiries, in)
	}
	for some := range slices.Chunk(copied, MaxDescribed) {
		in, err := s.describeCopies(some)
		if err != nil {
			return nil, err
		}
		inquiries = append(inquiries, in)
	}
	return inquiries, nil
}

// isMatch reports whether a question asks for the digest of files of the app.
func (g *Graph) isMatch(q fact.Question) bool {
	return q.Kind == fact.Inputs || q.Kind == fact.Tested && g.byID[q.Layer].testScript() == nil
}

// match returns one step that answers all questions for digests of files: most are about a file or two, and what takes time is
// the container.
func (s Steps) match(qs []fact.Question, selections map[fact.Question]*fact.Selection) (fact.Inquiry, error) {
	p := container.Process{Name: "match"}
	var trees []step.Tree
	in := fact.Inquiry{Files: map[fact.Question]string{}, Selections: map[fact.Question]fact.Selection{}}
	var files *bk.FileAction
	for i, q := range qs {
		l := s.byID[q.Layer]
		src, folder := s.matched(l, q.Kind)
		sel := selections[q]
		if sel == nil {
			sel = s.Selection(q)
		}
		in.Selections[q] = sel.Frozen()
		info := &bk.CopyInfo{
			CopyDirContentsOnly: true, CreateDestPath: true, Mode: &bk.ChmodOpt{ModeStr: container.AppMode},
			IncludePatterns: sel.Patterns(), ExcludePatterns: s.App.Excluded(),
		}
		files = files.Copy(src, folder, "/"+strconv.Itoa(i), info)
		trees = append(trees, step.Tree{Name: l.ID, Selected: sel.Chosen})
		if a := sel.Before; a != nil { // a cache export takes along what is below
			dest := path.Join(step.FactsDir, string(step.KindMatch), strconv.Itoa(i))
			p.Mount(llb.Mount{Dest: dest, Tree: a.Tree, Source: a.File, Kind: llb.ReadOnly})
		}
		p.NoCache = p.NoCache || l.noCache
		if q.Kind == fact.Inputs {
			p.At = append(p.At, l.Module.At(l.Provide.At("inputs")))
		} else {
			p.At = append(p.At, l.Module.At(l.Provide.Test.At("match")))
		}
		in.Files[q] = container.TreeResult(i)
	}
	if len(qs) == 1 {
		l := s.byID[qs[0].Layer]
		p.Subject, p.Module = l.ID, l.Module
	} else {
		names := make([]string, len(trees))
		for i, t := range trees {
			names[i] = t.Name
		}
		p.Name = "match " + text.Short(strings.Join(names, ","))
	}
	p.Spec.Task = step.Match{Trees: trees}
	p.Mount(llb.Mount{Dest: step.MatchDir, Tree: bk.Scratch().File(files, bk.WithCustomName("[internal] select files")), Kind: llb.ReadOnly})
	out, err := s.Exec(p)
	in.State = out[step.OutDir]
	return in, err
}

// ask returns the state that answers a question about a layer with a step of its own.
func (s Steps) ask(ctx context.Context, q fact.Question) (bk.State, error) {
	l := s.byID[q.Layer]
	switch q.Kind {
	case fact.Tested:
		return s.test(ctx, l)
	case fact.Fetched:
		return s.fetch(l)
	case fact.Built:
		o, err := s.Output(ctx, l)
		if err != nil {
			return bk.State{}, err
		}
		return s.Describe([]Undescribed{o.Undescribed(l)}, container.DefaultTime)
	}
	return bk.State{}, fmt.Errorf("question %v cannot be asked", q)
}

// test returns the state with the answer of a layer's test.
func (s Steps) test(ctx context.Context, l *Layer) (bk.State, error) {
	test := l.Provide.Test
	p := container.Process{
		Subject: l.ID, Module: l.Module, Files: container.Files{Module: l.Module}, Name: string(fact.Tested), NoCache: l.noCache,
		Network: test.Script.Network, Access: test.Access, At: []module.Place{l.Module.At(container.ScriptRange(test.Script))},
	}
	app := s.visibleApp(l)
	if test.FullEnv {
		app = s.withSymlinks(app, l)
	}
	p.Mount(container.AppMount(app, llb.Discarded))
	seen, err := s.showLinks(ctx, &p, l, test.FullEnv, false)
	if err != nil {
		return bk.State{}, err
	}
	seen.Requires = l.tables()
	s.mountRequires(&p, l)
	task := step.Test{
		Given: s.Told(l.Module, test.Access, l.Module.Packfile.TestArgs(l.Layer), s.facts.metadata(l, fact.Tested)), Seen: seen,
		Script: *p.Files.Script(test.Script, l.Name+".test"),
	}
	if hidden := l.hiddenFromTest(); hidden != nil {
		task.Bare, p.NotFound = true, l.fullEnvHint(hidden)
	}
	if test.Refresh > 0 {
		task.Refresh = s.Now.Truncate(test.Refresh).UTC().Format(time.RFC3339)
	}
	p.Spec = step.Spec{Layer: l.Name, Task: task}
	out, err := s.Exec(p)
	return out[step.OutDir], err
}

// showLinks makes linked layers and caches visible to a step, and returns what its script is told of them. Without content it
// shows only versions and metadata of layers that the packfile names.
func (s Steps) showLinks(ctx context.Context, p *container.Process, l *Layer, content, caches bool) (seen step.Seen, err error) {
	from := map[*module.Module]int{} // index in seen.Exposed of the layers of a module
	for _, k := range l.links {
		if k.layer == nil && k.cache == nil || k.layer != nil && s.of(k.layer).status == dropped {
			continue // not created this time: its variables are not set
		}
		shown := step.Link{Name: k.Name, PathAs: k.PathAs, VersionAs: k.VersionAs, MetadataAs: k.MetadataAs}
		switch {
		case k.cache != nil:
			if !caches {
				continue // only run gets caches
			}
			shown.Cache, shown.Dir = true, l.Module.LayerDir(k.Name)
			name, err := l.Module.CacheName(k.cache)
			if err != nil {
				return seen, err
			}
			p.Mount(s.CacheMount(l.Module, shown.Dir, "cache", name, k.cache.Shared))
		case content:
			o, err := s.Output(ctx, k.layer)
			if err != nil {
				return seen, err
			}
			shown.Dir = k.layer.Dir()
			p.Mount(llb.Mount{Dest: shown.Dir, Tree: s.linked(k.layer, o), Source: shown.Dir, Kind: llb.ReadOnly})
			if k.exposed {
				if _, ok := from[k.layer.Module]; !ok {
					from[k.layer.Module] = len(seen.Exposed)
					seen.Exposed = append(seen.Exposed, nil)
				}
				i := from[k.layer.Module]
				seen.Exposed[i] = append(seen.Exposed[i], shown.Dir)
				continue
			}
			// A step is not rebuilt for what it does not ask for.
			if shown.VersionAs != "" || shown.MetadataAs != "" {
				p.Mount(llb.Mount{
					Dest: path.Join(step.LinksDir, k.Name), Tree: o.md, Source: mdDir, Kind: llb.ReadOnly,
				})
			}
		case k.exposed:
			continue
		default:
			shown.Metadata = s.facts.metadata(k.layer, "")
		}
		seen.Links = append(seen.Links, shown)
	}
	return seen, nil
}

// tables returns the tables of all who require the layer, as $MD/.requires shows them.
func (l *Layer) tables() (tables []metadata.Table) {
	for _, r := range l.required {
		tables = append(tables, r.metadata)
	}
	return tables
}

// requiredByOthers reports whether anyone but the layer's own section requires it.
func (l *Layer) requiredByOthers() bool {
	return slices.ContainsFunc(l.required, func(r requirement) bool { return r.by != l })
}

// mountRequires mounts the results of the require steps behind a layer into the first step that sees what they said, so that a
// cache export takes them along.
func (s Steps) mountRequires(p *container.Process, l *Layer) {
	for i, r := range l.required {
		if r.by == nil {
			continue // a build plan says more than what is required of this layer, and the step would run again for any of that
		}
		if a, ok := s.facts[fact.Question{Layer: r.by.ID, Kind: fact.Required}]; ok {
			dest := path.Join(step.FactsDir, string(fact.Required), strconv.Itoa(i))
			p.Mount(llb.Mount{Dest: dest, Tree: a.Tree, Source: a.File, Kind: llb.ReadOnly})
		}
	}
}
