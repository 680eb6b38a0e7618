package frontend

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerui"
	gw "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/frontend/subrequests"
	"github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/frontend/subrequests/outline"
	"github.com/moby/buildkit/frontend/subrequests/targets"
	"github.com/moby/buildkit/solver/pb"

	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/text"
)

// subrequest answers what is asked instead of a build (docker buildx build --call=check|outline|targets|packfile.explain|packfile.plan).
func (b *build) subrequest(ctx context.Context) (*gw.Result, bool, error) {
	switch b.opts.requestID {
	case explainRequest.Name:
		res, err := b.explainLayers(ctx)
		return res, true, b.explain(err)
	case planRequest.Name:
		res, err := b.explainPlan(ctx)
		return res, true, b.explain(err)
	case subrequests.RequestSubrequestsDescribe:
		res, err := describeRequests()
		return res, true, err
	}
	res, handled, err := b.ui.HandleSubrequest(ctx, dockerui.RequestHandler{
		Lint:        func(context.Context) (*lint.LintResults, error) { return b.lint(), nil },
		ListTargets: func(context.Context) (*targets.List, error) { return b.targets(), nil },
		Outline:     func(context.Context) (*outline.Outline, error) { return b.outline(), nil },
	})
	if handled && err == nil && res != nil {
		res.AddMeta(resultJSON, text.ShownJSON(res.Metadata[resultJSON])) // docker buildx prints its strings
	}
	return res, handled, err
}

// describeRequests lists what can be asked. dockerui's own list has neither lint nor ours.
func describeRequests() (*gw.Result, error) {
	data, err := json.MarshalIndent([]subrequests.Request{
		lint.SubrequestLintDefinition,
		outline.SubrequestsOutlineDefinition,
		targets.SubrequestsTargetsDefinition,
		explainRequest,
		planRequest,
		subrequests.SubrequestsDescribeDefinition,
	}, "", "  ")
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if err := subrequests.PrintDescribe(data, &text); err != nil {
		return nil, err
	}
	return reply(data, text.Bytes(), subrequests.SubrequestsDescribeDefinition), nil
}

// resultJSON is where a result has the answer to a subrequest for programs.
const resultJSON = "result.json"

// reply is the result of a subrequest.
func reply(data, table []byte, r subrequests.Request) *gw.Result {
	res := gw.NewResult()
	res.AddMeta(resultJSON, text.JSON(data))
	res.AddMeta("result.txt", table)
	res.AddMeta("version", []byte(r.Version))
	return res
}

// lint is what is questionable about the packfile, and about the modules that it names.
func (b *build) lint() *lint.LintResults {
	results := &lint.LintResults{}
	addWarnings(results, results.AddSource(b.source.SourceMap), "", b.warnings)
	for _, u := range b.modules.units {
		if len(u.warnings) == 0 {
			continue
		}
		results.Sources = append(results.Sources, &pb.SourceInfo{Filename: u.Filename, Language: u.Source.Language, Data: u.data})
		addWarnings(results, len(results.Sources)-1, u.Filename, u.warnings)
	}
	for i, info := range results.Sources {
		results.Sources[i] = visibleSource(info)
	}
	return results
}

// addWarnings adds warnings about a source. Those about a module begin with its file, since buildx calls every source by the name of
// the file that is built.
func addWarnings(results *lint.LintResults, source int, module string, warnings []packfile.Diagnostic) {
	for _, w := range warnings {
		text := w.Text()
		if module != "" {
			text = fmt.Sprintf("%s:%d: %s", module, w.Range.Start.Line, text)
		}
		at := parser.Range{
			Start: parser.Position{Line: w.Range.Start.Line, Character: w.Range.Start.Column},
			End:   parser.Position{Line: w.Range.End.Line, Character: w.Range.End.Column},
		}
		results.AddWarning(w.Rule, w.Message, "", text, source, []parser.Range{at})
	}
}

// targets are the image, and every layer alone.
func (b *build) targets() *targets.List {
	list := &targets.List{Targets: []targets.Target{{Default: true, Description: "the app image"}}}
	modules := b.modules.all()
	for _, m := range modules {
		for _, l := range m.Packfile.Layers {
			if l.Provide == nil {
				continue
			}
			name := l.Name
			if len(modules) > 1 {
				name = m.ID() + "/" + l.Name
			}
			target := targets.Target{Name: name, Description: "content of layer " + name}
			if m == b.root {
				target.Location = location(l.Range())
			}
			list.Targets = append(list.Targets, target)
		}
	}
	list.Targets = append(list.Targets, targets.Target{
		Name: rebaseTarget, Description: "the image of the named context previous on another run image",
	})
	return list
}

// outline is what a build may be given.
func (b *build) outline() *outline.Outline {
	o := &outline.Outline{Name: b.ui.Target, Description: b.pf.Config.Name}
	for _, m := range b.modules.all() {
		at := location
		if m != b.root {
			at = func(packfile.Range) *pb.Location { return nil } // it has one file, that is built
		}
		outlineModule(o, m.Packfile, at)
	}
	describeGrants(o, b.modules.all())
	return o
}

// outlineModule adds what the steps of one packfile may be given.
func outlineModule(o *outline.Outline, pf *packfile.Packfile, location func(packfile.Range) *pb.Location) {
	add := func(a packfile.Access, at packfile.Range) {
		for _, s := range a.Secrets {
			o.Secrets = append(o.Secrets, outline.Secret{Name: s.ID, Required: s.Required, Location: location(s.Range())})
		}
		for _, id := range a.SSH {
			o.SSH = append(o.SSH, outline.SSH{Name: id, Required: true, Location: location(at)})
		}
	}
	for _, l := range pf.Layers {
		if l.Require != nil {
			add(l.Require.Access, l.Require.At("ssh"))
		}
		if l.Provide != nil {
			add(l.Provide.Access, l.Provide.At("ssh"))
			if l.Provide.Test != nil {
				add(l.Provide.Test.Access, l.Provide.Test.At("ssh"))
			}
		}
	}
	for _, c := range pf.Caches {
		o.Cache = append(o.Cache, outline.CacheMount{ID: c.Name, Location: location(c.Range())})
	}
}

func location(r packfile.Range) *pb.Location {
	return &pb.Location{Ranges: []*pb.Range{module.PBRange(r)}}
}
