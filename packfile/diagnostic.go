package packfile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Diagnostic is one thing that is wrong with a packfile, or, as a warning, questionable.
type Diagnostic struct {
	Rule    string // lint rule of a warning; "" for errors
	Message string // what is wrong, in one line without position
	Hint    string // what to write instead, "" when there is nothing to say
	Range   Range
}

// Text is the message with its hint.
func (d Diagnostic) Text() string {
	if d.Hint == "" {
		return d.Message
	}
	return d.Message + " (" + d.Hint + ")"
}

// Error makes a single diagnostic an error: Render returns one, so that its caller knows where to point.
func (d Diagnostic) Error() string { return d.Text() }

// Error is everything that is wrong with a packfile, in the order in which it stands there.
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

// maxDiagnostics bounds what one packfile can make its reader say: more would not fit into a gRPC message.
const maxDiagnostics = 500

// report collects errors and warnings.
type report struct {
	errs, warns []Diagnostic
	dropped     int // errors beyond maxDiagnostics
}

// fail adds an error.
func (r *report) fail(at Range, hint, format string, args ...any) {
	if len(r.errs) == maxDiagnostics {
		r.dropped++
		return
	}
	r.errs = append(r.errs, Diagnostic{Message: fmt.Sprintf(format, args...), Hint: hint, Range: at})
}

// warn adds a lint warning.
func (r *report) warn(rule Rule, at Range, hint, format string, args ...any) {
	if len(r.warns) == maxDiagnostics {
		return
	}
	r.warns = append(r.warns, Diagnostic{Rule: rule.Name, Message: fmt.Sprintf(format, args...), Hint: hint, Range: at})
}

// sorted puts diagnostics into file order; those at one place stay in the order in which they were found. What a YAML
// alias repeats is said once.
func sorted(ds []Diagnostic) []Diagnostic {
	slices.SortStableFunc(ds, func(a, b Diagnostic) int {
		return cmp.Or(
			cmp.Compare(a.Range.Start.Line, b.Range.Start.Line),
			cmp.Compare(a.Range.Start.Column, b.Range.Start.Column),
		)
	})
	return slices.Compact(ds)
}

// err is the collected errors as one error, nil when there are none.
func (r *report) err(filename string) error {
	if len(r.errs) == 0 {
		return nil
	}
	e := &Error{Filename: filename, Diagnostics: sorted(r.errs)}
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

// quote is a value of the packfile as a message shows it: printable, on one line, and not longer than a person reads.
func quote(s string) string {
	if len(s) > maxQuoted {
		return fmt.Sprintf("%q…", s[:maxQuoted])
	}
	return fmt.Sprintf("%q", s)
}
