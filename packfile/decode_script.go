package packfile

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/packfile/frontend/node"
)

// scriptKeys returns the keys of a script, which stands in a table of its own or among the keys of a require or test
// table.
func scriptKeys[T any](script func(*T) *Script) []node.Key[T] {
	return []node.Key[T]{
		node.String("shell", func(v *T) *string { return &script(v).Shell }, node.NonEmpty),
		node.String("inline", func(v *T) *string { return &script(v).Inline }, node.NotBlank),
		node.String("path", func(v *T) *string { return &script(v).Path }, scriptPath),
		node.String("network", func(v *T) *string { return &script(v).Network }, network),
	}
}

var scriptSchema = node.Define(node.Schema[Script]{
	What: "a script",
	Keys: scriptKeys(func(s *Script) *Script { return s }),
	Finish: func(d *node.Decoder, s *Script) {
		if checkScript(d, "a script", s, s.Table) == nil {
			d.Fail(s.Range(), "", "a script needs %q or %q", "inline", "path")
		}
	},
})

// setupSchema describes a setup script. It has no network key: it runs in the step of the first layer that needs the
// cache, in that step's network.
var setupSchema = node.Define(node.Schema[Script]{
	What: "a setup script",
	Keys: slices.DeleteFunc(scriptKeys(func(s *Script) *Script { return s }), func(k node.Key[Script]) bool { return k.Name == "network" }),
	Finish: func(d *node.Decoder, s *Script) {
		if checkScript(d, "a setup script", s, s.Table) == nil {
			d.Fail(s.Range(), "", "a setup script needs %q or %q", "inline", "path")
		}
	},
})

var profileSchema = node.Define(node.Schema[Script]{
	What: "a profile",
	Keys: []node.Key[Script]{
		node.String("inline", func(s *Script) *string { return &s.Inline }, node.NotBlank),
		node.String("path", func(s *Script) *string { return &s.Path }, scriptPath),
	},
	Finish: func(d *node.Decoder, s *Script) {
		if checkScript(d, "a profile", s, s.Table) == nil {
			d.Fail(s.Range(), "", "a profile needs %q or %q", "inline", "path")
		}
	},
})

// checkScript checks a script whose keys stand in t, and completes it. It returns nil when there is none; then it reports
// an error for each key that says how to run a script.
func checkScript(d *node.Decoder, what string, s *Script, t node.Table, needing ...string) *Script {
	if !t.Has("inline") && !t.Has("path") {
		for _, name := range needing {
			if t.Has(name) {
				d.Fail(t.At(name), "", "%s: %s has no script that this is for", d.Key(name), what)
			}
		}
		return nil
	}
	if s == nil {
		s = new(Script) // the key has a value of the wrong kind, which is reported already
	}
	s.Table = t
	if t.Has("inline") && t.Has("path") {
		d.Fail(t.At("path"), "keep one", "%s has inline and path", what)
	}
	if s.Path != "" {
		s.Path = path.Clean(s.Path)
	}
	return s
}

var testSchema = node.Define(node.Schema[Test]{
	What: "test",
	Keys: append(append(
		scriptKeys(func(t *Test) *Script {
			if t.Script == nil {
				t.Script = &Script{}
			}
			return t.Script
		}),
		accessKeys(func(t *Test) *Access { return &t.Access })...),
		node.Strings("match", func(t *Test) *[]string { return &t.Match }, glob),
		node.Boolean("full-env", func(t *Test) *bool { return &t.FullEnv }),
		duration("refresh", func(t *Test) *time.Duration { return &t.Refresh }, `as in "24h", "7d" or "1d12h"`),
	),
	Finish: finishTest,
})

func finishTest(d *node.Decoder, t *Test) {
	checkAccess(d, &t.Access, t.Table)
	checkExclusions(d, t.Table, "match", t.Match)
	t.Script = checkScript(d, "test", t.Script, t.Table, "shell", "network", "secrets", "ssh", "args", "full-env", "refresh")
	switch {
	case t.Script != nil && t.Has("match"):
		d.Fail(t.At("match"), "keep one", "test has a script and match")
	case t.Script == nil && !t.Has("match"):
		d.Fail(t.Range(), "", "test needs %q, %q or %q", "inline", "path", "match")
	case t.Match != nil && len(t.Match) == 0:
		d.Fail(t.At("match"), "", "match: an empty list matches no files")
	}
}

// duration returns a key that holds a duration of at least a second.
func duration[T any](name string, field func(*T) *time.Duration, hint string) node.Key[T] {
	return node.Key[T]{Name: name, Read: func(d *node.Decoder, v *T, e *node.Entry) {
		var text string
		node.String(name, func(*T) *string { return &text }, func(s string) (problem, _ string) {
			var ok bool
			if *field(v), ok = parseDuration(s); !ok {
				return "is not a duration of at least a second", hint
			}
			return "", ""
		}).Read(d, v, e)
	}}
}

var daysPattern = regexp.MustCompile(`^(\d{1,5})d(.*)$`)

// parseDuration reads a duration as time.ParseDuration does, with days as well, of at least a second.
func parseDuration(s string) (time.Duration, bool) {
	var days time.Duration
	if m := daysPattern.FindStringSubmatch(s); m != nil {
		n, _ := strconv.Atoi(m[1])
		days, s = time.Duration(n)*24*time.Hour, m[2]
		if s == "" {
			s = "0"
		}
	}
	rest, err := time.ParseDuration(s)
	total := days + rest
	return total, err == nil && rest >= 0 && total >= time.Second
}

// accessKeys returns the keys secrets, ssh and args of a section.
func accessKeys[T any, P node.Located[T]](access func(*T) *Access) []node.Key[T] {
	return []node.Key[T]{
		node.Tables("secrets", secretSchema, func(v *T) *[]Secret { return &access(v).Secrets }),
		node.Strings[T, P]("ssh", func(v *T) *[]string { return &access(v).SSH }, node.Word),
		node.Strings[T, P]("args", func(v *T) *[]string { return &access(v).Args }, argumentName),
	}
}

var secretSchema = node.Define(node.Schema[Secret]{
	What:  "a secret",
	Start: func(s *Secret) { s.Required = true },
	Keys: []node.Key[Secret]{
		node.Required(node.String("id", func(s *Secret) *string { return &s.ID }, node.FileName)),
		node.String("path-as", func(s *Secret) *string { return &s.PathAs }, ownVariable),
		node.String("env-as", func(s *Secret) *string { return &s.EnvAs }, ownVariable),
		node.Boolean("required", func(s *Secret) *bool { return &s.Required }),
	},
	Finish: func(d *node.Decoder, s *Secret) {
		if !s.Has("path-as") && !s.Has("env-as") {
			d.Fail(s.Range(), "", "a secret needs %q or %q: no script could find it", d.Key("path-as"), d.Key("env-as"))
		}
	},
})

// checkAccess reports secrets, agents, arguments and variables that a section names twice.
func checkAccess(d *node.Decoder, a *Access, t node.Table) {
	ids, variables, agents := map[string]node.Range{}, map[string]node.Range{}, map[string]node.Range{}
	for i := range a.Secrets {
		s := &a.Secrets[i]
		d.Unique(ids, "secret", s.ID, s.At("id"))
		d.Unique(variables, "variable", s.PathAs, s.At("path-as"))
		d.Unique(variables, "variable", s.EnvAs, s.At("env-as"))
	}
	for i, id := range a.SSH {
		d.Unique(agents, "ssh agent", id, t.Item("ssh", i))
	}
	uniqueArgs(d, a.Args, t)
}
