package frontend

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packfile/frontend/image"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/step"
)

func TestTheReportOfTestsIsATableAndAnExitStatus(t *testing.T) {
	m := moduleOf(t, "[[tests]]\nname = 'first'\ncommand = 'a'\n[[tests]]\nname = 'second one'\ncommand = 'a'\nstdout = { contains = ['b'] }\n")
	of := func(i int) image.Test {
		return image.Test{Module: &module.Module{Packfile: m.Packfile, Filename: "packfile.toml"}, Test: &m.Packfile.Tests[i], Name: m.Packfile.Tests[i].Name}
	}
	failed := tested{Test: of(1), failures: []step.Failure{{Key: "stdout.contains.0", Says: "no b"}, {Key: "exit-code", Says: "it is 1"}}}
	skipped := tested{Test: of(1), skipped: "no emulator"}
	report := func(counts testReport, all ...tested) testReport {
		p := platformReport{Platform: "linux/amd64"}
		for _, t := range all {
			p.Tests = append(p.Tests, reportOf(t))
		}
		counts.Platforms = []platformReport{p}
		return counts
	}
	for _, test := range []struct {
		report       testReport
		text, status string
	}{
		{report(testReport{}), "there are no tests: the packfile has no [[tests]], and no module brings any\n", ""},
		{report(testReport{Passed: 1}, tested{Test: of(0)}), "TEST    RESULT   WHY\nfirst   passed   \n\n1 passed, 0 failed\n", ""},
		{report(testReport{Passed: 1, Failed: 1}, tested{Test: of(0)}, failed), "TEST         RESULT   WHY\nfirst        passed   \n" +
			"second one   failed   packfile.toml:7: no b\n                      packfile.toml:6: it is 1\n\n1 passed, 1 failed\n", "1"},
		{report(testReport{Skipped: 1}, skipped), "TEST         RESULT    WHY\nsecond one   skipped   no emulator\n\n0 passed, 0 failed, 1 skipped\n", "1"},
	} {
		res, err := test.report.ToResult()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.text, string(res.Metadata[resultText])); diff != "" {
			t.Error(diff)
		}
		if status := string(res.Metadata["result.statuscode"]); status != test.status {
			t.Errorf("exit status %q, want %q\n%s", status, test.status, test.text)
		}
	}
}

func TestFailuresOfSeveralFilesAreOneError(t *testing.T) {
	of := func(file string) tested {
		pf, _, err := packfile.Parse(file, []byte("[[tests]]\nname = 'a'\ncommand = 'a'\n"))
		if err != nil {
			t.Fatal(err)
		}
		return tested{Test: image.Test{Module: &module.Module{Packfile: pf, Filename: file}, Test: &pf.Tests[0], Name: file},
			failures: []step.Failure{{Key: "exit-code", Says: "no"}}}
	}
	if err := failedTests([]tested{{}}); err != nil {
		t.Errorf("a test that passed: %v", err)
	}
	many := of("a.toml")
	for range 30 {
		many.failures = append(many.failures, many.failures[0])
	}
	var one *node.Error
	if err := failedTests([]tested{many}); !errors.As(err, &one) || len(one.Diagnostics) != maxFailures ||
		one.Diagnostics[maxFailures-1].Message != `test "a.toml": no (and 11 more: --call=packfile.test has all)` {
		t.Errorf("many failures: %v", err)
	}
	err := failedTests([]tested{of("a.toml"), of("b.toml")})
	if want := "a.toml:3:11: test \"a.toml\": no\nb.toml:3:11: test \"b.toml\": no"; err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}
