package frontend

import (
	"context"
	"errors"
	"fmt"
	"strings"

	gwpb "github.com/moby/buildkit/frontend/gateway/pb"

	"github.com/packfile/frontend/graph"
	"github.com/packfile/frontend/guard"
	"github.com/packfile/frontend/image"
	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/step"
)

// testTarget is the target that builds the image and runs its tests.
const testTarget = "test"

// tester runs the tests of images.
type tester struct{ *build }

// readTarget takes the target of the tests for what it is: the image, with tests. A layer of that name goes first.
func (b tester) readTarget() {
	if b.ui.Target == testTarget && !hasLayer(b.modules.All, testTarget) {
		b.ui.Target, b.tests = "", true
	}
}

// tested is a test of an image with what came of it.
type tested struct {
	image.Test
	failures []step.Failure // none when the image passed it
	skipped  string         // why it was not run, "" when it was
}

// noTests says that there is nothing to test.
const noTests = "there are no tests: the packfile has no [[tests]], and no module brings any"

// test runs the tests of the finished image of one platform if that is wanted, and notes in its result what came of them. It fails when
// one cannot be run. In a build it fails when the image fails one as well, and warns when the builder cannot run programs of the
// platform.
func (b tester) test(ctx context.Context, d *graph.Decisions, in image.Input, result *platformResult) error {
	if !b.tests {
		return nil
	}
	tests, err := image.Tests(d)
	if err != nil {
		return err
	}
	result.tests = make([]tested, len(tests))
	for i, t := range tests {
		result.tests[i].Test = t
	}
	if !b.runs(d.Platform) {
		why := cannotRun(d.Platform)
		for i := range result.tests {
			result.tests[i].skipped = why
		}
		if len(tests) > 0 && !b.asked {
			b.warn(ctx, fmt.Sprintf("tests are skipped (%d): %s", len(tests), why), "To run them, "+runElsewhere+".")
		}
		return nil
	}
	if err := b.run(ctx, d, result); err != nil {
		return b.blamePrevious(ctx, d, in, err)
	}
	if b.asked {
		return nil
	}
	if len(tests) == 0 && b.imageSays.add(noTests) {
		b.warn(ctx, noTests, "The image was built as without --target test.")
	}
	return failedTests(result.tests)
}

// testsAtOnce bounds how many tests of a platform run at the same time: each has a timeout, and shares the machine with the others.
const testsAtOnce = 4

// run runs the tests of an image, and waits for all of them. It fails only when a test cannot be run.
func (b tester) run(ctx context.Context, d *graph.Decisions, result *platformResult) error {
	files, err := result.Reference.ToState()
	if err != nil {
		return err
	}
	free := make(chan struct{}, testsAtOnce)
	eg, ctx := guard.NewGroup(ctx)
	for i := range result.tests {
		t := &result.tests[i]
		eg.Go(func() error {
			free <- struct{}{}
			defer func() { <-free }()
			st, err := t.Ask(d, files, result.Image)
			if err != nil {
				return err
			}
			_, err = b.solve(ctx, st)
			exit, failed := errors.AsType[*gwpb.ExitError](err)
			if !failed || ctx.Err() != nil {
				return err
			}
			if t.failures = b.failures(ctx, err, d.Platform); t.failures == nil {
				t.failures = []step.Failure{{Says: fmt.Sprintf("its step ended with exit code %d before it could report", exit.ExitCode)}}
			}
			return nil
		})
	}
	return eg.Wait()
}

// maxFailures is the largest number of failures that an error names. Errors travel in gRPC trailers, which are limited.
const maxFailures = 20

// failedTests returns an error with a place for each failure, nil when there is none. It names the first maxFailures.
func failedTests(all []tested) error {
	var errs []*node.Error
	failures := 0
	for _, t := range all {
		for _, f := range t.failures {
			if failures++; failures > maxFailures {
				continue
			}
			d := node.Diagnostic{Message: fmt.Sprintf("test %s: %s", node.Quote(t.Name), f.Says), Range: t.Test.Test.Place(f.Key)}
			if last := len(errs) - 1; last >= 0 && errs[last].Filename == t.Module.Filename {
				errs[last].Diagnostics = append(errs[last].Diagnostics, d)
			} else {
				errs = append(errs, &node.Error{Filename: t.Module.Filename, Diagnostics: []node.Diagnostic{d}})
			}
		}
	}
	if more := failures - maxFailures; more > 0 {
		last := &errs[len(errs)-1].Diagnostics[len(errs[len(errs)-1].Diagnostics)-1]
		last.Message += fmt.Sprintf(" (and %d more: --call=packfile.test has all)", more)
	}
	if len(errs) == 1 {
		return errs[0]
	}
	// An error shows an excerpt of one file.
	var says []string
	for _, e := range errs {
		says = append(says, e.Error())
	}
	if says == nil {
		return nil
	}
	return errors.New(strings.Join(says, "\n"))
}
