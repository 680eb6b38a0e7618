// Package group finds out which modules of a build take part, and who makes what for whom: the build plan of a group, from
// packfiles and from the answers of require scripts and bin/detect. It is for the frontend, which tries groups, and for package
// graph. It does not say what becomes of the layers that are required.
package group

import (
	"fmt"
	"slices"

	bk "github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/cnb/plan"
	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/step"
)

// Detector finds out which modules take part in a build for one platform.
type Detector struct {
	*container.Builder
	Modules []*module.Module // all that may take part, no two with the same id and version; Root is one of them unless it only names others
	Distro  Distro           // from a file of the build image, for when its labels name none
}

// Candidate is a module of a group to try.
type Candidate struct {
	Module   *module.Module
	Optional bool
}

// Group is the modules that take part in a build, in group order, and what they require of each other.
type Group struct {
	Modules []*module.Module
	Entries []PlanEntry // in the order in which they are required
}

// PlanEntry is a name of the build plan.
type PlanEntry struct {
	Name      string
	Providers []*module.Module
	Requires  []PlanRequire // in group order
}

// PlanRequire is what one module requires under a name.
type PlanRequire struct {
	By       *module.Module
	From     *module.Module // the module that provides it
	Metadata metadata.Table
}

// member is a module as the build plan sees it: a packfile or a buildpack.
type member interface {
	// questions returns the questions on whose answers its part of the plan depends.
	questions() []fact.Question
	// ask returns the state with the answer to one of them.
	ask(fact.Question) (bk.State, error)
	// part returns its part of the plan, once they are answered.
	part(fact.Facts) plan.Member
	// warnings returns what is questionable in its answers.
	warnings(fact.Facts) []string
}

func (d *Detector) member(c Candidate) member {
	if c.Module.Buildpack != nil {
		return buildpackMember{c, d}
	}
	return packfileMember{c, d}
}

// Questions returns the open questions of a group. Try needs their answers.
func (d *Detector) Questions(group []Candidate, f fact.Facts) (open []fact.Question) {
	for _, c := range group {
		for _, q := range d.member(c).questions() {
			if _, answered := f[q]; !answered {
				open = append(open, q)
			}
		}
	}
	return open
}

// Ask returns the states that answer questions of a group, one each. It fails for a question that no module has.
func (d *Detector) Ask(qs []fact.Question) ([]fact.Inquiry, error) {
	var inquiries []fact.Inquiry
	for _, q := range qs {
		st, err := d.ask(q)
		if err != nil {
			return nil, err
		}
		inquiries = append(inquiries, fact.Inquiry{State: st, Files: map[fact.Question]string{q: container.ResultPath}})
	}
	return inquiries, nil
}

func (d *Detector) ask(q fact.Question) (bk.State, error) {
	for _, m := range d.Modules {
		if of := d.member(Candidate{Module: m}); slices.Contains(of.questions(), q) {
			return of.ask(q)
		}
	}
	return bk.State{}, fmt.Errorf("no module has question %v", q)
}

// Try finds out whether the build plan of a group balances, by the rules of package plan. Its errors are those of plan.Resolve.
func (d *Detector) Try(group []Candidate, f fact.Facts, trials *plan.Trials) (*Group, error) {
	members := make([]plan.Member, len(group))
	for i, c := range group {
		members[i] = d.member(c).part(f)
	}
	resolved, err := plan.Resolve(members, trials)
	if err != nil {
		return nil, err
	}
	g := new(Group)
	for _, i := range resolved.Members {
		g.Modules = append(g.Modules, group[i].Module)
	}
	for _, e := range resolved.Entries {
		entry := PlanEntry{Name: e.Name}
		first := group[e.Providers[0]].Module
		for _, i := range e.Providers {
			entry.Providers = append(entry.Providers, group[i].Module)
		}
		for _, r := range e.Requires {
			by := group[r.Member].Module
			from := first
			if provides(by, e.Name) { // a layer name belongs to one packfile, which gets what it makes for itself
				from = by
			}
			entry.Requires = append(entry.Requires, PlanRequire{By: by, From: from, Metadata: r.Metadata})
		}
		g.Entries = append(g.Entries, entry)
	}
	return g, nil
}

// provides reports whether a module has a layer of that name and can make it. A buildpack has none: its program decides what it
// makes.
func provides(m *module.Module, name string) bool {
	return slices.ContainsFunc(m.Packfile.Layers, func(l packfile.Layer) bool {
		return l.Name == name && l.Provide != nil
	})
}

