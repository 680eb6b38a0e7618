package packfile

import (
	"strings"
	"unicode"
)

var packfileSchema = define(schema[Packfile]{
	what: "a packfile",
	keys: []key[Packfile]{
		str("api", func(p *Packfile) *string { return &p.API }, apiVersion),
		sub("config", configSchema, func(p *Packfile) *Config { return &p.Config }),
		tables("processes", processSchema, func(p *Packfile) *[]Process { return &p.Processes }),
		tables("caches", cacheSchema, func(p *Packfile) *[]Cache { return &p.Caches }),
		tables("layers", layerSchema, func(p *Packfile) *[]Layer { return &p.Layers }),
		tables("slices", sliceSchema, func(p *Packfile) *[]Slice { return &p.Slices }),
		tables("stacks", stackSchema, func(p *Packfile) *[]Stack { return &p.Stacks }),
		tables("buildpacks", buildpackSchema, func(p *Packfile) *[]Buildpack { return &p.Buildpacks }),
		tables("order", orderSchema, func(p *Packfile) *[]Order { return &p.Order }),
	},
	finish: func(d *decoder, p *Packfile) {
		if !p.Has("api") {
			p.API = defaultAPI
		}
		checkProcesses(d, p)
		checkBuildpacks(d, p.Buildpacks)
	},
})

var configSchema = define(schema[Config]{
	what: "config",
	keys: []key[Config]{
		str("id", func(c *Config) *string { return &c.ID }, moduleID),
		str("version", func(c *Config) *string { return &c.Version }, moduleVersion),
		str("name", func(c *Config) *string { return &c.Name }, nonEmpty),
		str("description", func(c *Config) *string { return &c.Description }, notBlank),
		str("homepage", func(c *Config) *string { return &c.Homepage }, webAddress),
		list("licenses", func(c *Config) *[]string { return &c.Licenses }, license),
		{name: "labels", read: readLabels},
		str("shell", func(c *Config) *string { return &c.Shell }, nonEmpty),
		str("build-image", func(c *Config) *string { return &c.BuildImage }, word),
		str("run-image", func(c *Config) *string { return &c.RunImage }, word),
		str("launcher", func(c *Config) *string { return &c.Launcher }, word),
		str("user", func(c *Config) *string { return &c.User }, user),
		str("network", func(c *Config) *string { return &c.Network }, network),
	},
})

// network is the check of every network key.
var network = oneOf("default", "none")

var processSchema = define(schema[Process]{
	what: "a process",
	keys: []key[Process]{
		must(str("type", func(p *Process) *string { return &p.Type }, processType)),
		must(key[Process]{name: "command", read: readCommand}),
		list("args", func(p *Process) *[]string { return &p.Args }),
		boolean("direct", func(p *Process) *bool { return &p.Direct }),
		boolean("default", func(p *Process) *bool { return &p.Default }),
		str("working-dir", func(p *Process) *string { return &p.WorkDir }, appDir),
	},
})

// readCommand reads a command that is a string, or an array of strings.
func readCommand(d *decoder, p *Process, e *entry) {
	switch n := d.asText(e.value); n.kind {
	case stringKind:
		d.checked(e, n, nil)
		p.Command = []string{n.text}
	case arrayKind:
		p.Command = d.strings(&p.Table, "command", e, nil)
	default:
		hint := ""
		if n.text != "" {
			hint = d.example(e.key, quote(n.text))
		}
		d.wrong(e, n, "a string or an array of strings", hint)
		return
	}
	if len(p.Command) == 0 || strings.TrimSpace(p.Command[0]) == "" {
		d.fail(e.value.at, "", "%s names no program", e.key)
		p.Command = nil
	}
}

// checkProcesses settles what depends on the API version or on other processes: see CNB Buildpack API 0.9, which has only
// direct processes. A packfile that names no version may have been published before that, when no process was direct by
// itself: there a command that only a shell understands is a line for one.
func checkProcesses(d *decoder, p *Packfile) {
	minor, known := minorAPI(p.API)
	types := map[string]Range{}
	var byDefault *Process
	for i := range p.Processes {
		process := &p.Processes[i]
		if !process.Has("direct") {
			process.Direct = minor >= 9 && (p.Has("api") || !process.needsShell())
		}
		d.unique(types, "process", process.Type, process.At("type"))
		if process.Default {
			if byDefault != nil {
				d.fail(process.At("default"), "", "process %s is the default already, since line %d",
					quote(byDefault.Type), byDefault.At("default").Start.Line)
			} else {
				byDefault = process
			}
		}
		if known || process.Has("direct") { // else it is not settled which kind it is
			checkCommand(d, process)
		}
	}
}

// needsShell says whether the command is a string that names no program, but is a line for a shell.
func (p *Process) needsShell() bool {
	return len(p.Command) == 1 && !p.isList("command") && strings.ContainsFunc(p.Command[0], func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune("$`;&|<>()\"'\\", r)
	})
}

// checkCommand checks that a process has the form of command that its kind can run.
func checkCommand(d *decoder, p *Process) {
	if len(p.Command) == 0 {
		return
	}
	asArray := p.isList("command")
	at := p.At("command")
	switch {
	case p.Direct && !asArray && strings.ContainsFunc(p.Command[0], unicode.IsSpace):
		words := strings.Fields(p.Command[0])
		for i := range words {
			words[i] = quote(words[i])
		}
		if len(words) > 8 {
			words = append(words[:8], "…")
		}
		array := "[" + strings.Join(words, ", ") + "]"
		d.fail(at, either(d, "command", array, "direct", "false")+" to run it through a shell",
			"command: a direct process runs one program, and %s holds white space", quote(p.Command[0]))
	case !p.Direct && asArray && len(p.Command) > 1:
		d.fail(at, either(d, "command", quote(strings.Join(p.Command, " ")), "direct", "true"),
			"command: a process that is not direct runs one line in a shell")
	}
}

// either is a hint that names two ways out.
func either(d *decoder, key, value, otherKey, otherValue string) string {
	return d.example(key, value) + ", or " + strings.TrimPrefix(d.example(otherKey, otherValue), "write ")
}

var cacheSchema = define(schema[Cache]{
	what: "a cache",
	keys: []key[Cache]{
		must(str("name", func(c *Cache) *string { return &c.Name }, layerName)),
		boolean("shared", func(c *Cache) *bool { return &c.Shared }),
		optional("setup", setupSchema, func(c *Cache) **Script { return &c.Setup }),
	},
})

var sliceSchema = define(schema[Slice]{
	what: "a slice",
	keys: []key[Slice]{
		must(list("paths", func(s *Slice) *[]string { return &s.Paths }, glob)),
	},
	finish: func(d *decoder, s *Slice) {
		if s.Paths != nil && len(s.Paths) == 0 {
			d.fail(s.At("paths"), "", "paths: a slice holds at least one path")
		}
	},
})

var stackSchema = define(schema[Stack]{
	what: "a stack",
	keys: []key[Stack]{
		must(str("id", func(s *Stack) *string { return &s.ID }, word)),
		list("mixins", func(s *Stack) *[]string { return &s.Mixins }, word),
	},
})
