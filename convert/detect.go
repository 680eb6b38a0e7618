package convert

import (
	"github.com/packfile/frontend/module"
	"maps"

	"github.com/packfile/frontend/cnb/plan"
	"github.com/packfile/frontend/packfile"
)

// Candidate is a module of a group that is tried.
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

// PlanRequire is what one module says of a name that it requires.
type PlanRequire struct {
	By       *module.Module
	From     *module.Module // who meets it
	Metadata map[string]any
}

// member is a module as the build plan sees it: a packfile or a buildpack.
type member interface {
	// questions are those on whose answers its part of the plan depends.
	questions() []Question
	// part is its part of the plan, when they are answered.
	part(Facts) plan.Member
}

func (b *Build) member(c Candidate) member {
	if c.Module.Buildpack != nil {
		return buildpackMember{c, b}
	}
	return packfileMember{c, c.Module == b.in.Root}
}

// DetectQuestions are those that have to be answered before a group can be tried.
func (b *Build) DetectQuestions(group []Candidate, f Facts) (open []Question) {
	for _, c := range group {
		for _, q := range b.member(c).questions() {
			if _, answered := f[q]; !answered {
				open = append(open, q)
			}
		}
	}
	return open
}

// Try finds out whether the build plan of a group balances, by the rules of package plan. Its errors are those of plan.Resolve.
func (b *Build) Try(group []Candidate, f Facts, trials *plan.Trials) (*Group, error) {
	members := make([]plan.Member, len(group))
	for i, c := range group {
		members[i] = b.member(c).part(f)
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
			if b.provides(by, e.Name) { // names of layers are those of one packfile: what it makes for itself it gets
				from = by
			}
			entry.Requires = append(entry.Requires, PlanRequire{By: by, From: from, Metadata: r.Metadata})
		}
		g.Entries = append(g.Entries, entry)
	}
	return g, nil
}

// provides says whether a module has a layer of that name which it can make.
func (b *Build) provides(m *module.Module, name string) bool {
	l := b.layerOf(m, name)
	return l != nil && l.Provide != nil
}

// layerOf is the layer of a module that a name of the build plan stands for; nil when the module is a buildpack, whose names
// may be any, such as what is a layer of another module with that module's id.
func (b *Build) layerOf(m *module.Module, name string) *layer {
	if m.Buildpack != nil {
		return nil
	}
	return b.byID[m.Subject(name)]
}

// packfileMember is a packfile as a member of a group.
type packfileMember struct {
	Candidate
	root bool // the packfile that is built
}

func (m packfileMember) questions() (qs []Question) {
	for i := range m.Module.Packfile.Layers {
		l := &m.Module.Packfile.Layers[i]
		if l.Require != nil && l.Require.Script != nil {
			qs = append(qs, Question{m.Module.Subject(l.Name), Required})
		}
	}
	return qs
}

// part of the plan: a layer with a require or build section is required, unless its script says no; one with provide or build
// is provided. What a module could require itself, and does not this time, it may still make for others.
func (m packfileMember) part(f Facts) plan.Member {
	member := plan.Member{Name: m.Module.Name(), Optional: m.Optional}
	sections := false
	for i := range m.Module.Packfile.Layers {
		l := &m.Module.Packfile.Layers[i]
		requires := l.Require != nil || l.Build
		sections = sections || requires || l.Provide != nil
		wanted := requires && !f[Question{m.Module.Subject(l.Name), Required}].NotWanted
		if wanted {
			require := plan.Require{Name: l.Name, Metadata: m.requirement(l, f)}
			member.Plan.Requires = append(member.Plan.Requires, require)
		}
		if l.Provide != nil {
			member.Plan.Provides = append(member.Plan.Provides, plan.Provide{Name: l.Name, IfRequired: requires && !wanted})
		}
	}
	switch {
	case m.root || !sections:
		// What is built takes part in its own build; and whoever has but processes does in any.
	case len(member.Plan.Requires) == 0 && len(member.Plan.Provides) == 0:
		member.Failed = "none of its layers is required this time"
	default:
		member.MustBeUsed = true
	}
	return member
}

// Names by which a requirement carries the flags export and expose (the published packfile's way).
const (
	launchFlag = "launch"
	buildFlag  = "build"
)

// requirement is the table that says what is wanted of a layer.
func (m packfileMember) requirement(l *packfile.Layer, f Facts) map[string]any {
	table := ownMetadata(m.Module, l, f)
	if l.Export {
		table[launchFlag] = "true"
	}
	if l.Expose {
		table[buildFlag] = "true"
	}
	return table
}

// ownMetadata is what a packfile says of a layer, and its require script if it has one.
func ownMetadata(m *module.Module, l *packfile.Layer, f Facts) map[string]any {
	md := map[string]any{}
	if r, ok := f[Question{m.Subject(l.Name), Required}]; ok && !r.NotWanted {
		maps.Copy(md, r.Metadata)
		return md
	}
	maps.Copy(md, l.Metadata)
	if l.Version != "" {
		md["version"] = l.Version
	}
	return md
}

// assign tells the layers of a group who requires them, and those that are only required who makes them.
func (g *Group) assign(b *Build, f Facts) {
	for _, e := range g.Entries {
		for _, r := range e.Requires {
			by, from := b.layerOf(r.By, e.Name), b.layerOf(r.From, e.Name)
			if by != nil {
				by.madeBy = from
			}
			if from == nil {
				continue
			}
			var table map[string]any
			var export, expose bool
			if by != nil {
				table, export, expose = ownMetadata(by.module, by.Layer, f), by.Layer.Export, by.Layer.Expose
			} else {
				table, export, expose = wanted(r.Metadata)
			}
			from.required = append(from.required, requirement{by: by, metadata: table})
			from.Export = from.Export || export
			from.Expose = from.Expose || expose
		}
	}
	for _, l := range b.byID {
		l.metadata = ownMetadata(l.module, l.Layer, f)
		maps.Copy(l.metadata, l.asked())
	}
}

// asked is what the last of other modules that say something about a layer wants of it. A table is taken as a whole.
func (l *layer) asked() (table map[string]any) {
	for _, r := range l.required {
		if r.by != l && len(r.metadata) > 0 {
			table = r.metadata
		}
	}
	return table
}
