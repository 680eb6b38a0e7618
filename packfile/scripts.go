package packfile

// ScriptKind says what a script is for.
type ScriptKind int

// The kinds of scripts.
const (
	SetupScript ScriptKind = iota // of a cache
	RequireScript
	TestScript
	RunScript
	ProfileScript
)

// PlacedScript is a script and what it belongs to.
type PlacedScript struct {
	*Script // never nil
	Kind    ScriptKind
	Cache   *Cache // that a SetupScript is of, else nil
	Layer   *Layer // that another script is of, else nil
}

// Scripts returns all scripts of the packfile: of caches, and then of layers, both in file order; those of a layer in the order in
// which they run. The scripts are the packfile's own.
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

// PlacedAccess is what a section may reach, and the section.
type PlacedAccess struct {
	Access
	Table
}

// Sections returns what the sections of a packfile may reach, in file order, one for each that names anything.
func (pf *Packfile) Sections() (all []PlacedAccess) {
	add := func(a Access, t Table) {
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

// Access returns what the sections of a packfile may reach, without the sections.
func (pf *Packfile) Access() (all []Access) {
	for _, s := range pf.Sections() {
		all = append(all, s.Access)
	}
	return all
}
