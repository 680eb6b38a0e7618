package main

import (
	"fmt"
	"slices"
	"strconv"
)

// figure is a row of the table.
type figure struct {
	what         string
	ours, theirs string
	ratio        float64 // 0: none
	target       string  // "": none
	missed       bool
}

const rowFormat = "%-62s %10s %10s %7s %12s  %s\n"

func printHeader() {
	fmt.Printf(rowFormat, "WHAT", "OURS", "THEIRS", "RATIO", "TARGET", "")
}

func (f figure) print() {
	verdict := "ok"
	switch {
	case f.target == "":
		verdict = ""
	case f.missed:
		verdict = "MISSED"
	}
	ratio := ""
	if f.ratio != 0 {
		ratio = strconv.FormatFloat(f.ratio, 'f', 2, 64)
	}
	fmt.Printf(rowFormat, f.what, f.ours, f.theirs, ratio, f.target, verdict)
}

// unit prints a quantity.
type unit func(float64) string

func seconds(v float64) string {
	switch {
	case v >= 1:
		return fmt.Sprintf("%.2f s", v)
	case v >= 1e-3:
		return fmt.Sprintf("%.1f ms", v*1e3)
	}
	return fmt.Sprintf("%.0f µs", v*1e6)
}

func megabytes(v float64) string { return fmt.Sprintf("%.2f MB", v/1e6) }

// size is of bytes that may be few.
func size(v float64) string {
	switch {
	case v == 0:
		return "0"
	case v < 1e6:
		return fmt.Sprintf("%.1f kB", v/1e3)
	}
	return megabytes(v)
}

// compare is ours against theirs. A limit of 0 is no target.
func compare(what string, u unit, ours, theirs, limit float64) figure {
	return figure{what: what, ours: u(ours), theirs: u(theirs), ratio: ours / theirs}.atMost(limit)
}

// atMost sets the target of the ratio; 0 is none.
func (f figure) atMost(limit float64) figure {
	if limit != 0 {
		f.target = fmt.Sprintf("<= %.2f", limit)
		f.missed = f.ratio > limit
	}
	return f
}

// under is ours against a limit; theirs, 0 for none, is there to compare.
func under(what string, u unit, ours, theirs, limit float64) figure {
	f := figure{what: what, ours: u(ours), target: "< " + u(limit), missed: ours >= limit}
	if theirs != 0 {
		f.theirs, f.ratio = u(theirs), ours/theirs
	}
	return f
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[n/2] + sorted[(n-1)/2]) / 2
}
