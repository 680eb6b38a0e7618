package packfile

import (
	"cmp"
	"slices"
	"strings"

	"github.com/packfile/frontend/node"
)

// linker checks the layers and caches that links name.
type linker struct {
	*node.Decoder
	p      *Packfile
	layers map[string]int
	caches map[string]bool
	edges  [][]int // layers that each layer links to
}

// checkLinks checks the names of layers and caches, and all links between them.
func checkLinks(d *node.Decoder, p *Packfile) {
	l := linker{Decoder: d, p: p, layers: map[string]int{}, caches: map[string]bool{}, edges: make([][]int, len(p.Layers))}
	names := map[string]node.Range{}
	for i := range p.Layers {
		layer := &p.Layers[i]
		d.Unique(names, "layer", layer.Name, layer.At("name"))
		if _, ok := l.layers[layer.Name]; !ok {
			l.layers[layer.Name] = i
		}
	}
	for i := range p.Caches {
		cache := &p.Caches[i]
		switch _, isLayer := l.layers[cache.Name]; {
		case isLayer && cache.Name != "":
			d.Fail(cache.At("name"), "layers and caches share their names", "%s is already a layer, on line %d",
				node.Quote(cache.Name), names[cache.Name].Start.Line)
		default:
			d.Unique(names, "cache", cache.Name, cache.At("name"))
		}
		l.caches[cache.Name] = true
	}

	type place struct {
		from, to int
		link     *Link
	}
	var below []place // links to layers that stand further down
	for from := range p.Layers {
		if p.Layers[from].Provide == nil {
			continue
		}
		for j := range p.Layers[from].Provide.Links {
			link := &p.Layers[from].Provide.Links[j]
			to, ok := l.link(from, link)
			if !ok {
				continue
			}
			l.edges[from] = append(l.edges[from], to)
			if to > from {
				below = append(below, place{from, to, link})
			}
		}
	}
	if len(below) == 0 {
		return // links go up only, so they make no cycle
	}
	groups := l.groups()
	told := map[int]bool{}
	for _, b := range below {
		at := b.link.At("name")
		switch {
		case groups[b.to] != groups[b.from]:
			d.Fail(at, "move it above layer "+node.Quote(p.Layers[b.from].Name), "link to %s, which stands further down",
				node.Quote(b.link.Name))
		case !told[groups[b.to]]:
			told[groups[b.to]] = true
			d.Fail(at, "", "links make a cycle: %s", l.cycle(b.from, b.to, groups))
		}
	}
}

// link checks one link of a layer. It returns the layer that it goes to; ok is false when it goes to none.
func (l *linker) link(from int, link *Link) (to int, ok bool) {
	at := link.At("name")
	to, isLayer := l.layers[link.Name]
	switch {
	case link.Name == "":
		if link.Has("name") {
			l.Fail(at, "", "name: a link to nothing")
		}
	case l.caches[link.Name]:
		for _, key := range []string{"link-content", "link-version", "version-as", "metadata-as"} {
			if link.Has(key) {
				l.Fail(link.At(key), "", "%s: cache %s has no version or metadata, and its content does not count",
					l.Key(key), node.Quote(link.Name))
			}
		}
	case !isLayer:
		hint := cmp.Or(l.didYouMean(link.Name, from), "a link goes to a layer above that has require, provide or build, or to a cache")
		l.Fail(at, hint, "link to %s, which is no layer or cache here", node.Quote(link.Name))
	case to == from:
		l.Fail(at, "", "layer %s links to itself", node.Quote(link.Name))
	case !l.p.Layers[to].hasSection():
		l.Fail(at, "require it if another module provides it, or say with build how it is made",
			"link to layer %s, which has none of require, provide and build", node.Quote(link.Name))
	default:
		return to, true
	}
	return 0, false
}

// hasSection reports whether a layer is required or provided here: one that is only required comes from another module.
func (l *Layer) hasSection() bool { return l.Has("require") || l.Has("provide") || l.Has("build") }

// didYouMean returns the hint that suggests the layer or cache that a wrong name probably means, "" when none is near.
func (l *linker) didYouMean(name string, from int) string {
	if !l.MaySuggest() {
		return ""
	}
	var names []string
	for i := range l.p.Caches {
		names = append(names, l.p.Caches[i].Name)
	}
	for i := range l.p.Layers {
		if i != from && l.p.Layers[i].hasSection() {
			names = append(names, l.p.Layers[i].Name)
		}
	}
	return l.DidYouMean(name, names)
}

// groups gives layers the same number when each can be reached from the other by links (Tarjan's algorithm).
func (l *linker) groups() []int {
	n := len(l.edges)
	var (
		order   = make([]int, n) // when a layer was first seen, from 1
		low     = make([]int, n) // the earliest layer that is reached from it
		group   = make([]int, n) // its group, from 1
		stack   []int
		counter int
		visit   func(v int)
	)
	visit = func(v int) {
		counter++
		order[v], low[v] = counter, counter
		stack = append(stack, v)
		for _, w := range l.edges[v] {
			switch {
			case order[w] == 0:
				visit(w)
				low[v] = min(low[v], low[w])
			case group[w] == 0:
				low[v] = min(low[v], order[w])
			}
		}
		if low[v] != order[v] {
			return
		}
		for group[v] == 0 {
			top := len(stack) - 1
			group[stack[top]] = order[v]
			stack = stack[:top]
		}
	}
	for v := range n {
		if order[v] == 0 {
			visit(v)
		}
	}
	return group
}

// maxCycle is the largest number of names of a cycle in a message.
const maxCycle = 12

// cycle returns the shortest cycle through a link from one layer to another, as text.
func (l *linker) cycle(from, to int, groups []int) string {
	previous := map[int]int{to: to}
	queue := []int{to}
	for len(queue) > 0 && queue[0] != from {
		v := queue[0]
		queue = queue[1:]
		for _, w := range l.edges[v] {
			if _, seen := previous[w]; !seen && groups[w] == groups[from] {
				previous[w] = v
				queue = append(queue, w)
			}
		}
	}
	names := []string{l.p.Layers[from].Name}
	for v := from; v != to; {
		v = previous[v]
		names = append(names, l.p.Layers[v].Name)
	}
	names = append(names, l.p.Layers[from].Name)
	slices.Reverse(names)
	if len(names) > maxCycle {
		names = append(append(names[:maxCycle-1:maxCycle-1], "…"), names[len(names)-1])
	}
	for i, name := range names {
		if len(name) > maxName {
			names[i] = name[:maxName] + "…"
		}
	}
	return strings.Join(names, " -> ")
}
