package frontend

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"text/tabwriter"

	"github.com/packfile/frontend/cnb/plan"
	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/graph"
	"github.com/packfile/frontend/group"
	"github.com/packfile/frontend/module"
)

// maxGroups is how many groups of modules are tried. Orders within orders multiply: a few lines can name more groups than anybody
// could wait for.
const maxGroups = 20_000

// maxTrials is how many choices among alternatives of build plans are tried, over all groups.
const maxTrials = 100_000

// shownGroups is how many groups an error shows.
const shownGroups = 20

// failedGroup is a group that did not pass, and why.
type failedGroup struct {
	group []group.Candidate
	why   []string // of each module, "" when it is not at fault
}

// detection is the result of trying groups.
type detection struct {
	group  *group.Group
	facts  fact.Facts
	failed []failedGroup // groups tried before it, no more than are shown
}

// detect finds the first group of modules whose build plan balances, and settles on it.
func (b *build) detect(ctx context.Context, in inputs) (*graph.Decisions, error) {
	d, err := b.findGroup(ctx, in.detector)
	if err != nil {
		return nil, err
	}
	g, err := graph.New(in.detector.Builder, in.graph, d.group, d.facts)
	if err != nil {
		return nil, err
	}
	b.warnNotGiven(ctx, d.group, b.opts.args)
	return g.Decide(d.facts)
}

// findGroup tries groups until one passes. All require steps and bin/detect of a group run at the same time. A step that ran for
// an earlier group does not run again.
func (b *build) findGroup(ctx context.Context, detector *group.Detector) (*detection, error) {
	d := &detection{facts: fact.Facts{}}
	trials := &plan.Trials{Limit: maxTrials}
	tried := 0
	for group := range b.modules.Groups() {
		if tried++; tried > maxGroups {
			return nil, b.orderError(fmt.Sprintf("the first %d groups of the order do not pass, and no more are tried", maxGroups), d, tried-1)
		}
		candidates := candidatesOf(group)
		questions := detector.Questions(candidates, d.facts)
		inquiries, err := detector.Ask(questions)
		if err != nil {
			return nil, err
		}
		answers, err := b.answerAll(ctx, inquiries)
		if err != nil {
			return nil, err
		}
		maps.Copy(d.facts, answers)
		b.warnAboutPlans(ctx, detector.PlanWarnings(questions, d.facts))
		d.group, err = detector.Try(candidates, d.facts, trials)
		var failure *plan.Failure
		switch {
		case errors.As(err, &failure):
			if len(d.failed) < shownGroups {
				d.failed = append(d.failed, failedGroup{candidates, failure.Why})
			}
		case err != nil:
			return nil, b.orderError(err.Error(), d, tried)
		default:
			return d, nil
		}
	}
	return nil, b.orderError("no group of modules passes", d, tried)
}

// candidatesOf returns the modules of a group.
func candidatesOf(members []module.Member) []group.Candidate {
	candidates := make([]group.Candidate, len(members))
	for i, m := range members {
		candidates[i] = group.Candidate{Module: m.Module, Optional: m.Optional}
	}
	return candidates
}

// orderError returns an error about the order, with a table of the groups that were tried.
func (b *build) orderError(message string, d *detection, tried int) error {
	at := b.pf.Config.Range()
	switch {
	case len(b.pf.Order) > 0:
		at = b.pf.Order[0].Range()
	case len(b.pf.Buildpacks) > 0:
		at = b.pf.Buildpacks[0].Range()
	}
	return b.errorAt(at, "%s\n%s", message, failedTable(d.failed, tried))
}

// failedTable returns a table that says why groups do not pass, as far as that is known.
func failedTable(failed []failedGroup, tried int) []byte {
	var out bytes.Buffer
	tw := tabwriter.NewWriter(&out, 0, 0, 3, ' ', 0)
	writeFailed(tw, failedTrials(failed))
	tw.Flush()
	if more := tried - len(failed); more > 0 {
		fmt.Fprintf(&out, "and %d groups more\n", more)
	}
	return out.Bytes()
}

func failedTrials(failed []failedGroup) (trials []failedTrial) {
	for _, f := range failed {
		var trial failedTrial
		for i, c := range f.group {
			trial.Modules = append(trial.Modules, failedModule{Module: c.Module.Name(), Optional: c.Optional, Why: f.why[i]})
		}
		trials = append(trials, trial)
	}
	return trials
}
