package graph

import (
	bk "github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/container"
)

// Rebuilding what is cached, for --no-cache and --no-cache-filter.
//
// BuildKit knows what an operation leaves by the operation's cache key as well as by its content. When bk.IgnoreCache runs an
// operation again, an operation that uses it directly goes by the content; but the next one in turn finds the results of the old
// content under the same keys. So after a step that runs again, every copy and every merge on the way to the image is made again
// too. Among these are the copies and merges of layers that link its layer. The steps of these layers are not: they go by
// content, as ever. For that reason alone, nothing but such copies and merges uses the output of a layer that links others. They
// are in every build: one without --no-cache finds what the one before it left only if the graph is the same.

// markNoCache finds out which layers are rebuilt. A lock-app layer works on the app that the lock-app layer before it left. That
// is no copy, so the one runs again when the other is rebuilt.
func (g *Graph) markNoCache() {
	seen := map[*Layer]bool{}
	var affected func(l *Layer) bool
	affected = func(l *Layer) bool {
		if seen[l] {
			return l.affected
		}
		seen[l] = true
		l.noCache = g.IsNoCache(l.Module, l.Name) || g.Packages != nil && g.NoCache(container.BuildPackages) && l.maker.runsScripts()
		for _, other := range g.LockApp {
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

// Options returns the options of an operation on what some layers left. name is the name of its vertex.
func Options(name string, layers ...*Layer) []bk.ConstraintsOpt {
	opts := []bk.ConstraintsOpt{bk.WithCustomName(name)}
	for _, l := range layers {
		if l.affected {
			return append(opts, bk.IgnoreCache)
		}
	}
	return opts
}
