package frontend

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/containerd/platforms"
	gw "github.com/moby/buildkit/frontend/gateway/client"

	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/graph"
	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/text"
)

// planRequest asks which modules take part in a build, and what they require of each other (docker buildx build
// --call=packfile.plan).
var planRequest = ownRequest("frontend.packfile.plan", "Which modules take part in the build, and what they require of each other")

// planning reports whether the user asks for the plan and nothing else.
func (b *build) planning() bool { return b.opts.requestID == planRequest.Name }

// resolvedPlan is the answer to planRequest.
type resolvedPlan struct {
	Warnings  []string       `json:"warnings,omitempty"` // about build plans of buildpacks
	Platforms []platformPlan `json:"platforms"`
}

type platformPlan struct {
	Platform string        `json:"platform"`
	Modules  []planModule  `json:"modules"` // taking part, in group order
	Entries  []planEntry   `json:"entries"`
	Packages []planPackage `json:"packages,omitempty"` // of the distribution, sorted by name in each of build and run image
	Failed   []failedTrial `json:"failed,omitempty"`   // groups tried before this one
}

type planModule struct {
	ID      string `json:"id"`
	Version string `json:"version,omitempty"`
	From    string `json:"from"` // its packfile or buildpack.toml
}

type planEntry struct {
	Name      string        `json:"name"`
	Providers []string      `json:"providers"`
	Requires  []planRequire `json:"requires"`
}

type planRequire struct {
	By       string         `json:"by"`
	From     string         `json:"from"` // module that makes the layer
	Metadata metadata.Table `json:"metadata"`
}

type planPackage struct {
	In   string `json:"in"`   // build-packages or run-packages
	Name string `json:"name"` // NAME or NAME=VERSION
	By   string `json:"by"`   // module that names it; of several, one that names a version
}

type failedTrial struct {
	Modules []failedModule `json:"modules"`
}

type failedModule struct {
	Module   string `json:"module"`
	Optional bool   `json:"optional,omitempty"`
	Why      string `json:"why,omitempty"` // "" when it is not at fault
}

// explainPlan returns the group that a build would take. It runs the require steps, and bin/detect of buildpacks.
func explainPlan(ctx context.Context, b *build) (answer, error) {
	if err := b.readContexts(ctx); err != nil {
		return nil, err
	}
	var p resolvedPlan
	var err error
	p.Platforms, err = onEachPlatform(ctx, b.platforms(), func(ctx context.Context, i int) (platformPlan, error) {
		in, err := b.inputs(ctx, i)
		if err != nil {
			return platformPlan{}, err
		}
		d, err := b.findGroup(ctx, in.detector)
		if err != nil {
			return platformPlan{}, err
		}
		p := newPlatformPlan(platforms.Format(b.platforms()[i]), d)
		p.Packages, err = planPackages(in.detector.Builder, d.group.Modules, b.now)
		return p, err
	})
	if err != nil {
		return nil, err
	}
	p.Warnings = slices.Sorted(slices.Values(b.planSays.list))
	return p, nil
}

// ToResult implements answer.
func (p resolvedPlan) ToResult() (*gw.Result, error) { return reply(p, p.text()) }

// newPlatformPlan returns the plan of the group that was found for a platform, and the groups that failed before.
func newPlatformPlan(platform string, d *detection) platformPlan {
	p := platformPlan{Platform: platform, Modules: []planModule{}, Entries: []planEntry{}}
	for _, m := range d.group.Modules {
		p.Modules = append(p.Modules, planModule{ID: m.ID(), Version: m.Packfile.Config.Version, From: m.Filename})
	}
	for _, e := range d.group.Entries {
		entry := planEntry{Name: e.Name}
		for _, m := range e.Providers {
			entry.Providers = append(entry.Providers, m.Name())
		}
		for _, r := range e.Requires {
			entry.Requires = append(entry.Requires, planRequire{By: r.By.Name(), From: r.From.Name(), Metadata: r.Metadata})
		}
		p.Entries = append(p.Entries, entry)
	}
	p.Failed = failedTrials(d.failed)
	return p
}

