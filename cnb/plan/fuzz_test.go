package plan

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
)

// Whatever a file says, it is a plan whose dependencies have names, or an error on one line.
func FuzzParse(f *testing.F) {
	f.Add([]byte("[[provides]]\nname = \"a\"\n[[requires]]\nname = \"a\"\n[requires.metadata]\nversion = \"1\"\n" +
		"[[or]]\n[[or.requires]]\nname = \"b\"\n"))
	f.Add([]byte("[[requests]]\nname = \"a\"\nversion = \"1.x\"\n[[requests.metadata]]\nsomething = \"12\"\n"))
	f.Add([]byte("provides = [{name = \"a\"}]\nor = [{requires = [{name = \"b\", metadata.a.b = 1979-05-27}]}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, warnings, err := Parse(data)
		if err != nil {
			text := err.Error()
			strange := func(r rune) bool { return !unicode.IsPrint(r) && r != unicode.ReplacementChar }
			if len(text) > 1000 || strings.ContainsFunc(text, strange) {
				t.Fatalf("not one short line: %q", text)
			}
			if strings.Contains(text, "invalid TOML") && !strings.Contains(text, "invalid TOML at line ") {
				t.Fatalf("no place: %s", text)
			}
			if diff := cmp.Diff(Plan{}, p); diff != "" || warnings != nil {
				t.Fatalf("a plan with an error %v: %s", warnings, diff)
			}
			return
		}
		names := 0
		for _, alternative := range append([]Plan{p}, p.Or...) {
			for _, provide := range alternative.Provides {
				if names++; provide.Name == "" || provide.IfRequired {
					t.Fatalf("provides %+v", provide)
				}
			}
			for _, require := range alternative.Requires {
				if names++; require.Name == "" {
					t.Fatalf("requires %+v", require)
				}
			}
		}
		if names > most.Values || len(p.Or) > most.Values {
			t.Fatalf("%d names, %d alternatives", names, len(p.Or))
		}
		if len(warnings) > 1 || len(warnings) == 1 && !strings.Contains(strings.ToLower(string(data)), "requests") {
			t.Fatalf("warnings %q", warnings)
		}
	})
}

// plans makes a group of up to 5 members with up to 3 alternatives out of bytes.
func plans(data []byte) (members []Member) {
	next := func(n int) int {
		if len(data) == 0 {
			return 0
		}
		b := data[0]
		data = data[1:]
		return int(b) % n
	}
	plan := func() (p Plan) {
		for range next(4) {
			name := string(rune('w' + next(3)))
			switch next(5) {
			case 0, 1:
				p.Provides = append(p.Provides, Provide{Name: name})
			case 2:
				p.Provides = append(p.Provides, Provide{Name: name, IfRequired: true})
			default:
				p.Requires = append(p.Requires, Require{Name: name, Metadata: map[string]any{"n": len(data)}})
			}
		}
		return p
	}
	for i := range 1 + next(5) {
		flags := next(64)
		m := Member{Name: string(rune('a' + i)), Optional: flags&1 > 0, MustBeUsed: flags&6 == 0, Plan: plan()}
		if flags&56 == 0 {
			m.Failed = "failed"
		}
		if i%2 == 0 {
			for range next(3) {
				m.Plan.Or = append(m.Plan.Or, plan())
			}
		}
		members = append(members, m)
	}
	return members
}

// byDefinition finds the result of a group the way in which the rules are said, without ever taking a step: of all choices
// of alternatives the first for which some of the members balance, and of those the most. (What any two sets of members
// have in balance, both of them together have too.)
func byDefinition(members []Member) *Resolution {
	var left []int
	for i, m := range members {
		if m.Failed == "" {
			left = append(left, i)
		} else if !m.Optional {
			return nil
		}
	}
	chosen := make([]Plan, len(members))
	mayGo := make([]bool, len(members))
	var choose func(from int) *Resolution
	choose = func(from int) *Resolution {
		if from == len(left) {
			var most []int
			for set := range 1 << len(left) {
				var in []int
				whole := true
				for bit, i := range left {
					if set>>bit&1 == 1 {
						in = append(in, i)
					} else {
						whole = whole && mayGo[i]
					}
				}
				if whole && len(in) > len(most) && balanced(members, chosen, in) {
					most = in
				}
			}
			if most == nil {
				return nil
			}
			return &Resolution{Members: most, Entries: entries(chosen, most)}
		}
		i := left[from]
		alternatives := append([]Plan{members[i].Plan}, members[i].Plan.Or...)
		for j, alternative := range alternatives {
			chosen[i], mayGo[i] = alternative, members[i].Optional && j == len(alternatives)-1
			if r := choose(from + 1); r != nil {
				return r
			}
		}
		return nil
	}
	return choose(0)
}

