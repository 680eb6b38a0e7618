package frontend

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/containerd/platforms"
	gw "github.com/moby/buildkit/frontend/gateway/client"
)

// testRequest asks whether the image passes its tests (docker buildx build --call=packfile.test).
var testRequest = ownRequest("frontend.packfile.test", "Build the image, and run its tests")

// testReport is the answer to testRequest.
type testReport struct {
	Passed    int              `json:"passed"`
	Failed    int              `json:"failed"`
	Skipped   int              `json:"skipped"`
	Platforms []platformReport `json:"platforms"`
}

type platformReport struct {
	Platform string         `json:"platform"`
	Tests    []reportedTest `json:"tests"`
}

// reportedTest is a test with what came of it.
type reportedTest struct {
	Name     string            `json:"name"`
	Result   string            `json:"result"` // passed, failed or skipped
	File     string            `json:"file"`   // packfile with the test
	Line     int               `json:"line"`
	Why      string            `json:"why,omitempty"` // of a skipped test
	Failures []reportedFailure `json:"failures,omitempty"`
}

// reportedFailure is what an image is not as a test wants it.
type reportedFailure struct {
	Key     string `json:"key,omitempty"`
	Line    int    `json:"line"`
	Message string `json:"message"`
}

// Results of a test.
const (
	passedTest  = "passed"
	failedTest  = "failed"
	skippedTest = "skipped"
)

// reportTests builds the image of each platform, and runs its tests.
func reportTests(ctx context.Context, b *build) (answer, error) {
	if b.ui.Target != "" {
		return nil, fmt.Errorf("tests are about the image: leave out --target %s", b.ui.Target)
	}
	b.tests = true
	if err := b.readContexts(ctx); err != nil {
		return nil, err
	}
	reports, err := onEachPlatform(ctx, b.platforms(), b.reportPlatform)
	if err != nil {
		return nil, err
	}
	r := testReport{Platforms: reports}
	for _, p := range reports {
		for _, t := range p.Tests {
			switch t.Result {
			case passedTest:
				r.Passed++
			case failedTest:
				r.Failed++
			case skippedTest:
				r.Skipped++
			}
		}
	}
	return r, nil
}

// reportPlatform builds and tests the image of the platform with the given index.
func (b *build) reportPlatform(ctx context.Context, index int) (platformReport, error) {
	report := platformReport{Platform: platforms.Format(b.platforms()[index]), Tests: []reportedTest{}}
	result, err := b.platform(ctx, index)
	if err != nil {
		return report, err
	}
	for _, t := range result.tests {
		report.Tests = append(report.Tests, reportOf(t))
	}
	return report, nil
}

// reportOf returns a test as the answer has it.
func reportOf(t tested) reportedTest {
	r := reportedTest{Name: t.Name, Result: passedTest, File: t.Module.Filename, Line: t.Test.Test.Range().Start.Line}
	if t.skipped != "" {
		r.Result, r.Why = skippedTest, t.skipped
	}
	for _, f := range t.failures {
		r.Result = failedTest
		r.Failures = append(r.Failures, reportedFailure{Key: f.Key, Line: t.Test.Test.Place(f.Key).Start.Line, Message: f.Says})
	}
	return r
}

// ToResult implements answer. The exit status is 1 when a test failed, or was not run.
func (r testReport) ToResult() (*gw.Result, error) {
	res, err := reply(r, r.text())
	if err == nil && r.Failed+r.Skipped > 0 {
		res.AddMeta("result.statuscode", []byte("1"))
	}
	return res, err
}

// text returns the table for people.
func (r testReport) text() []byte {
	var out bytes.Buffer
	if r.Passed+r.Failed+r.Skipped == 0 {
		fmt.Fprintln(&out, noTests)
		return out.Bytes()
	}
	for _, p := range r.Platforms {
		if len(r.Platforms) > 1 {
			fmt.Fprintf(&out, "%s\n", p.Platform)
		}
		tw := tabwriter.NewWriter(&out, 0, 0, 3, ' ', 0)
		fmt.Fprintln(tw, "TEST\tRESULT\tWHY")
		for _, t := range p.Tests {
			lines := []string{t.Why}
			if len(t.Failures) > 0 {
				lines = nil
			}
			for _, f := range t.Failures {
				lines = append(lines, fmt.Sprintf("%s:%d: %s", t.File, f.Line, f.Message))
			}
			fmt.Fprintf(tw, "%s\t%s\t%s\n", t.Name, t.Result, lines[0])
			for _, line := range lines[1:] {
				fmt.Fprintf(tw, "\t\t%s\n", line)
			}
		}
		tw.Flush()
		fmt.Fprintln(&out)
	}
	counts := []string{fmt.Sprintf("%d passed", r.Passed), fmt.Sprintf("%d failed", r.Failed)}
	if r.Skipped > 0 {
		counts = append(counts, fmt.Sprintf("%d skipped", r.Skipped))
	}
	fmt.Fprintln(&out, strings.Join(counts, ", "))
	return out.Bytes()
}
