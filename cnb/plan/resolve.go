package plan

import "fmt"

// Trials bounds the work over all groups of one build. Every choice among the alternatives of a group's members is a
// trial, and each member with alternatives multiplies their number. A trial takes time in proportion to its plans. Groups
// of one build are resolved one after another.
type Trials struct {
	Limit int
	taken int
}

// TrialsError is the error when the trials of a build are used up before a group passed.
type TrialsError struct{ Limit int }

func (e *TrialsError) Error() string {
	return fmt.Sprintf("gave up after %d trials of build plans: there are too many groups, or too many alternatives ([[or]]) "+
		"in their plans", e.Limit)
}

// take uses up one trial. The error is a *TrialsError.
func (t *Trials) take() error {
	if t.taken >= t.Limit {
		return &TrialsError{t.Limit}
	}
	t.taken++
	return nil
}

// Resolve returns the members that take part and their plan if a group passes. The error is a *Failure if it does not
// pass, a *TrialsError if no trials are left.
//
// Each member whose detection passed chooses one of its alternatives: first every member its first one, then the last
// member its others, and so on to the left; the first choice that balances wins. It balances when every required
// dependency is provided by the same member or by one before it, and every provided dependency is required by the same
// member or by one after it. When an optional member is at fault with its last alternative, it is left out, and the
// others must balance without it; with its other alternatives it counts as required.
func Resolve(members []Member, trials *Trials) (*Resolution, error) {
	if failed(members) {
		return nil, newFailure(members)
	}
	r := newResolver(members)
	choice := make([]int, len(r.options))
	var failure *Failure
	for {
		if err := trials.take(); err != nil {
			return nil, err
		}
		if r.try(choice) {
			return r.resolution(), nil
		}
		if failure == nil {
			failure = r.explain()
		}
		if !r.next(choice) {
			return nil, failure
		}
	}
}

// failed reports whether the detection of a required member failed.
func failed(members []Member) bool {
	for _, m := range members {
		if m.Failed != "" && !m.Optional {
			return true
		}
	}
	return false
}

// option is an alternative of a member.
type option struct {
	member   int // index
	plan     *Plan
	provides []int // numbers of the names, in the plan's order
	requires []int
	optional bool // it may be left out
	needed   bool // it must require something, or provide something that is required
}

// resolver resolves one group.
type resolver struct {
	members []Member
	options [][]option     // of each member whose detection passed
	numbers map[string]int // of names, so that a trial needs no maps
	trial
}

func newResolver(members []Member) *resolver {
	r := &resolver{members: members, numbers: map[string]int{}}
	for i := range members {
		if members[i].Failed == "" {
			r.options = append(r.options, r.optionsOf(i))
		}
	}
	r.deps = make([]dep, len(r.numbers))
	return r
}

func (r *resolver) optionsOf(member int) []option {
	m := &r.members[member]
	options := make([]option, 1+len(m.Plan.Or))
	for i := range options {
		plan := &m.Plan
		if i > 0 {
			plan = &m.Plan.Or[i-1]
		}
		o := option{member: member, plan: plan, optional: m.Optional && i == len(options)-1, needed: m.MustBeUsed}
		numbers := make([]int, len(plan.Provides)+len(plan.Requires))
		o.provides, o.requires = numbers[:len(plan.Provides)], numbers[len(plan.Provides):]
		for j, provide := range plan.Provides {
			o.provides[j] = r.number(provide.Name)
		}
		for j, require := range plan.Requires {
			o.requires[j] = r.number(require.Name)
		}
		options[i] = o
	}
	return options
}

func (r *resolver) number(name string) int {
	n, ok := r.numbers[name]
	if !ok {
		n = len(r.numbers)
		r.numbers[name] = n
	}
	return n
}

// next changes choice to the next one. It returns false after the last.
func (r *resolver) next(choice []int) bool {
	for i := len(choice) - 1; i >= 0; i-- {
		if choice[i]++; choice[i] < len(r.options[i]) {
			return true
		}
		choice[i] = 0
	}
	return false
}

// try evaluates one choice.
func (r *resolver) try(choice []int) bool {
	r.begin()
	for i, c := range choice {
		r.add(&r.options[i][c])
	}
	return r.balance()
}

// resolution returns the result of a trial that balances.
func (r *resolver) resolution() *Resolution {
	result := &Resolution{}
	at := make(map[int]int, len(r.deps)) // where the entry of a name's number is
	for i, part := range r.parts {
		if r.out[i] {
			continue
		}
		result.Members = append(result.Members, part.member)
		for j, n := range part.provides {
			if !r.deps[n].requiredFrom(i) {
				continue
			}
			k, there := at[n]
			if !there {
				k = len(result.Entries)
				at[n] = k
				result.Entries = append(result.Entries, Entry{Name: part.plan.Provides[j].Name})
			}
			// A member may list a dependency twice.
			entry := &result.Entries[k]
			if last := len(entry.Providers) - 1; last < 0 || entry.Providers[last] != part.member {
				entry.Providers = append(entry.Providers, part.member)
			}
		}
		for j, n := range part.requires {
			entry := &result.Entries[at[n]]
			entry.Requires = append(entry.Requires, Requirement{part.member, part.plan.Requires[j].Metadata})
		}
	}
	return result
}
