package node

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Rule is a lint rule: what a warning with its name means.
type Rule struct {
	Name        string
	Description string
}

// Diagnostic is one error or lint warning about a file.
type Diagnostic struct {
	Rule    string // lint rule of a warning; "" for errors
	Message string // what is wrong, in one line without position
	Hint    string // what to write instead; "" for none
	Range   Range
}

// Text returns the message with its hint.
func (d Diagnostic) Text() string {
	if d.Hint == "" {
		return d.Message
	}
	return d.Message + " (" + d.Hint + ")"
}

// Error returns Text. Functions that find one error at a time return a diagnostic as an error, so that the caller knows
// its place.
func (d Diagnostic) Error() string { return d.Text() }

// Error is all errors of a file, in file order.
type Error struct {
	Filename    string
	Diagnostics []Diagnostic // never empty
}

func (e *Error) Error() string {
	var b strings.Builder
	for i, d := range e.Diagnostics {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s:%d:%d: %s", e.Filename, d.Range.Start.Line, d.Range.Start.Column, d.Text())
	}
	return b.String()
}

// maxDiagnostics bounds the errors that are reported for one file: more would not fit into a gRPC message.
const maxDiagnostics = 500

// Report collects errors and warnings. The zero value is an empty one.
type Report struct {
	errs, warns []Diagnostic
	dropped     int // errors beyond maxDiagnostics
}

// Fail adds an error.
func (r *Report) Fail(at Range, hint, format string, args ...any) {
	if len(r.errs) == maxDiagnostics {
		r.dropped++
		return
	}
	r.errs = append(r.errs, Diagnostic{Message: fmt.Sprintf(format, args...), Hint: hint, Range: at})
}

// Warn adds a lint warning.
func (r *Report) Warn(rule Rule, at Range, hint, format string, args ...any) {
	r.AddWarning(Diagnostic{Rule: rule.Name, Message: fmt.Sprintf(format, args...), Hint: hint, Range: at})
}

// AddWarning adds a warning that another package made.
func (r *Report) AddWarning(d Diagnostic) {
	if len(r.warns) < maxDiagnostics {
		r.warns = append(r.warns, d)
	}
}

// Failures returns how many errors there are so far.
func (r *Report) Failures() int { return len(r.errs) + r.dropped }

// Errors returns the errors in file order, nil when there are none.
func (r *Report) Errors() []Diagnostic { return sorted(r.errs) }

// Warnings returns the warnings in file order, nil when there are none.
func (r *Report) Warnings() []Diagnostic { return sorted(r.warns) }

// sorted puts diagnostics into file order; those at one place stay in the order in which they were found. A diagnostic
// that a YAML alias repeats appears once.
func sorted(ds []Diagnostic) []Diagnostic {
	ds = slices.Clone(ds)
	slices.SortStableFunc(ds, func(a, b Diagnostic) int {
		return cmp.Or(
			cmp.Compare(a.Range.Start.Line, b.Range.Start.Line),
			cmp.Compare(a.Range.Start.Column, b.Range.Start.Column),
		)
	})
	return slices.Compact(ds)
}

// Err returns the collected errors as one *Error, nil when there are none.
func (r *Report) Err(filename string) error {
	if len(r.errs) == 0 {
		return nil
	}
	e := &Error{Filename: filename, Diagnostics: r.Errors()}
	if r.dropped > 0 {
		last := e.Diagnostics[len(e.Diagnostics)-1].Range
		e.Diagnostics = append(e.Diagnostics, Diagnostic{
			Message: fmt.Sprintf("%d more errors are not shown", r.dropped), Range: last,
		})
	}
	return e
}

// maxQuoted bounds how much of a value a message repeats.
const maxQuoted = 80

// Quote returns a value as messages show it: quoted, printable, on one line, and cut when it is long.
func Quote(s string) string {
	if len(s) > maxQuoted {
		return fmt.Sprintf("%q…", s[:maxQuoted])
	}
	return fmt.Sprintf("%q", s)
}
