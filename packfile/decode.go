package packfile

import (
	"strings"
	"unicode"

	"github.com/packfile/frontend/cnb/api"
	"github.com/packfile/frontend/cnb/buildpack"
	"github.com/packfile/frontend/node"
)

var packfileSchema = node.Define(node.Schema[Packfile]{
	What: "a packfile",
	Keys: []node.Key[Packfile]{
		node.String("api", func(p *Packfile) *string { return &p.API }, apiVersion),
		node.Sub("config", ConfigSchema, func(p *Packfile) *Config { return &p.Config }),
		node.Tables("processes", processSchema, func(p *Packfile) *[]Process { return &p.Processes }),
		node.Tables("caches", cacheSchema, func(p *Packfile) *[]Cache { return &p.Caches }),
		node.Tables("layers", layerSchema, func(p *Packfile) *[]Layer { return &p.Layers }),
		node.Tables("slices", sliceSchema, func(p *Packfile) *[]Slice { return &p.Slices }),
		node.Tables("stacks", stackSchema, func(p *Packfile) *[]Stack { return &p.Stacks }),
		node.Tables("buildpacks", buildpackSchema, func(p *Packfile) *[]Buildpack { return &p.Buildpacks }),
		node.Tables("order", orderSchema, func(p *Packfile) *[]buildpack.Order { return &p.Order }),
		node.Tables("tests", imageTestSchema, func(p *Packfile) *[]ImageTest { return &p.Tests }),
	},
	Finish: func(d *node.Decoder, p *Packfile) {
		if !p.Has("api") {
			p.API = DefaultAPI
		}
		checkProcesses(d, p)
		checkTests(d, p)
		CheckBuildpacks(d, p.Buildpacks)
	},
})

var ConfigSchema = node.Define(node.Schema[Config]{
	What: "config",
	Keys: []node.Key[Config]{
		node.String("id", func(c *Config) *string { return &c.ID }, buildpack.CheckID),
		node.String("version", func(c *Config) *string { return &c.Version }, buildpack.CheckVersion),
		node.String("name", func(c *Config) *string { return &c.Name }, node.NonEmpty),
		node.String("description", func(c *Config) *string { return &c.Description }, node.NotBlank),
		node.String("homepage", func(c *Config) *string { return &c.Homepage }, node.WebAddress),
		node.Strings("licenses", func(c *Config) *[]string { return &c.Licenses }, License),
		{Name: "labels", Read: readLabels},
		node.String("shell", func(c *Config) *string { return &c.Shell }, node.NonEmpty),
		node.String("build-image", func(c *Config) *string { return &c.BuildImage }, node.Word),
		node.String("run-image", func(c *Config) *string { return &c.RunImage }, node.Word),
		node.String("launcher", func(c *Config) *string { return &c.Launcher }, node.Word),
		node.String("user", func(c *Config) *string { return &c.User }, user),
		node.String("network", func(c *Config) *string { return &c.Network }, network),
		{Name: "image", Read: readImageConfig},
		{Name: "env", Read: readLaunchEnv},
		node.Strings("app", func(c *Config) *[]string { return &c.App }, glob),
		node.Strings("args", func(c *Config) *[]string { return &c.Args }, argumentName),
		node.Strings("build-packages", func(c *Config) *[]string { return &c.BuildPackages }, packageName),
		node.Strings("run-packages", func(c *Config) *[]string { return &c.RunPackages }, packageName),
		node.Optional("apt", aptSchema, func(c *Config) **Apt { return &c.Apt }),
	},
	Finish: func(d *node.Decoder, c *Config) {
		if c.App != nil && len(c.App) == 0 {
			d.Fail(c.At("app"), "", "app: an empty list would leave nothing of the app in the image")
		}
		uniqueArgs(d, c.Args, c.Table)
		checkPackages(d, c)
	},
})

// uniqueArgs reports arguments that a list names twice.
func uniqueArgs(d *node.Decoder, args []string, t node.Table) {
	seen := map[string]node.Range{}
	for i, name := range args {
		d.Unique(seen, "build argument", name, t.Item("args", i))
	}
}

// network is the check of every network key.
var network = node.OneOf("default", "none")

var processSchema = node.Define(node.Schema[Process]{
	What: "a process",
	Keys: []node.Key[Process]{
		node.Required(node.String("type", func(p *Process) *string { return &p.Type }, processType)),
		node.Required(node.Key[Process]{Name: "command", Read: func(d *node.Decoder, p *Process, e *node.Entry) {
			p.Command = readCommand(d, &p.Table, e)
		}}),
		node.Strings("args", func(p *Process) *[]string { return &p.Args }),
		node.Boolean("direct", func(p *Process) *bool { return &p.Direct }),
		node.Boolean("default", func(p *Process) *bool { return &p.Default }),
		node.String("working-dir", func(p *Process) *string { return &p.WorkDir }, appDir),
	},
})

