package graph

import (
	"slices"

	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/packfile"
)

// maker makes layers with one run step: it makes all of them or none.
type maker interface {
	// layers returns the layers that it makes. While its questions are open that may be one layer that stands in for them
	// (Layer.standsIn): when they are answered, a graph with the layers themselves takes the place of the graph. It exposes and
	// links what they may, so that nothing is decided before that depends on them.
	layers(facts) []*Layer
	// id returns the id in questions to it, in place of a layer's.
	id() string
	// questions returns the questions to answer before its layers are settled, in the order in which they are asked. An answer may
	// lead to a further question.
	questions(facts) []fact.Kind
	// runsScripts reports whether its run step runs scripts: only then does the step see other layers.
	runsScripts() bool
	// fullEnv reports whether its test sees all that the run step sees.
	fullEnv() bool
	// recipe returns what is known of one of its settled layers before anything is built for it. It fails when a key cannot be
	// made.
	recipe(*Decisions, *Layer) (*recipe, error)
}

// makers returns who makes layers of a module, in the order of the layers.
type makers func(*Graph, *module.Module) []maker

// packfileMakers returns the makers of a packfile: each layer makes itself.
func packfileMakers(g *Graph, m *module.Module) (all []maker) {
	for i := range m.Packfile.Layers {
		if l := g.byID[m.Subject(m.Packfile.Layers[i].Name)]; l != nil && l.Provide != nil {
			all = append(all, l.maker)
		}
	}
	return all
}

// packfileLayer makes a layer of a packfile, and no other.
type packfileLayer struct{ *Layer }

func (l packfileLayer) layers(facts) []*Layer { return []*Layer{l.Layer} }

func (l packfileLayer) id() string { return l.ID }

// runsScripts reports whether the run step of the layer runs scripts: only then does it see other layers.
func (l packfileLayer) runsScripts() bool {
	setUp := slices.ContainsFunc(l.links, func(k link) bool { return k.cache != nil && k.cache.Setup != nil })
	return l.Provide.Run != nil || setUp
}

// fullEnv reports whether the test sees all that the run step sees.
func (l packfileLayer) fullEnv() bool { return l.testScript() != nil && l.Provide.Test.FullEnv }

// questions returns the questions to answer before the layer is settled, in the order in which they are asked.
func (l packfileLayer) questions(f facts) []fact.Kind {
	var kinds []fact.Kind
	if l.Provide.Inputs != nil {
		kinds = append(kinds, fact.Inputs)
	}
	if l.Provide.Test != nil {
		kinds = append(kinds, fact.Tested)
	}
	if slices.ContainsFunc(l.Provide.Deps, packfile.Dep.IsFolder) {
		kinds = append(kinds, fact.LookedUp)
	}
	if slices.ContainsFunc(l.Provide.Deps, unpinned) || f.foundInexact(l.Layer) {
		kinds = append(kinds, fact.Fetched)
	}
	return kinds
}
