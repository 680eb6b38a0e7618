package plan

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The groups of these tests are written in words, a member a line: its name, "?" when it is optional, and its plan. In a
// plan "+x" provides x, "+x?" provides it if required, "-x" requires it, "|" begins an alternative, "!" says that the
// member must be used, and "failed" that its detection did not pass.

func group(text string) (members []Member) {
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		var m Member
		m.Name, m.Optional = strings.CutSuffix(words[0], "?")
		plan := &m.Plan
		for _, word := range words[1:] {
			name := word[1:]
			switch {
			case word == "failed":
				m.Failed = "detect failed"
			case word == "!":
				m.MustBeUsed = true
			case word == "|":
				m.Plan.Or = append(m.Plan.Or, Plan{})
				plan = &m.Plan.Or[len(m.Plan.Or)-1]
			case word[0] == '+':
				name, ifRequired := strings.CutSuffix(name, "?")
				plan.Provides = append(plan.Provides, Provide{name, ifRequired})
			case word[0] == '-':
				plan.Requires = append(plan.Requires, Require{Name: name})
			default:
				panic(line)
			}
		}
		members = append(members, m)
	}
	return members
}

// write is a resolution in words: who takes part, and for each dependency its providers and requirers.
func write(members []Member, r *Resolution) string {
	var b strings.Builder
	for _, m := range r.Members {
		fmt.Fprintf(&b, "%s ", members[m].Name)
	}
	for _, e := range r.Entries {
		fmt.Fprintf(&b, "(%s", e.Name)
		for _, p := range e.Providers {
			fmt.Fprintf(&b, " +%s", members[p].Name)
		}
		for _, r := range e.Requires {
			fmt.Fprintf(&b, " -%s", members[r.Member].Name)
		}
		b.WriteString(") ")
	}
	return strings.TrimSpace(b.String())
}

