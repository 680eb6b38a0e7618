package metadata

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func example() Table {
	return Table{"version": "1", "os": Table{"name": "linux", "none": Table{}}, "a b": ""}
}

func TestJSONOfATableIsSortedAndReadAsTheSameTable(t *testing.T) {
	data, err := json.Marshal(example())
	if want := `{"a b":"","os":{"name":"linux","none":{}},"version":"1"}`; err != nil || string(data) != want {
		t.Fatalf("%s, %v, want %s", data, err, want)
	}
	var got Table
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(example(), got); diff != "" {
		t.Error(diff)
	}
	var field struct {
		A, B Table
		C    Table `json:",omitempty"`
	}
	if err := json.Unmarshal([]byte(`{"A": null, "B": {}}`), &field); err != nil || field.A != nil || field.B == nil {
		t.Errorf("%#v, %v", field, err)
	}
	if err := json.Unmarshal([]byte(`{"A": [1]}`), &field); err == nil || !strings.Contains(err.Error(), "field .A") {
		t.Errorf("an array is a table, or the error does not name its field: %v", err)
	}
}

func TestLaterTablesWin(t *testing.T) {
	first := example()
	got := first.Merged(Table{"version": "2", "os": Table{"arch": "amd64"}})
	if diff := cmp.Diff(Table{"version": "2", "os": Table{"arch": "amd64"}, "a b": ""}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(example(), first); diff != "" {
		t.Errorf("the first table changed: %s", diff)
	}
	if got := Table(nil).Merged(nil); got == nil {
		t.Error("two tables of nothing are none")
	}
}

func TestValuesAreReadByNameAndKind(t *testing.T) {
	table := example()
	if table.Text(Version) != "1" || table.Text("os") != "" || table.Text("x") != "" || Table(nil).Text("x") != "" {
		t.Error("wrong text")
	}
	if table.Table("os").Text("name") != "linux" || table.Table(Version) != nil || table.Table("x").Table("y") != nil {
		t.Error("wrong table")
	}
}

func TestEntriesComeInOrderTablesFirst(t *testing.T) {
	var got []string
	for e := range example().Entries() {
		_, isTable := e.Value.(Table)
		got = append(got, fmt.Sprint(strings.Join(e.Path, "/"), " ", isTable))
	}
	if diff := cmp.Diff([]string{"a b false", "os true", "os/name false", "os/none true", "version false"}, got); diff != "" {
		t.Error(diff)
	}
	for e := range example().Entries() {
		if e.Path[0] == "version" {
			t.Error("a loop that ended goes on")
		}
		if len(e.Path) == 2 {
			break
		}
	}
}

func TestAllStringsCanBeChangedAndNamesDropped(t *testing.T) {
	got, err := example().Map(func(value string) (string, error) { return value + "!", nil })
	if diff := cmp.Diff(Table{"version": "1!", "os": Table{"name": "linux!", "none": Table{}}, "a b": "!"}, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	_, err = example().Map(func(value string) (string, error) {
		if value == "linux" {
			return "", errors.New("no")
		}
		return value, nil
	})
	if err == nil || err.Error() != "os: name: no" {
		t.Error(err)
	}
	if got, err := Table(nil).Map(nil); got != nil || err != nil {
		t.Errorf("%v, %v", got, err)
	}
	short := example().Without(func(name string) bool { return strings.Contains(name, "n") })
	if diff := cmp.Diff(Table{"os": Table{}, "a b": ""}, short); diff != "" {
		t.Error(diff)
	}
}

// nested is a table of so many tables in each other.
func nested(depth int) Table {
	table := Table{}
	for range depth {
		table = Table{"t": table}
	}
	return table
}

func TestMetadataHasBounds(t *testing.T) {
	many := func(n int) Table {
		table := Table{}
		for i := range n {
			table[fmt.Sprint(i)] = ""
		}
		return table
	}
	for _, test := range []struct {
		name string
		Table
		want string
	}{
		{"nothing", nil, ""},
		{"an example", example(), ""},
		{"the deepest", nested(MaxDepth), ""},
		{"deeper", nested(MaxDepth + 1), "tables are nested more than 32 deep"},
		{"the most entries", many(MaxEntries), ""},
		{"more", many(MaxEntries + 1), "there are more than 10000 entries"},
		{"the longest", Table{"a": strings.Repeat("x", MaxBytes-1)}, ""},
		{"longer", Table{"a": strings.Repeat("x", MaxBytes)}, "there are more than 1048576 bytes"},
		{"a number", Table{"a": Table{"b\n": 1}}, `"a.b\n" is neither a string nor a table`},
		{"a table of another type", Table{"a": map[string]any{}}, "a is neither a string nor a table"},
		{"null", Table{"a": nil}, "a is neither a string nor a table"},
		{"a name that leads out", Table{"a": Table{"../b": "x"}}, `"../b" cannot be the name of a file: it holds a '/'`},
		{"no name", Table{"": "x"}, `"" cannot be the name of a file: it is empty`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := ""
			if err := test.Check(); err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

func TestNamesThatAPackfileCanHaveAreFewer(t *testing.T) {
	for _, name := range []string{"version", "a b", "größe"} {
		if problem := CheckWritten(name); problem != "" {
			t.Errorf("%q %s", name, problem)
		}
	}
	for name, want := range map[string]string{".requires": "begins with a dot", "a\nb": "holds a control character", "a/b": "holds a '/'"} {
		if got := CheckWritten(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestAValueIsTheSameThroughAFile(t *testing.T) {
	for _, value := range []string{"", "x", "\n", "a\nb\n", "a\n\n"} {
		if got := FromFile([]byte(ToFile(value))); got != value {
			t.Errorf("%q became %q", value, got)
		}
	}
	if got := FromFile([]byte("x\n")); got != "x" {
		t.Errorf("what echo writes is %q", got)
	}
}
