package container

import "testing"

func TestAnImageIsReferredToByWhatARegistryKnows(t *testing.T) {
	for name, test := range map[string]struct {
		base Base
		want string
	}{
		"of a registry":      {Base{Digest: "sha256:1", Exact: true, Repository: "registry.example.com/a"}, "registry.example.com/a@sha256:1"},
		"of an OCI layout":   {Base{Digest: "sha256:1", Exact: true}, "sha256:1"},
		"of another target":  {Base{Digest: "sha256:1", Exact: true, Defined: true}, ""},
		"made from a folder": {Base{Digest: "sha256:1", Defined: true, Floating: "a folder"}, ""},
	} {
		if got := test.base.Reference(); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func TestWhyABuildImageHasNoDigestIsSaid(t *testing.T) {
	const plain = "the build image has no digest"
	for floating, want := range map[string]string{"": plain, "a folder": plain + ", since it is made from a folder"} {
		if got := (Base{Floating: floating}).Inexact(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
