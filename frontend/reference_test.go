package frontend

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// documented returns the rows of the table in a section of docs/reference.md, with the text of each cell.
func documented(t *testing.T, heading string) (rows [][]string) {
	t.Helper()
	data, err := os.ReadFile("../docs/reference.md")
	if err != nil {
		t.Fatal(err)
	}
	inside := false
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") {
			inside = line == heading
		}
		if !inside || !strings.HasPrefix(line, "|") {
			continue
		}
		var row []string
		for _, cell := range strings.Split(strings.Trim(line, "|"), "|") {
			row = append(row, strings.TrimSpace(cell))
		}
		rows = append(rows, row)
	}
	if len(rows) < 3 {
		t.Fatalf("docs/reference.md has no table below %q", heading)
	}
	return rows[2:] // without the head, and the line below it
}

func TestTheReferenceHasTheBuildArgumentsThatThereAre(t *testing.T) {
	var want [][]string
	for i, a := range arguments() {
		name := "`" + strings.Join(a.names, "`, `") + "`"
		switch {
		case len(a.names) > 0:
		case a.prefix != "":
			name = "other `" + a.prefix + "…`"
		default:
			name = "any other"
		}
		want = append(want, []string{name, a.what})
		for _, n := range a.names {
			for _, before := range arguments()[:i] {
				if before.is(n) {
					t.Errorf("%s is in a row above its own", n)
				}
			}
		}
	}
	if diff := cmp.Diff(want, documented(t, "### Build arguments")); diff != "" {
		t.Errorf("arguments() and docs/reference.md differ (-code +docs):\n%s", diff)
	}
	if last := len(want) - 1; !slices.Equal(want[last], []string{"any other", arguments()[last].what}) {
		t.Error("there are names of build arguments that no row is about")
	}
}

func TestTheReferenceHasWhatCanBeAskedOfABuild(t *testing.T) {
	documentedCalls := map[string]string{} // options of buildctl by those of buildx
	for _, row := range documented(t, "## Options of a build") {
		if strings.HasPrefix(row[0], "`--call=") {
			documentedCalls[row[0]] = row[1]
		}
	}
	want := map[string]string{}
	for _, s := range subrequestTable() {
		want["`--call="+s.call+"`"] = "`requestid=" + s.request.Name + "`"
	}
	if diff := cmp.Diff(want, documentedCalls); diff != "" {
		t.Errorf("subrequestTable() and docs/reference.md differ (-code +docs):\n%s", diff)
	}
}
