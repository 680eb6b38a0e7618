package plan

import (
	"fmt"
	"testing"

	"github.com/packfile/frontend/cnb/order"
)

// many is an order of 9*9*8*8 groups of eleven components each, of which only the last passes, with the build plans of the
// components. Four composites in a row have pairs of components as groups; what the next pair requires is provided by the
// last pair only.
func many() (order.Order, map[string]Plan) {
	plans := map[string]Plan{}
	component := func(id string, p Plan) order.Entry {
		plans[id] = p
		return order.Entry{Module: &order.Module{ID: id}}
	}
	group := order.Group{
		component("runtime", Plan{Provides: []Provide{{Name: "runtime"}, {Name: "proof-0"}}}),
		component("tools", Plan{Provides: []Provide{{Name: "tools"}}, Requires: []Require{{Name: "runtime"}}}),
	}
	for i, n := range []int{9, 9, 8, 8} {
		var o order.Order
		for j := range n {
			engine, proof := fmt.Sprintf("engine-%d-%d", i, j), fmt.Sprintf("proof-%d", i+1)
			if j < n-1 {
				proof += fmt.Sprintf("-of-%d", j)
			}
			o = append(o, order.Group{
				component(engine, Plan{
					Provides: []Provide{{Name: engine}},
					Requires: []Require{{Name: "tools"}},
				}),
				component(fmt.Sprintf("manager-%d-%d", i, j), Plan{
					Provides: []Provide{{Name: proof}},
					Requires: []Require{{Name: engine}, {Name: "runtime"}, {Name: "tools"}, {Name: fmt.Sprintf("proof-%d", i)}},
				}),
			})
		}
		group = append(group, order.Entry{Module: &order.Module{ID: fmt.Sprintf("composite-%d", i), Order: o}})
	}
	return order.Order{append(group, component("app", Plan{Requires: []Require{{Name: "proof-4"}}}))}, plans
}

// resolve walks an order with plans that are known until a group passes.
func resolve(o order.Order, plans map[string]Plan) (groups int, r *Resolution) {
	trials := &Trials{Limit: 100_000}
	for g := range o.Groups() {
		groups++
		members := make([]Member, len(g))
		for i, entry := range g {
			members[i] = Member{Name: entry.Module.ID, Optional: entry.Optional, Plan: plans[entry.Module.ID]}
		}
		if r, err := Resolve(members, trials); err == nil {
			return groups, r
		}
	}
	return groups, nil
}

func BenchmarkResolveOrder(b *testing.B) {
	o, plans := many()
	b.ReportAllocs()
	for b.Loop() {
		groups, r := resolve(o, plans)
		if groups != 9*9*8*8 || r == nil || len(r.Members) != 11 {
			b.Fatalf("%d groups, %+v", groups, r)
		}
	}
}
