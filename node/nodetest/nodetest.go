// Package nodetest has the helpers that tests of rooms with a file format share: golden files, properties that hold for
// every text, and trees with one error in them. Only tests import it.
package nodetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"github.com/packfile/frontend/node"
)

var update = flag.Bool("update", false, "write golden files")

// NoPlaces makes cmp ignore the places of values.
var NoPlaces = cmpopts.IgnoreTypes(node.Table{})

// Data returns a file of the folder testdata.
func Data(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	return data
}

// Golden compares a text with a file of testdata, or writes the file with -update.
func Golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(filepath.Join("testdata", name), []byte(got), 0o644))
	}
	require.Empty(t, cmp.Diff(string(Data(t, name)), got), "run the tests of this package with -update if this is meant")
}

// GoldenJSON is Golden for a value, as JSON.
func GoldenJSON(t *testing.T, name string, got any) {
	t.Helper()
	text, err := json.MarshalIndent(got, "", "  ")
	require.NoError(t, err)
	Golden(t, name, string(text)+"\n")
}

// Complaints returns all errors and warnings of a file, as text.
func Complaints(filename string, warnings []node.Diagnostic, err error) string {
	var b strings.Builder
	if err != nil {
		fmt.Fprintln(&b, err)
	}
	for _, w := range warnings {
		fmt.Fprintf(&b, "%s:%d:%d: warning: %s [%s]\n", filename, w.Range.Start.Line, w.Range.Start.Column, w.Text(), w.Rule)
	}
	return b.String()
}

// RequireErrors checks all errors, without the file name; the beginning of each is enough.
func RequireErrors(t *testing.T, err error, want ...string) {
	t.Helper()
	var e *node.Error
	if err != nil {
		require.True(t, errors.As(err, &e), "%v", err)
	} else {
		e = &node.Error{}
	}
	require.Len(t, e.Diagnostics, len(want), "%v", e)
	for i, d := range e.Diagnostics {
		got := fmt.Sprintf("%d:%d: %s", d.Range.Start.Line, d.Range.Start.Column, d.Text())
		require.True(t, strings.HasPrefix(got, want[i]), "got  %s\nwant %s", got, want[i])
	}
}

// Seed adds files of testdata to a fuzz test.
func Seed(f *testing.F, pattern string) {
	names, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(names) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
}

// CheckParse checks what holds for every text: parsing gives a value or errors, each error has a place inside the text,
// and parsing again gives the same. It returns the value, nil when there are errors.
func CheckParse[T any](t *testing.T, data []byte, parse func() (*T, []node.Diagnostic, error)) *T {
	value, warnings, err := parse()
	var e *node.Error
	if (value == nil) != (err != nil) || (err != nil && !errors.As(err, &e)) {
		t.Fatalf("value %v, error %v", value, err)
	}
	if e != nil {
		CheckPlaces(t, data, e.Diagnostics)
	}
	CheckPlaces(t, data, warnings)
	again, warningsAgain, errAgain := parse()
	if diff := cmp.Diff(value, again, cmp.Exporter(func(reflect.Type) bool { return true })); diff != "" {
		t.Fatal(diff)
	}
	if diff := cmp.Diff(warnings, warningsAgain); diff != "" {
		t.Fatal(diff)
	}
	if err != nil && err.Error() != errAgain.Error() {
		t.Fatalf("%v\n%v", err, errAgain)
	}
	return value
}

// CheckPlaces checks that diagnostics stand inside the text, and that each is one line.
func CheckPlaces(t *testing.T, data []byte, diagnostics []node.Diagnostic) {
	lines := strings.Split(string(bytes.TrimPrefix(data, []byte("\ufeff"))), "\n")
	for _, d := range diagnostics {
		r := d.Range
		if r.Start.Line < 1 || r.Start.Line > len(lines) || r.End.Line != r.Start.Line ||
			r.Start.Column < 1 || r.End.Column < r.Start.Column || r.End.Column > max(len(lines[r.End.Line-1]), 1)+1 {
			t.Fatalf("%s: stands at %v, outside the text", d.Text(), r)
		}
		if !utf8.ValidString(d.Text()) || strings.Contains(d.Text(), "\n") {
			t.Fatalf("message is not one line of text: %q", d.Text())
		}
	}
}

// Allocated returns how many bytes a function allocates.
func Allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// CheckCost checks that the cost of a text is bounded by its measure: otherwise Measure, and every limit that uses it,
// would be worth nothing. Twenty copies of the text show costs that grow faster than the text.
func CheckCost(t *testing.T, filename string, data []byte, parse func(data []byte)) {
	data = bytes.Repeat(append(bytes.Clone(data), '\n'), 20)
	size := node.Measure(filename, data)
	most := uint64(1<<20 + 200*size.Bytes + 4000*size.Values)
	if spent := Allocated(func() { parse(data) }); spent > most {
		t.Fatalf("%d bytes are allocated for a text of %d that measures %d values", spent, size.Bytes, size.Values)
	}
}
