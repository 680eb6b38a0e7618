package order

import (
	"fmt"
	"strings"
	"testing"
)

func TestWhichOrdersCanBeWalked(t *testing.T) {
	var doubled strings.Builder
	doubled.WriteString("o0=a|b\n")
	for i := range 100 {
		fmt.Fprintf(&doubled, "o%d=o%d o%d\n", i+1, i, i)
	}
	for _, test := range []struct {
		name, order, want string
	}{
		{"components only", "a b|a", ""},
		{"an order of nothing", "a=b\na", ""},
		{"a diamond is no cycle", "a=c\nb=c\nc=d\na b", ""},
		{"a composite that is there twice is no cycle", "a=b|b\na a|a", ""},
		{
			"a composite that is made of itself", "a=b|c a\na",
			"modules whose orders go round in a circle: a → a",
		},
		{
			"a long cycle", "a@1=x b\nb=c|y\nc=x|y a@1\nx a@1",
			"modules whose orders go round in a circle: a@1 → b → c → a@1",
		},
		{
			"a cycle behind others", "z=a\na=b\nb=c\nc=b\nz",
			"modules whose orders go round in a circle: b → c → b",
		},
		{"a cycle behind a diamond", "a=c\nb=c e\nc=d\ne=b\na b", "modules whose orders go round in a circle: b → e → b"},
		{
			"a cycle beside composites that are none of it", "a=d e b\nb=d a\nd=y\ne=y\na",
			"modules whose orders go round in a circle: a → b → a",
		},
		{"another version of the same id", "a@1=a@2\na@2=b\na@1", ""},
		{"a group of nobody", "a|", "group 2 of the order has no modules"},
		{"a group of nobody in a composite", "o@1=a|\no@1", "group 2 of o@1 has no modules"},
		{"a group that doubles with every composite", doubled.String() + "o100",
			"group 1 of o12 comes to more than 10000 modules"},
		{"a group that is as long as may be", strings.Repeat("a ", MaxLength), ""},
		{"a longer group", strings.Repeat("a ", MaxLength+1), "group 1 of the order comes to more than 10000 modules"},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := read(t, test.order)
			got := ""
			if err := o.Check(); err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
			if cycle := o.Cycle(); (cycle != nil) != strings.Contains(test.want, "circle") {
				t.Errorf("cycle %v", cycle)
			}
		})
	}
}

func TestACycleBeginsAndEndsWithTheSameModule(t *testing.T) {
	cycle := read(t, "a=b\nb=c\nc=b\na").Cycle()
	if len(cycle) != 3 || cycle[0] != cycle[2] || cycle[0].ID != "b" || cycle[1].ID != "c" {
		t.Errorf("got %v", cycle)
	}
}

// Without a memory of where it was already, the search would take 2^n steps.
func TestCyclesAreLookedForInLinearTime(t *testing.T) {
	var text strings.Builder
	text.WriteString("o0=a\n")
	for i := range 1000 {
		fmt.Fprintf(&text, "o%d=o%d|o%d\n", i+1, i, i)
	}
	o := read(t, text.String()+"o1000")
	if cycle := o.Cycle(); cycle != nil {
		t.Errorf("got %v", cycle)
	}
	if err := o.Check(); err != nil {
		t.Error(err)
	}
}