func TestWhichGroupsPass(t *testing.T) {
	for _, test := range []struct {
		name  string
		group string
		want  string // what write makes of the resolution, or the error
	}{
		// What must balance.
		{
			name:  "members that provide and require nothing take part",
			group: "a \n b",
			want:  "a b",
		},
		{
			name:  "what a member provides may be required by a later one",
			group: "a +x \n b -x",
			want:  "a b (x +a -b)",
		},
		{
			name:  "a member may require what it provides",
			group: "a -x +x",
			want:  "a (x +a -a)",
		},
		{
			name:  "what is required must be provided",
			group: "a \n b -x",
			want:  `the group does not pass: b: requires "x", which no module before it provides`,
		},
		{
			name:  "what is provided must be required",
			group: "a +x \n b",
			want:  `the group does not pass: a: provides "x", which neither it nor a later module requires`,
		},
		{
			name:  "a provider that only comes later is no help",
			group: "a -x \n b +x",
			want: `the group does not pass: a: requires "x", which only comes later (b); ` +
				`b: provides "x", which is only required earlier (a)`,
		},
		{
			name:  "not even when the dependency is required once more",
			group: "a -x \n b +x -x",
			want:  `the group does not pass: a: requires "x", which only comes later (b)`,
		},
		{
			name:  "what is provided once more must be required once more",
			group: "a +x -x \n b +x",
			want:  `the group does not pass: b: provides "x", which is only required earlier (a)`,
		},
		{
			name:  "a dependency may have several providers and requirers",
			group: "a +x \n b +x \n c -x \n d +x -x \n e -x",
			want:  "a b c d e (x +a +b +d -c -d -e)",
		},
		{
			name:  "every time that a member requires something counts, that it provides it counts once",
			group: "a +x +x \n b -x -x",
			want:  "a b (x +a -b -b)",
		},
		{
			name:  "dependencies come by first appearance",
			group: "a +z +y \n b +x -y -z \n c -z -x",
			want:  "a b c (z +a -b -c) (y +a -b) (x +b -c)",
		},

		// Optional members.
		{
			name:  "an optional member without what it requires is left out",
			group: "a \n b? -x",
			want:  "a",
		},
		{
			name:  "an optional member that provides what nobody requires is left out",
			group: "a? +x \n b",
			want:  "b",
		},
		{
			name:  "an optional member whose provider only comes later is left out",
			group: "a? -x \n b +x -x",
			want:  "b (x +b -b)",
		},
		{
			name:  "with a member everything goes that it provides and requires",
			group: "a? +x -none \n b? -x +y \n c? -y \n d",
			want:  "d",
		},
		{
			name:  "also what others provide for it",
			group: "a? +x \n b? -x +y \n c? -y -none \n d",
			want:  "d",
		},
		{
			name:  "an optional member whose place another one takes is not missed",
			group: "a? +x -none \n b +x \n c -x",
			want:  "b c (x +b -c)",
		},
		{
			name:  "an optional member that balances stays",
			group: "a? +x \n b? -x",
			want:  "a b (x +a -b)",
		},
		{
			name:  "a required member does without what an optional one provides only if it has it from elsewhere",
			group: "a? +x -none \n b -x",
			want: `the group does not pass: a: requires "none", which no module before it provides; ` +
				`b: requires "x", which only a module that is left out provides (a)`,
		},
		{
			name:  "what a required member provides for one that is left out is required by nobody",
			group: "a +x \n b? -x -none",
			want: `the group does not pass: a: provides "x", which only a module that is left out requires (b); ` +
				`b: requires "none", which no module before it provides`,
		},
		{
			name:  "a group in which nobody is left does not pass",
			group: "a? +x \n b? -y",
			want: `the group does not pass: a: provides "x", which neither it nor a later module requires; ` +
				`b: requires "y", which no module before it provides`,
		},

		{
			name:  "what a member that is left out has from itself is no fault of it",
			group: "a? +x -x -none",
			want:  `the group does not pass: a: requires "none", which no module before it provides`,
		},

		// Detection.
		{
			name:  "a required member whose detection failed fails the group",
			group: "a failed \n b",
			want:  "the group does not pass: a: detect failed",
		},
		{
			name:  "an optional member whose detection failed is left out",
			group: "a? failed \n b +x -x",
			want:  "b (x +b -b)",
		},
		{
			name:  "its plan goes with it",
			group: "a? +x failed \n b -x",
			want:  `the group does not pass: a: detect failed; b: requires "x", which no module before it provides`,
		},
		{
			name:  "a group in which no detection passed does not pass",
			group: "a? failed \n b? failed",
			want:  "the group does not pass: a: detect failed; b: detect failed",
		},
		{
			name:  "a group of nobody does not pass",
			group: "",
			want:  "the group has no modules",
		},

		// Alternatives.
		{
			name:  "an alternative takes the place of the whole plan",
			group: "a +x -none | +y -y",
			want:  "a (y +a -a)",
		},
		{
			name:  "the first that balances wins",
			group: "a -none | +y -y | +z -z",
			want:  "a (y +a -a)",
		},
		{
			name:  "the alternatives of later members are tried first",
			group: "a +x | +y \n b -y | -x",
			want:  "a b (x +a -b)",
		},
		{
			name:  "an alternative may be empty",
			group: "a -none | ",
			want:  "a",
		},
		{
			name:  "an optional member is left out with its last alternative only",
			group: "a? -none | +x \n b +y -y | -x",
			want:  "b (y +b -b)",
		},
		{
			name:  "before it is left out alternatives of later members are tried with it",
			group: "a? +x | +y \n b | -x",
			want:  "a b (x +a -b)",
		},
		{
			name:  "a group of which no choice balances fails with what is wrong with the first",
			group: "a +x | -none | +y \n b",
			want:  `the group does not pass: a: provides "x", which neither it nor a later module requires`,
		},

		// What may be provided without need.
		{
			name:  "what is provided if required may be required by nobody",
			group: "a +x? +y \n b -y",
			want:  "a b (y +a -b)",
		},
		{
			name:  "and is provided when it is",
			group: "a +x? \n b -x",
			want:  "a b (x +a -b)",
		},
		{
			name:  "a member that comes after the last who requires it is none of its providers",
			group: "a +x \n b -x \n c +x?",
			want:  "a b c (x +a -b)",
		},
		{
			name:  "who provides it if required as well as always must have it required",
			group: "a +x? +x \n b",
			want:  `the group does not pass: a: provides "x", which neither it nor a later module requires`,
		},

		// Members that must be used.
		{
			name:  "a member that must be used takes part when something that it provides is required",
			group: "a ! +x? +y? \n b -y",
			want:  "a b (y +a -b)",
		},
		{
			name:  "or when it requires something",
			group: "a +x \n b ! +y? -x",
			want:  "a b (x +a -b)",
		},
		{
			name:  "also from itself",
			group: "a ! +x? -x",
			want:  "a (x +a -a)",
		},
		{
			name:  "else it is at fault",
			group: "a ! +x? +y? \n b",
			want:  "the group does not pass: a: nothing that it provides is required",
		},
		{
			name:  "and left out when it is optional",
			group: "a? ! +x? \n b",
			want:  "b",
		},
		{
			name:  "to be required by an earlier member is no use",
			group: "a +x \n b -x \n c? ! +x?",
			want:  "a b (x +a -b)",
		},
		{
			name:  "to be required by a member that is left out is no use",
			group: "a? ! +x? \n b? -x -none \n c",
			want:  "c",
		},
		{
			name:  "a member that must be used and does nothing is at fault",
			group: "a ! \n b",
			want:  "the group does not pass: a: neither requires nor provides anything",
		},
		{
			name:  "with one that is left out goes what it requires",
			group: "a? +x \n b? ! +y? -x -none \n c",
			want:  "c",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			members := group(test.group)
			r, err := Resolve(members, &Trials{Limit: 100})
			got := ""
			if err != nil {
				got = err.Error()
			} else {
				got = write(members, r)
			}
			if got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestFailuresAreToldByMember(t *testing.T) {
	members := group("a? failed \n b +x -y -n0 -n1 -n2 -n3 -n4 -n5 \n c -x +z \n d +y")
	members[0].Failed = "exit code 1:\nno package.json"
	_, err := Resolve(members, &Trials{Limit: 1})
	failure, ok := errors.AsType[*Failure](err)
	if !ok {
		t.Fatalf("got %v", err)
	}
	want := []string{
		"exit code 1:\nno package.json",
		`requires "y", which only comes later (d); requires "n0", which no module before it provides; ` +
			`requires "n1", which no module before it provides; requires "n2", which no module before it provides; ` +
			`requires "n3", which no module before it provides; and 2 more`,
		`provides "z", which neither it nor a later module requires`,
		`provides "y", which is only required earlier (b)`,
	}
	if diff := cmp.Diff(want, failure.Why); diff != "" {
		t.Error(diff)
	}
	if text := err.Error(); !strings.HasPrefix(text, "the group does not pass: a: exit code 1: no package.json; b: ") {
		t.Errorf("not on one line: %q", text)
	}
}

func TestRequirementsHaveTheirMetadata(t *testing.T) {
	one, two := map[string]any{"version": "1"}, map[string]any{"version": "2"}
	members := group("a? -none \n b +x \n c -x -x \n d -x")
	members[2].Plan.Requires[0].Metadata = one
	members[2].Plan.Requires[1].Metadata = two
	got, err := Resolve(members, &Trials{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	want := &Resolution{
		Members: []int{1, 2, 3},
		Entries: []Entry{{Name: "x", Providers: []int{1}, Requires: []Requirement{{2, one}, {2, two}, {3, nil}}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTrialsAreSharedByAllGroupsOfABuild(t *testing.T) {
	two := group("a +x | +y \n b -y") // passes with its second trial
	trials := &Trials{Limit: 5}
	for range 2 {
		if _, err := Resolve(two, trials); err != nil {
			t.Fatal(err)
		}
	}
	_, err := Resolve(two, trials)
	if limit, ok := errors.AsType[*TrialsError](err); !ok || limit.Limit != 5 {
		t.Fatalf("got %v", err)
	}
	const want = "gave up after 5 trials of build plans: " +
		"there are too many groups, or too many alternatives ([[or]]) in their plans"
	if err.Error() != want {
		t.Errorf("got %q", err)
	}
	if _, err := Resolve(group("a failed"), trials); errors.As(err, new(*TrialsError)) {
		t.Error("a group whose detection failed needs no trial")
	}
}

// 2^100 choices, none of which balances.
func TestTrialsEnd(t *testing.T) {
	text := "z -none \n" + strings.Repeat("a +x | +y\n", 100)
	if _, err := Resolve(group(text), &Trials{Limit: 1000}); !errors.As(err, new(*TrialsError)) {
		t.Errorf("got %v", err)
	}
}
