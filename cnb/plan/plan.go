// Package plan is about build plans: what modules require and provide, read from the files that bin/detect writes, and
// the rules by which the plans of a group balance. Which groups there are is package order; what is done with the result
// is not its concern either.
//
// Sources: buildpack specification, "Phase #1: Detection" and "Build Plan (TOML)"; where it is silent, the lifecycle's
// detector (phase/detector.go); for the words of the first draft, the Contractual Build Plan of April 2019.
package plan

// Plan is the build plan of one module.
type Plan struct {
	Provides []Provide
	Requires []Require
	Or       []Plan // alternatives, each with provides and requires of its own; those have no alternatives
}

// Provide is a dependency that a module offers.
type Provide struct {
	Name string

	// IfRequired says that it is no fault when nobody requires it, as with a layer of a packfile whose own require script
	// said no. A build plan file has no word for it.
	IfRequired bool
}

// Require is a dependency that a module wants.
type Require struct {
	Name     string
	Metadata map[string]any
}

// Member is one module of a group that is tried.
type Member struct {
	Name       string // for messages
	Optional   bool
	Plan       Plan
	Failed     string // why its detection failed, "" when it passed
	MustBeUsed bool   // it takes part only if it requires something, or something that it provides is required
}

// Resolution is what came of a group that passes.
type Resolution struct {
	Members []int   // those that take part, as indices of the group's
	Entries []Entry // by first appearance of the name
}

// Entry is a dependency of the plan, with everybody who provides and requires it, in group order.
type Entry struct {
	Name      string
	Providers []int // members
	Requires  []Requirement
}

// Requirement is one time that a member requires a dependency.
type Requirement struct {
	Member   int
	Metadata map[string]any // that of the member's plan, not a copy
}
