package group_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packfile/frontend/cnb/plan"
	"github.com/packfile/frontend/group/grouptest"
	"github.com/packfile/frontend/metadata"
)

func TestWhatAPackfilePutsIntoTheBuildPlan(t *testing.T) {
	required := []plan.Require{{Name: "x", Metadata: metadata.Table{}}}
	for what, test := range map[string]struct {
		packfile string
		notAsked bool // its require script exits with 100
		want     plan.Member
	}{
		"a layer with a require section is required": {
			packfile: grouptest.RequiresX, want: plan.Member{MustBeUsed: true, Plan: plan.Plan{Requires: required}},
		},
		"a layer with a provide section is provided": {
			packfile: grouptest.ProvidesX, want: plan.Member{MustBeUsed: true, Plan: plan.Plan{Provides: []plan.Provide{{Name: "x"}}}},
		},
		"a layer with a build section is both": {
			packfile: grouptest.BuildsX,
			want:     plan.Member{MustBeUsed: true, Plan: plan.Plan{Requires: required, Provides: []plan.Provide{{Name: "x"}}}},
		},
		"a layer whose require script says no may still be made for others": {
			packfile: grouptest.AsksForX + "[layers.provide.run]\ninline = \"x\"\n", notAsked: true,
			want: plan.Member{MustBeUsed: true, Plan: plan.Plan{Provides: []plan.Provide{{Name: "x", IfRequired: true}}}},
		},
		"a module of which nothing is required, and which provides nothing, takes no part": {
			packfile: grouptest.AsksForX, notAsked: true, want: plan.Member{Failed: "none of its layers is required this time"},
		},
		"a module that has but processes takes part in any group": {packfile: grouptest.AProcess, want: plan.Member{}},
		"export and expose go with the requirement": {
			packfile: strings.Replace(grouptest.RequiresX, "[layers.", "export = true\nexpose = true\n"+"version = \"2\"\n[layers.", 1),
			want: plan.Member{MustBeUsed: true, Plan: plan.Plan{Requires: []plan.Require{{
				Name: "x", Metadata: metadata.Table{"launch": "true", "build": "true", "version": "2"},
			}}}},
		},
	} {
		t.Run(what, func(t *testing.T) {
			b := grouptest.New(t, []string{grouptest.WithID("m", test.packfile), ""})
			f := grouptest.Required(b)
			if test.notAsked {
				f = grouptest.Refused(b)
			}
			test.want.Name = "m"
			if diff := cmp.Diff(test.want, b.Part(grouptest.Candidates(b)[0], f)); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("what is built takes part in any case", func(t *testing.T) {
		b := grouptest.New(t, []string{grouptest.AsksForX})
		if diff := cmp.Diff(plan.Member{Name: "packfile"}, b.Part(grouptest.Candidates(b)[0], grouptest.Refused(b))); diff != "" {
			t.Error(diff)
		}
	})
}
