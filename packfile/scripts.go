package packfile

import "github.com/packfile/frontend/node"

// ScriptKind is the purpose of a script.
type ScriptKind int

// The kinds of scripts.
const (
	SetupScript ScriptKind = iota // of a cache
	RequireScript
	TestScript
	RunScript
	ProfileScript
)

// PlacedScript is a script with the cache or layer that it belongs to.
type PlacedScript struct {
	*Script // never nil
	Kind    ScriptKind
	Cache   *Cache // of a SetupScript, else nil
	Layer   *Layer // of any other script, else nil
}

// Scripts returns all scripts of the packfile: first those of caches, then those of layers, both in file order. Scripts
// of a layer come in the order in which they run. They are not copies: a change changes the packfile.
func (pf *Packfile) Scripts() (all []PlacedScript) {
	for i := range pf.Caches {
		if c := &pf.Caches[i]; c.Setup != nil {
			all = append(all, PlacedScript{Script: c.Setup, Kind: SetupScript, Cache: c})
		}
	}
	for i := range pf.Layers {
		l := &pf.Layers[i]
		add := func(kind ScriptKind, s *Script) {
			if s != nil {
				all = append(all, PlacedScript{Script: s, Kind: kind, Layer: l})
			}
		}
		if l.Require != nil {
			add(RequireScript, l.Require.Script)
		}
		if l.Provide == nil {
			continue
		}
		if l.Provide.Test != nil {
			add(TestScript, l.Provide.Test.Script)
		}
		add(RunScript, l.Provide.Run)
		for j := range l.Provide.Profile {
			add(ProfileScript, &l.Provide.Profile[j])
		}
	}
	return all
}

// PlacedAccess is a section with its secrets and agents.
type PlacedAccess struct {
	Access
	node.Table
}

// Sections returns the sections of a packfile that name secrets or agents, in file order.
func (pf *Packfile) Sections() (all []PlacedAccess) {
	add := func(a Access, t node.Table) {
		if len(a.Secrets)+len(a.SSH) > 0 {
			all = append(all, PlacedAccess{a, t})
		}
	}
	for i := range pf.Layers {
		l := &pf.Layers[i]
		if l.Require != nil {
			add(l.Require.Access, l.Require.Table)
		}
		if l.Provide != nil {
			add(l.Provide.Access, l.Provide.Table)
			if l.Provide.Test != nil {
				add(l.Provide.Test.Access, l.Provide.Test.Table)
			}
		}
	}
	return all
}

// Access returns the secrets and agents of each section of a packfile, without the sections.
func (pf *Packfile) Access() (all []Access) {
	for _, s := range pf.Sections() {
		all = append(all, s.Access)
	}
	return all
}
