package order

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// graph makes modules out of bytes: components first, then composites of what was made before them, and an order.
func graph(data []byte) (modules []*Module, o Order) {
	next := func(n int) int {
		if len(data) == 0 {
			return 0
		}
		b := data[0]
		data = data[1:]
		return int(b) % n
	}
	order := func() (o Order) {
		for range 1 + next(3) {
			var g Group
			for range 1 + next(4) {
				g = append(g, Entry{modules[next(len(modules))], next(2) == 1})
			}
			o = append(o, g)
		}
		return o
	}
	for i := range 1 + next(6) {
		modules = append(modules, &Module{ID: string(rune('a' + i/2)), Version: fmt.Sprint(i % 2)})
	}
	for range next(12) {
		modules = append(modules, &Module{ID: string(rune('a' + next(20))), Version: "composite", Order: order()})
	}
	return modules, order()
}

// detector is the lifecycle's detectOrder and detectGroup, with copies for everything and no group that passes.
type detector struct {
	groups []string
	limit  int
}

func (d *detector) order(o Order, done, next Group, optional bool) {
	for _, g := range o {
		d.group(slices.Concat(g, next), slices.Clone(done))
	}
	if optional {
		d.group(next, slices.Clone(done))
	}
}

func (d *detector) group(g, done Group) {
	if len(d.groups) == d.limit {
		return
	}
	for i, entry := range g {
		if at := slices.IndexFunc(done, func(e Entry) bool { return e.Module.ID == entry.Module.ID }); at >= 0 {
			done[at].Optional = done[at].Optional && entry.Optional
			continue
		}
		if len(entry.Module.Order) > 0 {
			d.order(entry.Module.Order, done, g[i+1:], entry.Optional)
			return
		}
		done = append(done, entry)
	}
	if len(done) > 0 {
		d.groups = append(d.groups, write(done))
	}
}

// Whatever modules there are, groups are those of the lifecycle's detector, and hold its promises.
func FuzzGroups(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("groups of components"))
	f.Add([]byte{5, 11, 0, 2, 1, 0, 1, 1, 3, 2, 2, 0, 3, 1, 4, 0, 5, 1, 6, 0, 7, 1, 8, 0, 9, 1, 10, 0, 11, 1, 2, 3, 12, 1, 13})
	f.Fuzz(func(t *testing.T, data []byte) {
		modules, o := graph(data)
		if o.Cycle() != nil {
			t.Fatal("a cycle where none can be")
		}
		if o.Check() != nil {
			return // too long
		}
		const limit = 50
		var got []string
		for g := range o.Groups() {
			ids := map[string]bool{}
			for _, entry := range g {
				switch {
				case ids[entry.Module.ID]:
					t.Fatalf("%s is there twice: %s", entry.Module.ID, write(g))
				case len(entry.Module.Order) > 0:
					t.Fatalf("a composite is left: %s", write(g))
				case !slices.Contains(modules, entry.Module):
					t.Fatalf("module from nowhere: %s", write(g))
				}
				ids[entry.Module.ID] = true
			}
			if len(g) == 0 {
				t.Fatal("a group of nobody")
			}
			if got = append(got, write(g)); len(got) == limit {
				break
			}
		}
		d := detector{limit: limit}
		d.order(o, nil, nil, false)
		if diff := cmp.Diff(d.groups, got); diff != "" {
			t.Error(diff)
		}
	})
}

// Modules that contain one another are found, and only they.
func FuzzCycle(f *testing.F) {
	f.Add([]byte{0, 1, 1, 0})
	f.Add([]byte{0, 1, 1, 2, 2, 3})
	f.Fuzz(func(t *testing.T, data []byte) {
		const n = 8
		modules := make([]*Module, n)
		for i := range modules {
			modules[i] = &Module{ID: fmt.Sprint(i)}
		}
		for ; len(data) > 1; data = data[2:] {
			from, to := modules[data[0]%n], modules[data[1]%n]
			from.Order = append(from.Order, Group{{Module: to}})
		}
		// What is reached from where, in as many steps as there are modules.
		reaches := func(from, to *Module) bool {
			reached := map[*Module]bool{}
			for _, g := range from.Order {
				reached[g[0].Module] = true
			}
			for range n {
				for m := range reached {
					for _, g := range m.Order {
						reached[g[0].Module] = true
					}
				}
			}
			return reached[to]
		}
		want := false
		for _, m := range modules {
			want = want || reaches(m, m) && (m == modules[0] || reaches(modules[0], m))
		}
		cycle := Order{{{Module: modules[0]}}}.Cycle()
		if (cycle != nil) != want {
			t.Fatalf("cycle %v, want one: %v", cycle, want)
		}
		if cycle == nil {
			return
		}
		if len(cycle) < 2 || cycle[0] != cycle[len(cycle)-1] {
			t.Fatalf("not closed: %v", cycle)
		}
		for i, m := range cycle[1:] {
			if !slices.ContainsFunc(cycle[i].Order, func(g Group) bool { return g[0].Module == m }) {
				t.Fatalf("%s has no %s: %v", cycle[i], m, cycle)
			}
		}
	})
}