func requires(p Plan, name string) bool {
	return slices.ContainsFunc(p.Requires, func(r Require) bool { return r.Name == name })
}

func provides(p Plan, name string) bool {
	return slices.ContainsFunc(p.Provides, func(p Provide) bool { return p.Name == name })
}

// balanced says whether those in a set have what they need from one another.
func balanced(members []Member, chosen []Plan, in []int) bool {
	for at := range in {
		if !fine(members, chosen, in, at) {
			return false
		}
	}
	return true
}

// fine says it of one of them.
func fine(members []Member, chosen []Plan, in []int, at int) bool {
	plan := chosen[in[at]]
	for _, require := range plan.Requires {
		if !slices.ContainsFunc(in[:at+1], func(j int) bool { return provides(chosen[j], require.Name) }) {
			return false
		}
	}
	used := len(plan.Requires) > 0
	for _, provide := range plan.Provides {
		required := slices.ContainsFunc(in[at:], func(j int) bool { return requires(chosen[j], provide.Name) })
		if !required && !provide.IfRequired {
			return false
		}
		used = used || required
	}
	return used || !members[in[at]].MustBeUsed
}

// entries are those of a set in balance.
func entries(chosen []Plan, in []int) (list []Entry) {
	var names []string
	for _, i := range in {
		for _, provide := range chosen[i].Provides {
			names = append(names, provide.Name)
		}
	}
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			continue
		}
		e := Entry{Name: name}
		for at, i := range in {
			later := slices.ContainsFunc(in[at:], func(j int) bool { return requires(chosen[j], name) })
			if provides(chosen[i], name) && later {
				e.Providers = append(e.Providers, i)
			}
			for _, require := range chosen[i].Requires {
				if require.Name == name {
					e.Requires = append(e.Requires, Requirement{i, require.Metadata})
				}
			}
		}
		if e.Requires != nil {
			list = append(list, e)
		}
	}
	return list
}

// Groups pass, and with whom, as the rules say; of those that do not, the members are at fault that are.
func FuzzResolve(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{1, 7, 1, 0, 0, 0, 7, 1, 0, 3})
	f.Add([]byte{4, 8, 3, 0, 0, 1, 4, 2, 2, 1, 2, 0, 1, 1, 4, 63, 2, 0, 4, 1, 1, 9, 3, 0, 3, 1, 3, 2, 3, 2, 9, 1, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		members := plans(data)
		want := byDefinition(members)
		got, err := Resolve(members, &Trials{Limit: 1000})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%+v: %v\n%s", members, err, diff)
		}
		if err == nil {
			return
		}
		failure, ok := errors.AsType[*Failure](err)
		if !ok || len(failure.Why) != len(members) {
			t.Fatalf("%+v: %v", members, err)
		}
		tried := !slices.ContainsFunc(members, func(m Member) bool { return m.Failed != "" && !m.Optional })
		chosen := make([]Plan, len(members))
		for i, m := range members {
			chosen[i] = m.Plan
		}
		for i, m := range members {
			if m.Failed != "" || !tried {
				if failure.Why[i] != m.Failed {
					t.Fatalf("%+v: %q", members, failure.Why)
				}
				continue
			}
			// With those that are not left out, it is at fault or not.
			var in []int
			at := 0
			for j, other := range members {
				out := other.Failed != "" || failure.Why[j] != "" && other.Optional && other.Plan.Or == nil
				if i == j {
					at = len(in)
				}
				if i == j || !out {
					in = append(in, j)
				}
			}
			if fine(members, chosen, in, at) != (failure.Why[i] == "") {
				t.Fatalf("%+v: %s: %q", members, m.Name, failure.Why[i])
			}
		}
	})
}
