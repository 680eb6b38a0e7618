package graph

import (
	"testing"

	"github.com/packfile/frontend/group/grouptest"
	"github.com/packfile/frontend/step"
)

// A key that changes with a new frontend makes every layer of every image built before be rebuilt, once. Who changes what a key is
// made of, or how that is written, changes this one, and step.Contract if the same spec fills a layer differently.
func TestKeysAreThoseOfTheFrontendBefore(t *testing.T) {
	provider := grouptest.WithID("p", `
[[layers]]
name = "x"
version = "1"
[layers.metadata]
of = "p"
"a b" = "größe\u2028<&>\n"
[layers.metadata.t]
none = {}
u = { v = "w" }
[layers.provide.run]
inline = "echo x"
[[layers.provide.deps]]
name = "tool"
version = "{{.version}}"
uri = "https://example.com/{{.t.b}}-{{index . \"a b\" | len}}"
sha = "0843cff84e3999d9113a43cfdf43bf75d061ddd213c3fc100b852756e2cd12da"
metadata = { license = "MIT", of = { x = "{{.version}}" } }
[[layers.provide.env.both]]
name = "X"
value = "{{.Layer}}"
`)
	nothing, more := "", "version = \"3\"\n[layers.metadata.t]\nb = \"b\"\n"
	b := newGroup(t, []string{provider, asks("a", nothing), asks("b", more)})
	r := b.recipe(t, layerOf(t, b, "p/x"), grouptest.Required(b.detector))
	const contract, key = 2, "f8d579b554bfc010ac18b2612038e2228be679dd6fedef1028b2e55cc9591d64"
	if r.record.Key != key || step.Contract != contract {
		t.Errorf("the key is %s with contract %d, want %s with %d", r.record.Key, step.Contract, key, contract)
	}
}
