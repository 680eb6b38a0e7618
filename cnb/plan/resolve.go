package plan

import "fmt"

// Trials bounds the work over all groups of one build: every choice among the alternatives of a group's members is a
// trial, and with each member that has some their number multiplies. A trial takes time in proportion to its plans. Groups
// of one build are resolved one after another.
type Trials struct {
	Limit int
	taken int
}

// TrialsError says that the trials of a build are used up before a group passed.
type TrialsError struct{ Limit int }

func (e *TrialsError) Error() string {
	return fmt.Sprintf("gave up after %d trials of build plans: there are too many groups, or too many alternatives ([[or]]) "+
		"in their plans", e.Limit)
}

// take takes one trial.
func (t *Trials) take() error {
	if t.taken >= t.Limit {
		return &TrialsError{t.Limit}
	}
	t.taken++
	return nil
}

// Resolve finds out whether a group passes, and who takes part then. When it does not pass the error is a *Failure, when
// there are no trials left a *TrialsError.
//
// Members whose detection passed choose one of their alternatives each: first the first of everybody, then other ones of
// the last member, and so on to the left; the first choice that balances wins. It balances when every dependency that
// somebody requires is provided by the same member or by one before it, and every dependency that somebody provides is
// required by the same member or by one after it. An optional member at fault is left out, and the others must balance
// without it, if only its last alternative is left; with another one of its alternatives it counts as required.
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

// failed says whether the detection of a required member failed.
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

// next goes to the next choice. After the last it returns false.
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

// resolution is the result of a trial that balances.
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
			// A member may say twice that it provides something.
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