// readCommand returns a command that is a string, or an array of strings; nil when it names no program.
func readCommand(d *node.Decoder, t *node.Table, e *node.Entry) (command []string) {
	switch n := d.AsText(e.Value); n.Kind {
	case node.StringKind:
		d.Checked(e, n, nil)
		command = []string{n.Text}
	case node.ArrayKind:
		command = d.Strings(t, "command", e, nil)
	default:
		hint := ""
		if n.Text != "" {
			hint = d.Example(e.Key, node.Quote(n.Text))
		}
		d.Wrong(e, n, "a string or an array of strings", hint)
		return nil
	}
	if len(command) == 0 || strings.TrimSpace(command[0]) == "" {
		d.Fail(e.Value.At, "", "%s names no program", e.Key)
		return nil
	}
	return command
}

// checkProcesses settles which processes are direct, and checks what depends on other processes.
func checkProcesses(d *node.Decoder, p *Packfile) {
	types := map[string]node.Range{}
	var byDefault *Process
	for i := range p.Processes {
		process := &p.Processes[i]
		d.Unique(types, "process", process.Type, process.At("type"))
		if process.Default {
			if byDefault != nil {
				d.Fail(process.At("default"), "", "process %s is the default already, since line %d",
					node.Quote(byDefault.Type), byDefault.At("default").Start.Line)
			} else {
				byDefault = process
			}
		}
		settleDirect(d, p, process)
	}
}

// settleDirect settles whether a process is direct, and checks that its command has the form for it. CNB Buildpack API 0.9 has only
// direct processes. A packfile without an API version may be older, from when no process was direct by default: there a command
// that only a shell understands is a line for a shell.
func settleDirect(d *node.Decoder, p *Packfile, process *Process) {
	v, err := api.Parse(p.API)
	if !process.Has("direct") {
		process.Direct = v.AtLeast(api.DirectOnly) && (p.Has("api") || !process.needsShell())
	}
	if err == nil && v.Major == 0 || process.Has("direct") { // else it is not settled which kind it is
		checkCommand(d, process)
	}
}

// needsShell reports whether the command is a string that names no program, but is a line for a shell.
func (p *Process) needsShell() bool {
	return len(p.Command) == 1 && !p.IsList("command") && strings.ContainsFunc(p.Command[0], func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune("$`;&|<>()\"'\\", r)
	})
}

// checkCommand checks that a process has the form of command that its kind can run.
func checkCommand(d *node.Decoder, p *Process) {
	if len(p.Command) == 0 {
		return
	}
	asArray := p.IsList("command")
	at := p.At("command")
	switch {
	case p.Direct && !asArray && strings.ContainsFunc(p.Command[0], unicode.IsSpace):
		d.Fail(at, either(d, "command", quotedList(strings.Fields(p.Command[0])), "direct", "false")+" to run it through a shell",
			"command: a direct process runs one program, and %s holds white space", node.Quote(p.Command[0]))
	case !p.Direct && asArray && len(p.Command) > 1:
		d.Fail(at, either(d, "command", node.Quote(strings.Join(p.Command, " ")), "direct", "true"),
			"command: a process that is not direct runs one line in a shell")
	}
}

// quotedList returns words as a list that a hint shows. It leaves out the end of a long one.
func quotedList(words []string) string {
	var quoted []string
	for i, w := range words {
		if i == 8 {
			quoted = append(quoted, "…")
			break
		}
		quoted = append(quoted, node.Quote(w))
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// either returns a hint with two ways to fix an error.
func either(d *node.Decoder, key, value, otherKey, otherValue string) string {
	return d.Example(key, value) + ", or " + strings.TrimPrefix(d.Example(otherKey, otherValue), "write ")
}

var cacheSchema = node.Define(node.Schema[Cache]{
	What: "a cache",
	Keys: []node.Key[Cache]{
		node.Required(node.String("name", func(c *Cache) *string { return &c.Name }, layerName)),
		node.Boolean("shared", func(c *Cache) *bool { return &c.Shared }),
		node.Optional("setup", setupSchema, func(c *Cache) **Script { return &c.Setup }),
	},
})

var sliceSchema = node.Define(node.Schema[Slice]{
	What: "a slice",
	Keys: []node.Key[Slice]{
		node.Required(node.Strings("paths", func(s *Slice) *[]string { return &s.Paths }, glob)),
	},
	Finish: func(d *node.Decoder, s *Slice) {
		if s.Paths != nil && len(s.Paths) == 0 {
			d.Fail(s.At("paths"), "", "paths: a slice holds at least one path")
		}
		checkExclusions(d, s.Table, "paths", s.Paths)
	},
})

var stackSchema = node.Define(node.Schema[Stack]{
	What: "a stack",
	Keys: []node.Key[Stack]{
		node.Required(node.String("id", func(s *Stack) *string { return &s.ID }, node.Word)),
		node.Strings("mixins", func(s *Stack) *[]string { return &s.Mixins }, node.Word),
	},
})
