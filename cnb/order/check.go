package order

import (
	"fmt"
	"slices"
	"strings"
)

// MaxLength is the largest length of a group, composites and dropped entries included.
const MaxLength = 10_000

// Check returns an error when Groups might not reach its next group soon: for a cycle; for a group without entries,
// because an order can have any number of them and expand to nothing; for a group longer than MaxLength, because a few
// lines of orders that repeat one another can expand to any length.
func (o Order) Check() error {
	if cycle := o.Cycle(); cycle != nil {
		names := make([]string, len(cycle))
		for i, m := range cycle {
			names[i] = m.String()
		}
		return fmt.Errorf("modules whose orders go round in a circle: %s", strings.Join(names, " → "))
	}
	_, err := o.length("the order", map[*Module]int{})
	return err
}

// length returns the length of the longest group. The order must have no cycle.
func (o Order) length(of string, known map[*Module]int) (int, error) {
	longest := 0
	for i, group := range o {
		if len(group) == 0 {
			return 0, fmt.Errorf("group %d of %s has no modules", i+1, of)
		}
		length := len(group)
		for _, entry := range group {
			m := entry.Module
			inner, ok := known[m]
			if !ok {
				var err error
				if inner, err = m.Order.length(m.String(), known); err != nil {
					return 0, err
				}
				known[m] = inner
			}
			length += inner
		}
		if length > MaxLength {
			return 0, fmt.Errorf("group %d of %s comes to more than %d modules", i+1, of, MaxLength)
		}
		longest = max(longest, length)
	}
	return longest, nil
}

// Cycle returns the modules along a cycle of composites, the first again at the end, nil when there is none.
func (o Order) Cycle() []*Module {
	finished := map[*Module]bool{} // false while the walk is inside a module
	var path []*Module
	var visit func(Order) []*Module
	visit = func(o Order) []*Module {
		for _, group := range o {
			for _, entry := range group {
				m := entry.Module
				done, seen := finished[m]
				switch {
				case done || len(m.Order) == 0:
					continue
				case seen:
					return append(slices.Clone(path[slices.Index(path, m):]), m)
				}
				finished[m] = false
				path = append(path, m)
				if cycle := visit(m.Order); cycle != nil {
					return cycle
				}
				path = path[:len(path)-1]
				finished[m] = true
			}
		}
		return nil
	}
	return visit(o)
}
