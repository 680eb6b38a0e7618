package testbed

import (
	"fmt"
	"slices"
	"strings"
)

// Part is a piece of a packfile: one or several tables with all that belongs to them.
type Part interface{ String() string }

// Text is a part as TOML, for what no method here writes.
type Text string

func (t Text) String() string { return string(t) }

// Packfile returns a packfile of parts. Without a Config, its steps run in busybox's shell.
func Packfile(parts ...Part) string {
	for _, p := range parts {
		if _, ok := p.(config); ok {
			return Tables(parts...)
		}
	}
	return Config("shell", "/bin/sh -eu").String() + Tables(parts...)
}

// Tables returns parts alone: an addition to a packfile, or a packfile whose steps run in the build image's bash.
func Tables(parts ...Part) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.String())
	}
	return b.String()
}

type config struct{ keys }

func (c config) String() string { return "[config]\n" + c.keys.String() }

// Config returns the [config] table, from pairs of key and value.
func Config(pairs ...any) Part { return config{keysOf(pairs)} }

// Slice returns a [[slices]] table.
func Slice(paths ...string) Part {
	return Text("\n[[slices]]\n" + keysOf([]any{"paths", paths}).String())
}

// Cache returns a [[caches]] table, from pairs of key and value besides its name.
func Cache(name string, pairs ...any) Part {
	return Text("\n[[caches]]\n" + keysOf(append([]any{"name", name}, pairs...)).String())
}

// ProcessTable is a [[processes]] table.
type ProcessTable struct{ keys }

func (p ProcessTable) String() string { return "\n[[processes]]\n" + p.keys.String() }

// Process returns a process of a type that runs a command directly.
func Process(kind string, command ...string) ProcessTable {
	return ProcessTable{keysOf([]any{"type", kind, "command", command})}
}

// ShellProcess returns a process of a type that runs a line of shell.
func ShellProcess(kind, line string) ProcessTable {
	return ProcessTable{keysOf([]any{"type", kind, "command", line, "direct", false})}
}

// With adds keys, by pairs of key and value.
func (p ProcessTable) With(pairs ...any) ProcessTable {
	p.keys = p.keys.and(pairs)
	return p
}

// LayerTable is a [[layers]] table. Its methods return it with more in it, in any order.
type LayerTable struct {
	keys           // of the table itself
	section string // the one that makes it: "build" or "provide", or "" when others make it
	made    keys   // of that section
	scripts []Part // require, test and run
	lists   []Part // links, env and so on
}

// Layer returns a layer that its packfile wants and makes itself.
func Layer(name string) LayerTable {
	return LayerTable{keys: keysOf([]any{"name", name}), section: "build"}
}

// Provided returns a layer that its packfile makes for all who want it. With Require, the packfile itself wants it too.
func Provided(name string) LayerTable {
	return LayerTable{keys: keysOf([]any{"name", name}), section: "provide"}
}

// Required returns a layer that its packfile wants from others.
func Required(name string) LayerTable { return LayerTable{keys: keysOf([]any{"name", name})} }

func (l LayerTable) String() string {
	text := "\n[[layers]]\n" + l.keys.String()
	parts := Tables(slices.Concat(l.scripts, l.lists)...)
	if section := "[layers." + l.section; l.section != "" && (len(l.made) > 0 || !strings.Contains(parts, section+".")) {
		text += section + "]\n" + l.made.String()
	}
	return text + parts
}

// With adds keys of the layer, by pairs of key and value. Dots in a key lead into tables.
func (l LayerTable) With(pairs ...any) LayerTable {
	l.keys = l.keys.and(pairs)
	return l
}

// Export puts the layer into the image.
func (l LayerTable) Export() LayerTable { return l.With("export", true) }

// Expose shows the layer to later modules.
func (l LayerTable) Expose() LayerTable { return l.With("expose", true) }

// Version sets the layer's static version.
func (l LayerTable) Version(version string) LayerTable { return l.With("version", version) }

// Making adds keys of the section that makes the layer.
func (l LayerTable) Making(pairs ...any) LayerTable {
	l.made = l.made.and(pairs)
	return l
}

