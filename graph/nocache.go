package graph

import (
	bk "github.com/moby/buildkit/client/llb"
)

// What is made again although it is cached, for --no-cache and --no-cache-filter.
//
// BuildKit knows what an operation leaves by the operation's cache key as well as by its content. When one is run again by
// bk.IgnoreCache, what uses it directly goes by the content; but what uses that in turn finds the results that go with the
// old content under the same keys. So after a step that runs again, every copy and every merge on the way to the image is
// made again too. Those of layers that link its layer are among them; their steps are not: they go by content, as ever. What a
// layer that links others leaves is used by nothing but such copies and merges, for that reason alone. They are there in every
// build: one without --no-cache finds what the one before it left only if the graph is the same.

// markNoCache finds out which layers are made again. A layer with lock-app works on the app that the one before it left,
// which is no copy, so it runs again when that one is made again.
func (g *Graph) markNoCache() {
	seen := map[*Layer]bool{}
	var affected func(l *Layer) bool
	affected = func(l *Layer) bool {
		if seen[l] {
			return l.affected
		}
		seen[l] = true
		l.noCache = g.IsNoCache(l.Module, l.Name)
		for _, other := range g.LockApp() {
			if l.Provide.LockApp && other.index < l.index && affected(other) {
				l.noCache = true
			}
		}
		l.affected = l.noCache
		for _, k := range l.links {
			if k.layer != nil && affected(k.layer) {
				l.affected = true
			}
		}
		return l.affected
	}
	for _, l := range g.Layers {
		affected(l)
	}
}

// Options are those of an operation on what some layers left; name is what its vertex is called.
func Options(name string, layers ...*Layer) []bk.ConstraintsOpt {
	opts := []bk.ConstraintsOpt{bk.WithCustomName(name)}
	for _, l := range layers {
		if l.affected {
			return append(opts, bk.IgnoreCache)
		}
	}
	return opts
}

// LockApp are the layers that change the app.
func (g *Graph) LockApp() (found []*Layer) {
	for _, l := range g.Layers {
		if l.Provide.LockApp {
			found = append(found, l)
		}
	}
	return found
}