// planPackages returns the packages of the distribution that modules want.
func planPackages(b *container.Builder, modules []*module.Module, now time.Time) (all []planPackage, err error) {
	for _, kind := range []string{container.BuildPackages, container.RunPackages} {
		w, err := b.Unite(kind, graph.WithRoot(modules, b.Root), now)
		if err != nil {
			return nil, err
		}
		if w == nil {
			continue
		}
		for i, name := range w.Key.Names {
			all = append(all, planPackage{In: kind, Name: name, By: w.At[i].Module.Name()})
		}
	}
	return all, nil
}

// text returns the tables for people.
func (p resolvedPlan) text() []byte {
	var out bytes.Buffer
	for _, w := range p.Warnings {
		fmt.Fprintf(&out, "WARNING: %s\n\n", w)
	}
	for i, platform := range p.Platforms {
		if i > 0 {
			fmt.Fprintln(&out)
		}
		if len(p.Platforms) > 1 {
			fmt.Fprintf(&out, "%s\n\n", platform.Platform)
		}
		platform.write(&out)
	}
	return out.Bytes()
}

// write writes the tables of one platform: failed groups, modules, layers with who requires them, and packages.
func (p platformPlan) write(out *bytes.Buffer) {
	table := func(write func(*tabwriter.Writer)) {
		tw := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
		write(tw)
		tw.Flush()
	}
	if len(p.Failed) > 0 {
		table(func(tw *tabwriter.Writer) { writeFailed(tw, p.Failed) })
		fmt.Fprintln(out)
	}
	table(func(tw *tabwriter.Writer) {
		fmt.Fprintln(tw, "MODULE\tFROM")
		for _, m := range p.Modules {
			fmt.Fprintf(tw, "%s\t%s\n", strings.TrimSuffix(m.ID+"@"+m.Version, "@"), text.Short(m.From))
		}
	})
	if len(p.Entries) > 0 {
		fmt.Fprintln(out)
		table(p.writeEntries)
	}
	if len(p.Packages) > 0 {
		fmt.Fprintln(out)
		table(func(tw *tabwriter.Writer) {
			fmt.Fprintln(tw, "PACKAGE\tIN\tWANTED BY")
			for _, w := range p.Packages {
				fmt.Fprintf(tw, "%s\t%s\t%s\n", w.Name, w.In, w.By)
			}
		})
	}
}

// writeEntries writes which layers are required, who makes them, and for whom.
func (p platformPlan) writeEntries(tw *tabwriter.Writer) {
	fmt.Fprintln(tw, "LAYER\tMADE BY\tREQUIRED BY\tWITH")
	for _, e := range p.Entries {
		name := text.Short(e.Name) // a buildpack may use any name
		for _, r := range e.Requires {
			fmt.Fprintf(tw, "%s\t%s\t%s\t%s\n", name, r.From, r.By, shownTable(r.Metadata))
			name = ""
		}
	}
}

// writeFailed writes why each group and module does not pass.
func writeFailed(tw *tabwriter.Writer, failed []failedTrial) {
	fmt.Fprintln(tw, "GROUP\tMODULE\tWHY NOT")
	for i, f := range failed {
		number := fmt.Sprint(i + 1)
		for _, m := range f.Modules {
			name := m.Module
			if m.Optional {
				name += " (optional)"
			}
			why := m.Why
			if why == "" {
				why = "-"
			}
			fmt.Fprintf(tw, "%s\t%s\t%s\n", number, name, why)
			number = ""
		}
	}
}

// shownTable returns the values of a metadata table on one line.
func shownTable(table metadata.Table) string {
	var all []string
	for _, key := range table.Names() {
		value := "{…}"
		if v, ok := table[key].(string); ok {
			value = text.Short(v)
		}
		all = append(all, text.Short(key)+"="+value)
	}
	return strings.Join(all, " ")
}

// asksByStep reports whether a module's part of the plan takes a step: it has a require script, or is a buildpack.
func asksByStep(u *module.Module) bool {
	return u.Buildpack != nil ||
		slices.ContainsFunc(u.Packfile.Scripts(), func(s packfile.PlacedScript) bool { return s.Kind == packfile.RequireScript })
}
