// Package plan reads build plans, which say what modules require and provide, from the files that bin/detect writes, and
// has the rules by which the plans of a group balance. Its caller chooses the groups (package order), and builds the
// result.
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

// Provide is a dependency that a module provides.
type Provide struct {
	Name string

	// IfRequired says that no module need require it, as a layer of a packfile whose own require script said no. A build
	// plan file has no word for it.
	IfRequired bool
}

// Require is a dependency that a module requires.
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

// Resolution is the result for a group that passes.
type Resolution struct {
	Members []int   // those that take part, as indices of the group's
	Entries []Entry // by first appearance of the name
}

// Entry is a dependency of the plan, with all members that provide and require it, in group order.
type Entry struct {
	Name      string
	Providers []int // members
	Requires  []Requirement
}

// Requirement is one time that a member requires a dependency.
type Requirement struct {
	Member   int
	Metadata map[string]any // shared with the member's plan, not a copy
}
