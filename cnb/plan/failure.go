package plan

import (
	"fmt"
	"slices"
	"strings"
)

// Failure is the error of a group that does not pass.
type Failure struct {
	// Why says for each member, by index, why its detection failed, or what is wrong when every member takes its first
	// alternative; "" for members not at fault. Optional members that were left out count as at fault.
	Why []string

	names []string
}

// newFailure returns a failure with the detections that failed.
func newFailure(members []Member) *Failure {
	f := &Failure{Why: make([]string, len(members)), names: make([]string, len(members))}
	for i, m := range members {
		f.Why[i], f.names[i] = m.Failed, m.Name
	}
	return f
}

// Error returns all reasons on one line.
func (f *Failure) Error() string {
	var all []string
	for i, why := range f.Why {
		if why != "" {
			all = append(all, f.names[i]+": "+strings.Join(strings.Fields(why), " "))
		}
	}
	if len(all) == 0 {
		return "the group has no modules"
	}
	return "the group does not pass: " + strings.Join(all, "; ")
}

// maxFaults is the largest number of faults of one member in a message.
const maxFaults = 5

// explain returns what is wrong with each member of a trial that failed.
func (r *resolver) explain() *Failure {
	f := newFailure(r.members)
	for i, part := range r.parts {
		if r.fault[i] {
			f.Why[part.member] = strings.Join(r.faults(i), "; ")
		}
	}
	return f
}

func (r *resolver) faults(part int) []string {
	var faults []string
	o := r.parts[part]
	for i, n := range o.requires {
		if fault := r.unmet(part, &r.deps[n]); fault != "" {
			faults = append(faults, "requires "+quote(o.plan.Requires[i].Name)+", which "+fault)
		}
	}
	for i, n := range o.provides {
		if fault := r.useless(part, &r.deps[n]); fault != "" && !o.plan.Provides[i].IfRequired {
			faults = append(faults, "provides "+quote(o.plan.Provides[i].Name)+", which "+fault)
		}
	}
	switch more := len(faults) - maxFaults; {
	case more > 0:
		return append(faults[:maxFaults], fmt.Sprintf("and %d more", more))
	case len(faults) > 0:
		return faults
	case len(o.provides) > 0:
		return []string{"nothing that it provides is required"}
	}
	return []string{"neither requires nor provides anything"}
}

// unmet returns why a dependency that a part requires is not provided, "" when it is.
func (r *resolver) unmet(part int, d *dep) string {
	_, self := slices.BinarySearchFunc(d.providers, part, func(p provider, part int) int { return p.part - part })
	switch {
	case self || d.providedTo(part):
		return ""
	case len(d.providers) == 0:
		return "no module before it provides"
	case d.providers[0].part < part:
		return fmt.Sprintf("only a module that is left out provides (%s)", r.name(d.providers[0].part))
	}
	return fmt.Sprintf("only comes later (%s)", r.name(d.providers[0].part))
}

// useless returns why a dependency that a part provides is not required, "" when it is.
func (r *resolver) useless(part int, d *dep) string {
	_, self := slices.BinarySearch(d.requirers, part)
	switch {
	case self || d.requiredFrom(part):
		return ""
	case len(d.requirers) == 0:
		return "neither it nor a later module requires"
	case d.requirers[len(d.requirers)-1] > part:
		return fmt.Sprintf("only a module that is left out requires (%s)", r.name(d.requirers[len(d.requirers)-1]))
	}
	return fmt.Sprintf("is only required earlier (%s)", r.name(d.requirers[0]))
}

// name returns the name of a part's member.
func (r *resolver) name(part int) string { return r.members[r.parts[part].member].Name }
