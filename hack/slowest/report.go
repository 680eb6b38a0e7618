package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// event is a line of go test -json: see go doc test2json.
type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64 // seconds; a test that waited for others to end has not counted that
}

// test is a test of a package, TestName or TestName/of/a/subtest.
type test struct{ pkg, name string }

func (t test) root() test {
	name, _, _ := strings.Cut(t.name, "/")
	return test{t.pkg, name}
}

// took is a test and its time.
type took struct {
	test
	seconds float64
}

// report prints the results of tests while they come.
type report struct {
	out    io.Writer
	all    bool             // print what tests say that pass, too: go test -v
	said   map[test][]event // what each test, with its subtests, has printed so far: dropped when it passes
	failed map[test]bool    // subtests too
	took   []took           // subtests are in the time of their test
}

// read prints, as go test does, the results of packages, and of tests only what those printed that failed or never ended. What is no
// event, as the go command's own words, is printed as it is.
func (r *report) read(events io.Reader) error {
	r.said, r.failed = map[test][]event{}, map[test]bool{}
	lines := bufio.NewReader(events)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			r.line(line)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (r *report) line(line string) {
	var e event
	if !strings.HasPrefix(line, "{") || json.Unmarshal([]byte(line), &e) != nil {
		io.WriteString(r.out, line)
		return
	}
	t := test{e.Package, e.Test}
	switch e.Action {
	case "output", "build-output":
		if e.Test != "" && !r.all {
			r.said[t.root()] = append(r.said[t.root()], e)
		} else if r.all || e.Output != "PASS\n" { // a package that passed says "ok" too
			io.WriteString(r.out, e.Output)
		}
	case "pass", "skip", "fail":
		r.failed[t] = e.Action == "fail"
		switch {
		case e.Test == "":
			r.printUnended(e.Package)
		case t == t.root():
			if e.Action == "fail" {
				r.print(t)
			}
			delete(r.said, t)
			r.took = append(r.took, took{t, e.Elapsed})
		}
	}
}

// print prints what a test has said, and those of its subtests that failed or did not end.
func (r *report) print(t test) {
	for _, e := range r.said[t] {
		failed, ended := r.failed[test{e.Package, e.Test}]
		if passed := ended && !failed; !passed && !strings.HasPrefix(e.Output, "=== ") {
			io.WriteString(r.out, e.Output)
		}
	}
}

// printUnended is for tests that a panic or the time limit of the package has ended.
func (r *report) printUnended(pkg string) {
	for t := range r.said {
		if t.pkg == pkg {
			r.print(t)
			delete(r.said, t)
		}
	}
}

func (r *report) printSlowest(n int) {
	slices.SortStableFunc(r.took, func(a, b took) int { return cmp.Compare(b.seconds, a.seconds) })
	fmt.Fprintln(r.out, "\nthe slowest tests, in seconds:")
	for _, t := range r.took[:min(n, len(r.took))] {
		fmt.Fprintf(r.out, "%8.1f  %s  %s\n", t.seconds, t.name, t.pkg)
	}
}
