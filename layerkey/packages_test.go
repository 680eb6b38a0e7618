package layerkey

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhatDiffersBetweenPackagesIsSaid(t *testing.T) {
	old := RunPackages{Parts: RunPackagesParts{
		Contract: 2, Platform: "linux/amd64", RunImage: "sha256:1", Packages: Packages{Names: []string{"a", "b=1", "gone"}, Sources: []string{"x"}, Since: "2026-01-01T00:00:00Z"},
	}}
	for name, test := range map[string]struct {
		change func(*RunPackages)
		want   string
	}{
		"nothing":                {func(*RunPackages) {}, ""},
		"names":                  {func(r *RunPackages) { r.Parts.Names = []string{"a", "b=2", "new"} }, "package b 1 -> 2, package gone removed, package new added"},
		"a version more or less": {func(r *RunPackages) { r.Parts.Names = []string{"a=1", "b", "gone"} }, "package a any -> 1, package b 1 -> any"},
		"sources and keys":       {func(r *RunPackages) { r.Parts.Sources, r.Parts.Keys = nil, []string{"k"} }, "sources of packages changed, keys of packages changed"},
		"the period": {func(r *RunPackages) { r.Parts.Since = "2026-01-02T00:00:00Z" },
			"refresh period of packages 2026-01-01T00:00:00Z -> 2026-01-02T00:00:00Z"},
		"the base": {func(r *RunPackages) {
			r.Parts.RunImage, r.Parts.Platform, r.Parts.Contract = "sha256:2", "linux/arm64", 3
		},
			"run image sha256:1 -> sha256:2, platform linux/amd64 -> linux/arm64, step contract 2 -> 3"},
	} {
		next := old
		test.change(&next)
		changes := PackageChanges(old, next)
		if diff := cmp.Diff(test.want, Why(changes)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		before, _ := old.Parts.MakeKey()
		after, _ := next.Parts.MakeKey()
		if (before == after) != (changes == nil) {
			t.Errorf("%s: the keys are %s and %s, the changes %v", name, before, after, changes)
		}
	}
}

func TestPackagesInTheBuildImageAreAPartOfAKeyOnlyWhereThereAreAny(t *testing.T) {
	with := Parts{Layer: "/layers/a/b", Packages: &Packages{Names: []string{"gcc"}}}
	without := Parts{Layer: "/layers/a/b"}
	changes := Changes(Record{Parts: without}, Record{Parts: with})
	if diff := cmp.Diff("build package gcc added", Why(changes)); diff != "" {
		t.Error(diff)
	}
	one, _ := with.Key()
	other, _ := without.Key()
	if one == other {
		t.Error("the keys are equal")
	}
}

func TestPackagesInALabelThatAreNoneAreRefused(t *testing.T) {
	for record, want := range map[string]string{
		`{"parts":{"names":["-y"]}}`:                      `runPackages: parts.names: -y is no package`,
		`{"parts":{"names":["a\u001b[2J"]}}`:              `runPackages: parts.names: "a\x1b[2J" is no package`,
		`{"key":"1","parts":{"names":["a"]}}`:             `runPackages: key: 1 is not 64 hex digits`,
		`{"diffID":"sha256:1","parts":{"names":["a"]}}`:   `runPackages: diffID: sha256:1 is not a SHA-256 digest`,
		`{"refresh":"-1s","parts":{"names":["a"]}}`:       `runPackages: refresh: -1s is no duration`,
		`{"refresh":"24h0m0s","parts":{"names":["a=1"]}}`: "",
	} {
		_, err := ParseLabel(`{"name":"a","layers":[],"runPackages":` + record + `}`)
		if err == nil && want != "" || err != nil && (want == "" || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v", record, err)
		}
	}
}
