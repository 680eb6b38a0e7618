package grouptest

import "fmt"

// WithID is a packfile of that id.
func WithID(id, text string) string { return fmt.Sprintf("[config]\nid = %q\n", id) + text }

// Parts of packfiles, by what they have.
const (
	RequiresX = "[[layers]]\nname = \"x\"\n[layers.require]\n"
	AsksForX  = "[[layers]]\nname = \"x\"\n[layers.require]\ninline = \"x\"\n"
	ProvidesX = "[[layers]]\nname = \"x\"\n[layers.provide.run]\ninline = \"x\"\n"
	BuildsX   = "[[layers]]\nname = \"x\"\n[layers.build.run]\ninline = \"x\"\n"
	AProcess  = "[[processes]]\ntype = \"web\"\ncommand = [\"run\"]\n"
)

// Provider is a module that provides a layer for others.
const Provider = "[config]\nid = 'acme/engine'\n[[layers]]\nname = 'node'\n[layers.metadata]\nown = '1'\n[layers.provide.run]\ninline = 'x'"
