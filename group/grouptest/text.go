package grouptest

import "fmt"

// WithID returns a packfile with an id.
func WithID(id, text string) string { return fmt.Sprintf("[config]\nid = %q\n", id) + text }

// Parts of packfiles, named by what they have.
const (
	RequiresX = "[[layers]]\nname = \"x\"\n[layers.require]\n"
	AsksForX  = "[[layers]]\nname = \"x\"\n[layers.require]\ninline = \"x\"\n"
	ProvidesX = "[[layers]]\nname = \"x\"\n[layers.provide.run]\ninline = \"x\"\n"
	BuildsX   = "[[layers]]\nname = \"x\"\n[layers.build.run]\ninline = \"x\"\n"
	AProcess  = "[[processes]]\ntype = \"web\"\ncommand = [\"run\"]\n"
)

// Provider is a module that provides a layer for others.
const Provider = "[config]\nid = 'acme/engine'\n[[layers]]\nname = 'node'\n[layers.metadata]\nown = '1'\n[layers.provide.run]\ninline = 'x'"

// Example is a packfile with a bit of everything.
const Example = `
[config]
shell = "/bin/sh"
[[processes]]
type = "web"
command = ["run"]
[[caches]]
name = "c"
[caches.setup]
inline = "x"
[[layers]]
name = "tool"
export = true
[layers.metadata]
a = "1"
b = "2"
[layers.build.app-symlinks]
lib = "lib"
[layers.build.test]
inline = "x"
[layers.build.run]
inline = "x"
[[layers.build.env.launch]]
name = "A"
value = "{{.Layer}}"
[[layers]]
name = "user"
export = true
[layers.build]
secrets = [{ id = "s", path-as = "S" }]
[layers.build.test]
match = ["*.json"]
[layers.build.run]
inline = "x"
[[layers.build.links]]
name = "tool"
link-version = true
[[layers.build.links]]
name = "c"
path-as = "C"
[[layers]]
name = "sources"
export = true
[layers.build]
inputs = ["src"]
[layers.build.run]
inline = "x"
[[slices]]
paths = ["static"]
`

// Needy is a module whose layer names secrets and an agent.
const Needy = `[config]
id = "needy"
version = "1"
[[layers]]
name = "x"
export = true
[layers.build]
secrets = [{ id = "token", env-as = "TOKEN" }, { id = "extra", path-as = "EXTRA", required = false }, { id = "ca-certificates", path-as = "CA" }]
ssh = ["default"]
[layers.build.run]
inline = "x"
`