// packfileMember is a packfile as a member of a group.
type packfileMember struct {
	Candidate
	d *Detector
}

func (m packfileMember) questions() (qs []fact.Question) {
	for i := range m.Module.Packfile.Layers {
		l := &m.Module.Packfile.Layers[i]
		if l.Require != nil && l.Require.Script != nil {
			qs = append(qs, fact.Question{Layer: m.Module.Subject(l.Name), Kind: fact.Required})
		}
	}
	return qs
}

// ask returns the state with the answer of a layer's require script.
func (m packfileMember) ask(q fact.Question) (bk.State, error) {
	layers := m.Module.Packfile.Layers
	l := &layers[slices.IndexFunc(layers, func(l packfile.Layer) bool { return m.Module.Subject(l.Name) == q.Layer })]
	script := l.Require.Script
	p := container.Process{
		Subject: q.Layer, Module: m.Module, Files: container.Files{Module: m.Module}, Name: string(fact.Required),
		Network: script.Network, Access: l.Require.Access, At: []module.Place{m.Module.At(container.ScriptRange(script))},
		NoCache: m.d.IsNoCache(m.Module, l.Name),
	}
	given := m.d.Told(m.Module, l.Require.Access, m.Module.Packfile.RequireArgs(l), OwnMetadata(m.Module, l, nil))
	p.Spec = step.Spec{Layer: l.Name, Task: step.Require{Given: given, Script: *p.Files.Script(script, l.Name+".require")}}
	// Which modules take part is not known yet. This one does if the answer counts, and so do its symbolic links.
	app := m.d.Hiding(m.Module.Packfile.AppSymlinks()).WholeApp
	p.Mount(container.AppMount(app, llb.ReadOnly))
	out, err := m.d.Exec(p)
	return out[step.OutDir], err
}

func (m packfileMember) warnings(fact.Facts) []string { return nil }

// part returns the packfile's part of the plan. It requires a layer with a require or build section, unless the script refuses.
// It provides a layer with a provide or build section. A layer that the module could require, and does not this time, it may
// still make for others.
func (m packfileMember) part(f fact.Facts) plan.Member {
	member := plan.Member{Name: m.Module.Name(), Optional: m.Optional}
	sections := false
	for i := range m.Module.Packfile.Layers {
		l := &m.Module.Packfile.Layers[i]
		requires := l.Require != nil || l.Build
		sections = sections || requires || l.Provide != nil
		wanted := requires && !f[fact.Question{Layer: m.Module.Subject(l.Name), Kind: fact.Required}].NotWanted
		if wanted {
			require := plan.Require{Name: l.Name, Metadata: m.requirement(l, f)}
			member.Plan.Requires = append(member.Plan.Requires, require)
		}
		if l.Provide != nil {
			member.Plan.Provides = append(member.Plan.Provides, plan.Provide{Name: l.Name, IfRequired: requires && !wanted})
		}
	}
	switch {
	case m.Module == m.d.Root || !sections:
		// The packfile being built takes part in its own build, and a module with nothing but processes takes part in any.
	case len(member.Plan.Requires) == 0 && len(member.Plan.Provides) == 0:
		member.Failed = "none of its layers is required this time"
	default:
		member.MustBeUsed = true
	}
	return member
}

// Keys with which a requirement carries the flags export and expose, as the published packfile does.
const (
	launchFlag = "launch"
	buildFlag  = "build"
)

// requirement returns the table that the packfile requires of a layer.
func (m packfileMember) requirement(l *packfile.Layer, f fact.Facts) metadata.Table {
	table := OwnMetadata(m.Module, l, f)
	if l.Export {
		table[launchFlag] = "true"
	}
	if l.Expose {
		table[buildFlag] = "true"
	}
	return table
}

// OwnMetadata returns the metadata that a packfile gives a layer: what its require script left if it has one, else what the
// packfile says.
func OwnMetadata(m *module.Module, l *packfile.Layer, f fact.Facts) metadata.Table {
	if r, ok := f[fact.Question{Layer: m.Subject(l.Name), Kind: fact.Required}]; ok && !r.NotWanted {
		return r.Metadata.Merged(nil)
	}
	md := l.Metadata.Merged(nil)
	if l.Version != "" {
		md[metadata.Version] = l.Version
	}
	return md
}
