package order

import (
	"fmt"
	"slices"
	"strings"
)

// MaxLength is the longest that a group may become, counted with composites and with the entries that are passed over.
const MaxLength = 10_000

// Check finds what would keep Groups from coming to its next group soon: a cycle; a group without entries, because an
// order can have any number of them and comes down to nothing; a group that becomes too long, because orders of a few
// lines that repeat one another come to any length.
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

// length is that of the longest group. It must not be asked of an order with a cycle.
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

// Cycle is the modules along a cycle of composites, the first again at the end, nil when there is none.
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
