package layerkey

import (
	"strings"
	"testing"

	"github.com/packfile/frontend/step"
)

func TestPartsHoldNoPasswords(t *testing.T) {
	for in, want := range map[string]string{
		"https://user:secret@example.com/a?b=c": "https://example.com/a?b=c",
		"https://token@example.com/a":           "https://example.com/a",
		"https://example.com/a":                 "https://example.com/a",
	} {
		if got := Redact(in); got != want {
			t.Errorf("Redact(%q) is %q, want %q", in, got, want)
		}
	}
	env := Env([]step.Variable{{Name: "TOKEN", Value: "secret"}})
	if len(env) != 1 || strings.Contains(env["TOKEN"], "secret") || env["TOKEN"] == Env([]step.Variable{{Name: "TOKEN", Value: "other"}})["TOKEN"] {
		t.Errorf("Env gives %q", env)
	}
}