// Inputs names the only files that the layer's steps see.
func (l LayerTable) Inputs(patterns ...string) LayerTable { return l.Making("inputs", patterns) }

// LockApp lets the run script change the app.
func (l LayerTable) LockApp() LayerTable { return l.Making("lock-app", true) }

// Require adds the script that asks for the layer, with pairs of key and value beside it; "" asks without a script.
func (l LayerTable) Require(script string, pairs ...any) LayerTable {
	return l.step("require", script, pairs)
}

// Test adds the script that settles the layer's version.
func (l LayerTable) Test(script string, pairs ...any) LayerTable {
	return l.step(l.section+".test", script, pairs)
}

// Match makes the version the digest of the files that match.
func (l LayerTable) Match(patterns ...string) LayerTable { return l.Test("", "match", patterns) }

// Run adds the script that fills the layer.
func (l LayerTable) Run(script string, pairs ...any) LayerTable {
	return l.step(l.section+".run", script, pairs)
}

// RunFile names a file in the packfile's folder that holds the script that fills the layer.
func (l LayerTable) RunFile(path string) LayerTable { return l.Run("", "path", path) }

func (l LayerTable) step(table, script string, pairs []any) LayerTable {
	if script != "" {
		pairs = slices.Concat([]any{"inline", script}, pairs)
	}
	l.scripts = append(slices.Clip(l.scripts), Text("[layers."+table+"]\n"+keysOf(pairs).String()))
	return l
}

// Link shows another layer, or a cache, to the steps.
func (l LayerTable) Link(name string, pairs ...any) LayerTable {
	return l.list("links", "name", name, pairs)
}

// Env sets a variable at a time: "build", "launch" or "both".
func (l LayerTable) Env(time, name, value string, pairs ...any) LayerTable {
	return l.list("env."+time, "name", name, slices.Concat([]any{"value", value}, pairs))
}

// Dep declares a dep, which get-dep returns.
func (l LayerTable) Dep(name, version, uri string, pairs ...any) LayerTable {
	return l.list("deps", "name", name, slices.Concat([]any{"version", version, "uri", uri}, pairs))
}

// Secret gives a secret of the build to the steps.
func (l LayerTable) Secret(id string, pairs ...any) LayerTable {
	return l.list("secrets", "id", id, pairs)
}

// Profile adds a script that shells read before they start a process.
func (l LayerTable) Profile(script string) LayerTable {
	return l.list("profile", "inline", script, nil)
}

// ProfileFile names a file in the packfile's folder that holds such a script.
func (l LayerTable) ProfileFile(path string) LayerTable { return l.list("profile", "path", path, nil) }

func (l LayerTable) list(table, key, name string, pairs []any) LayerTable {
	text := "[[layers." + l.section + "." + table + "]]\n" + keysOf(slices.Concat([]any{key, name}, pairs)).String()
	l.lists = append(slices.Clip(l.lists), Text(text))
	return l
}

// keys are lines of a table.
type keys []string

func keysOf(pairs []any) (k keys) { return k.and(pairs) }

func (k keys) and(pairs []any) keys {
	k = slices.Clip(k)
	for i := 0; i < len(pairs); i += 2 {
		k = append(k, fmt.Sprintf("%s = %s\n", pairs[i], value(pairs[i+1])))
	}
	return k
}

func (k keys) String() string { return strings.Join(k, "") }

// value returns a string, a list of strings, a number or a boolean as TOML.
func value(v any) string {
	switch v := v.(type) {
	case []string:
		all := make([]string, len(v))
		for i := range v {
			all[i] = quoted(v[i])
		}
		return "[" + strings.Join(all, ", ") + "]"
	case string:
		return quoted(v)
	}
	return fmt.Sprint(v)
}

// quoted returns a string as people write it: a script of several lines as it is. It leaves out a line break at the beginning,
// which belongs to the Go literal, whose lines stand below each other.
func quoted(s string) string {
	s = strings.TrimPrefix(s, "\n")
	if strings.Contains(s, "\n") && !strings.Contains(s, "'''") && !strings.HasSuffix(s, "'") {
		return "'''\n" + s + "'''"
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, "\\u%04X", r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
