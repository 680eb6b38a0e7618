package frontend

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	gw "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/frontend/subrequests/outline"
	"github.com/moby/buildkit/frontend/subrequests/targets"
	"github.com/moby/buildkit/solver/pb"

	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/packfile"
)

// Answers from the packfile and modules alone, before anything has run: what lint finds (check), what a build may be given
// (outline), and what it can build (targets).

// checked is the answer to check.
type checked struct{ *lint.LintResults }

// ToResult implements answer. The exit status is 1 if lint found anything.
func (c checked) ToResult() (*gw.Result, error) { return c.LintResults.ToResult(nil) }

// checkPackfile returns what is questionable about the packfile, and about the modules that it names.
func checkPackfile(_ context.Context, b *build) (answer, error) {
	results := &lint.LintResults{}
	for _, m := range b.modules.All {
		if m != b.root && len(m.Warnings) == 0 {
			continue
		}
		filename := m.Filename
		if m == b.root {
			filename = ""
		}
		results.Sources = append(results.Sources, visibleText(m.Source, m.Source.Data))
		addWarnings(results, len(results.Sources)-1, filename, m.Warnings)
	}
	return checked{results}, nil
}

// addWarnings adds warnings about a source. Warnings about a module begin with its file, since buildx shows every source under
// the name of the file being built.
func addWarnings(results *lint.LintResults, source int, module string, warnings []node.Diagnostic) {
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

// listTargets returns the possible values of --target.
func listTargets(_ context.Context, b *build) (answer, error) {
	return targetsOf(b.modules.TakingPart(), b.root), nil
}

// targetsOf returns the image, every layer of the modules alone, the image with its tests if there are any, and the rebase. root is the module whose file the client has.
func targetsOf(modules []*module.Module, root *module.Module) *targets.List {
	list := &targets.List{Targets: []targets.Target{{Default: true, Description: "the app image"}}}
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
			if m == root {
				target.Location = location(l.Range())
			}
			list.Targets = append(list.Targets, target)
		}
	}
	if slices.ContainsFunc(modules, func(m *module.Module) bool { return len(m.Packfile.Tests) > 0 }) && !hasLayer(modules, testTarget) {
		list.Targets = append(list.Targets, targets.Target{Name: testTarget, Description: "the app image, if it passes its tests"})
	}
	list.Targets = append(list.Targets, targets.Target{
		Name: rebaseTarget, Description: "the image of the named context previous on another run image",
	})
	return list
}

// hasLayer reports whether a module makes a layer of a name.
func hasLayer(modules []*module.Module, name string) bool {
	return slices.ContainsFunc(modules, func(m *module.Module) bool {
		return slices.ContainsFunc(m.Packfile.Layers, func(l packfile.Layer) bool { return l.Name == name && l.Provide != nil })
	})
}

// outlineBuild returns what a build may be given.
func outlineBuild(_ context.Context, b *build) (answer, error) {
	return outlineOf(b.ui.Target, b.modules.TakingPart(), b.root), nil
}

// outlineOf returns the build arguments, secrets, agents and caches that the steps of the modules may use. root is the module whose file the
// client has: what other modules name has no place.
func outlineOf(target string, modules []*module.Module, root *module.Module) *outline.Outline {
	o := &outline.Outline{Name: target, Description: root.Packfile.Config.Name}
	for _, m := range modules {
		at := location
		if m != root {
			at = func(node.Range) *pb.Location { return nil }
		}
		outlineModule(o, m.Packfile, at)
	}
	describeGrants(o, modules)
	return o
}

// outlineModule adds what the steps of one packfile may be given.
func outlineModule(o *outline.Outline, pf *packfile.Packfile, location func(node.Range) *pb.Location) {
	add := func(a packfile.Access, at node.Range) {
		for _, s := range a.Secrets {
			o.Secrets = append(o.Secrets, outline.Secret{Name: s.ID, Required: s.Required, Location: location(s.Range())})
		}
		for _, id := range a.SSH {
			o.SSH = append(o.SSH, outline.SSH{Name: id, Required: true, Location: location(at)})
		}
	}
	for _, s := range pf.Sections() {
		add(s.Access, s.At("ssh"))
	}
	for _, arg := range pf.NamedArgs() {
		if !slices.ContainsFunc(o.Args, func(a outline.Arg) bool { return a.Name == arg.Name }) {
			o.Args = append(o.Args, outline.Arg{Name: arg.Name, Location: location(arg.At)})
		}
	}
	for _, c := range pf.Caches {
		o.Cache = append(o.Cache, outline.CacheMount{ID: c.Name, Location: location(c.Range())})
	}
}

// describeGrants adds to an outline which packages modules want, which of them name the secrets, agents and build arguments, and whether
// these are given them.
func describeGrants(o *outline.Outline, modules []*module.Module) {
	var parts []string
	if o.Description != "" {
		parts = append(parts, o.Description)
	}
	add := func(m *module.Module, what, id string, has bool) {
		given := "which is given it"
		if !has {
			given = "which is not given it"
		}
		part := fmt.Sprintf("%s %q is for module %s, %s", what, id, m.Name(), given)
		if !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	for _, kind := range []string{container.BuildPackages, container.RunPackages} {
		for _, m := range modules {
			if list := container.PackageList(&m.Packfile.Config, kind); len(list) > 0 {
				parts = append(parts, fmt.Sprintf("%s of module %s: %s", kind, m.Name(), strings.Join(list, ", ")))
			}
		}
	}
	for _, m := range modules {
		if m.Grant == nil {
			continue
		}
		for _, a := range m.Packfile.Access() {
			for _, s := range a.Secrets {
				add(m, "secret", s.ID, m.HasSecret(s.ID))
			}
			for _, id := range a.SSH {
				add(m, "ssh agent", id, m.HasAgent(id))
			}
		}
		for _, arg := range m.Packfile.NamedArgs() {
			add(m, "build argument", arg.Name, m.HasArg(arg.Name))
		}
	}
	o.Description = strings.Join(parts, "; ")
}

func location(r node.Range) *pb.Location {
	return &pb.Location{Ranges: []*pb.Range{module.PBRange(r)}}
}
