package order

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The orders of these tests are written in words: groups are separated by "|", a module is an id with an optional version
// ("a@2"), and "?" makes it optional. "o=a b|c" makes o a composite of two groups.

// read makes the order of the last line; the lines before it make composites.
func read(t *testing.T, text string) Order {
	t.Helper()
	modules := map[string]*Module{}
	module := func(name string) *Module {
		if modules[name] == nil {
			id, version, _ := strings.Cut(name, "@")
			modules[name] = &Module{ID: id, Version: version}
		}
		return modules[name]
	}
	order := func(text string) (o Order) {
		for group := range strings.SplitSeq(text, "|") {
			g := Group{}
			for word := range strings.FieldsSeq(group) {
				name, optional := strings.CutSuffix(word, "?")
				g = append(g, Entry{module(name), optional})
			}
			o = append(o, g)
		}
		return o
	}
	lines := strings.Split(text, "\n")
	for _, line := range lines[:len(lines)-1] {
		name, groups, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok {
			t.Fatalf("no composite: %q", line)
		}
		module(name).Order = order(groups)
	}
	return order(lines[len(lines)-1])
}

// write is a group in the words of read.
func write(g Group) string {
	var words []string
	for _, entry := range g {
		word := entry.Module.String()
		if entry.Optional {
			word += "?"
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

func walk(o Order, limit int) (groups []string) {
	for g := range o.Groups() {
		groups = append(groups, write(g))
		if len(groups) == limit {
			break
		}
	}
	return groups
}

func TestGroupsThatAnOrderComesDownTo(t *testing.T) {
	for _, test := range []struct {
		name  string
		order string
		want  []string
	}{
		{
			name:  "groups of components are walked as they stand",
			order: "a b|c",
			want:  []string{"a b", "c"},
		},
		{
			name:  "a composite is replaced in place by each of its groups (seed 002, E O F)",
			order: "O=A B|C D\nE O F",
			want:  []string{"E A B F", "E C D F"},
		},
		{
			name:  "of two composites the left one varies slowest (seed 002, O P)",
			order: "O=A B|C D\nP=E F|G H\nO P",
			want:  []string{"A B E F", "A B G H", "C D E F", "C D G H"},
		},
		{
			name:  "composites are made of composites, depth first",
			order: "O=A|B\nP=O C|D\nP E|F",
			want:  []string{"A C E", "B C E", "D E", "F"},
		},
		{
			name:  "a composite at the end of one group is followed by the rest of the group around it",
			order: "O=A|B\nP=C O\nP D",
			want:  []string{"C A D", "C B D"},
		},
		{
			name:  "an optional component stays in its group",
			order: "a? b",
			want:  []string{"a? b"},
		},
		{
			name:  "the group without an optional composite follows after all of its groups",
			order: "O=A|B\nC O? D",
			want:  []string{"C A D", "C B D", "C D"},
		},
		{
			name:  "each optional composite is left out for itself",
			order: "O=A\nP=B\nO? P? c",
			want:  []string{"A B c", "A c", "B c", "c"},
		},
		{
			name:  "that a composite is optional does not make its components so",
			order: "O=A B?\nO? c",
			want:  []string{"A B? c", "c"},
		},
		{
			name:  "a group of nobody is left out",
			order: "O=A\nO?",
			want:  []string{"A"},
		},
		{
			name:  "of an id that is in a group twice the first stays",
			order: "a b a c",
			want:  []string{"a b c"},
		},
		{
			name:  "whatever its version",
			order: "a@1 b a@2",
			want:  []string{"a@1 b"},
		},
		{
			name:  "also when the second comes out of a composite",
			order: "O=c a@2 d\na@1 O",
			want:  []string{"a@1 c d"},
		},
		{
			name:  "it becomes required when the second is",
			order: "a@1? b a@2",
			want:  []string{"a@1 b"},
		},
		{
			name:  "it stays required when the second is optional",
			order: "a b a?",
			want:  []string{"a b"},
		},
		{
			name:  "it stays optional when all are",
			order: "a? b a?",
			want:  []string{"a? b"},
		},
		{
			name:  "it is required only in the groups that have the required one",
			order: "O=a b|c\na? O d",
			want:  []string{"a b d", "a? c d"},
		},
		{
			name:  "and only where a composite with it is not left out",
			order: "O=a\na? b O?",
			want:  []string{"a b", "a? b"},
		},
		{
			name:  "an id may be in one group of a composite and not in another",
			order: "O=a b|b\nP=a|c\nO P",
			want:  []string{"a b", "a b c", "b a", "b c"},
		},
		{
			name:  "a composite with the id of a component before it is passed over",
			order: "a@2=b\na@1 a@2 c",
			want:  []string{"a@1 c"},
		},
		{
			name:  "a composite may be there twice",
			order: "O=a|b\nO c O",
			want:  []string{"a c", "a c b", "b c a", "b c"},
		},
		{
			name:  "equal groups come again",
			order: "O=a|b\na b O",
			want:  []string{"a b", "a b"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := read(t, test.order)
			if diff := cmp.Diff(test.want, walk(o, 1000)); diff != "" {
				t.Error(diff)
			}
			if err := o.Check(); err != nil {
				t.Error(err)
			}
		})
	}
}

// manifold is an order with 2^n groups of n components each, every one of them different.
func manifold(t *testing.T, n int) Order {
	var lines, last strings.Builder
	for i := range n {
		fmt.Fprintf(&lines, "o%d=a%d|b%d\n", i, i, i)
		fmt.Fprintf(&last, "o%d ", i)
	}
	return read(t, lines.String()+last.String())
}

func TestOrdersAreWalkedLazily(t *testing.T) {
	o := manifold(t, 100)
	if err := o.Check(); err != nil {
		t.Fatal(err)
	}
	got := walk(o, 10)
	if len(got) != 10 {
		t.Fatalf("%d groups", len(got))
	}
	for i, group := range got {
		ids := strings.Fields(group)
		for j, id := range ids {
			kind := "a"
			if bit := 99 - j; bit < 4 && i>>bit&1 == 1 {
				kind = "b" // the last composites vary fastest, as the digits of a number do
			}
			if want := fmt.Sprintf("%s%d", kind, j); id != want {
				t.Fatalf("group %d: component %d is %s, want %s", i, j, id, want)
			}
		}
	}
}

func TestWalksNeedMemoryForOneGroupOnly(t *testing.T) {
	o := manifold(t, 100)
	allocated := func(groups int) float64 {
		return testing.AllocsPerRun(5, func() { walk(o, groups) })
	}
	// Once it has begun, a walk goes back a few composites for each group.
	first, hundred := allocated(1), allocated(100)
	if perGroup := (hundred - first) / 99; perGroup > first {
		t.Errorf("%v allocations for the first group, %v for each further one", first, perGroup)
	}
}

func TestGroupsMayBeKept(t *testing.T) {
	o := read(t, "O=a b?|c d\nP=b|e\nO P")
	var groups []Group
	for g := range o.Groups() {
		groups = append(groups, g)
	}
	var got []string
	for _, g := range groups {
		got = append(got, write(g))
		for i := range g {
			g[i] = Entry{}
		}
	}
	want := []string{"a b", "a b? e", "c d b", "c d e"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAnOrderIsWalkedAgainAsItWasTheFirstTime(t *testing.T) {
	groups := read(t, "O=a|b\nO? a?").Groups()
	for range 2 {
		var got []string
		for g := range groups {
			got = append(got, write(g))
		}
		if diff := cmp.Diff([]string{"a", "b a?", "a?"}, got); diff != "" {
			t.Error(diff)
		}
	}
}
