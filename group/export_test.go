package group

import (
	"github.com/packfile/frontend/cnb/plan"
	"github.com/packfile/frontend/fact"
)

// Part returns what a module has in the build plan.
func (d *Detector) Part(c Candidate, f fact.Facts) plan.Member { return d.member(c).part(f) }
