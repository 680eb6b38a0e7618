package packfile

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// scriptKeys are the keys of a script, which stands in a table of its own or among the keys of a require or test table.
func scriptKeys[T any](script func(*T) *Script) []key[T] {
	return []key[T]{
		str("shell", func(v *T) *string { return &script(v).Shell }, nonEmpty),
		str("inline", func(v *T) *string { return &script(v).Inline }, notBlank),
		str("path", func(v *T) *string { return &script(v).Path }, scriptPath),
		str("network", func(v *T) *string { return &script(v).Network }, network),
	}
}

var scriptSchema = define(schema[Script]{
	what: "a script",
	keys: scriptKeys(func(s *Script) *Script { return s }),
	finish: func(d *decoder, s *Script) {
		if checkScript(d, "a script", s, s.Table) == nil {
			d.fail(s.Range(), "", "a script needs %q or %q", "inline", "path")
		}
	},
})

// setupSchema is a script that runs inside the step of whichever layer links its cache first, in that step's network.
var setupSchema = define(schema[Script]{
	what: "a setup script",
	keys: slices.DeleteFunc(scriptKeys(func(s *Script) *Script { return s }), func(k key[Script]) bool { return k.name == "network" }),
	finish: func(d *decoder, s *Script) {
		if checkScript(d, "a setup script", s, s.Table) == nil {
			d.fail(s.Range(), "", "a setup script needs %q or %q", "inline", "path")
		}
	},
})

var profileSchema = define(schema[Script]{
	what: "a profile",
	keys: []key[Script]{
		str("inline", func(s *Script) *string { return &s.Inline }, notBlank),
		str("path", func(s *Script) *string { return &s.Path }, scriptPath),
	},
	finish: func(d *decoder, s *Script) {
		if checkScript(d, "a profile", s, s.Table) == nil {
			d.fail(s.Range(), "", "a profile needs %q or %q", "inline", "path")
		}
	},
})

// checkScript checks a script whose keys stand in t, and completes it. It returns nil when there is none; then none of the
// keys that say how to run it may be there either.
func checkScript(d *decoder, what string, s *Script, t Table, needing ...string) *Script {
	if !t.Has("inline") && !t.Has("path") {
		for _, name := range needing {
			if t.Has(name) {
				d.fail(t.At(name), "", "%s: %s has no script that this is for", d.key(name), what)
			}
		}
		return nil
	}
	if s == nil {
		s = new(Script) // the key has a value of another kind, which is an error already
	}
	s.Table = t
	if t.Has("inline") && t.Has("path") {
		d.fail(t.At("path"), "keep one", "%s has inline and path", what)
	}
	if s.Path != "" {
		s.Path = path.Clean(s.Path)
	}
	return s
}

var testSchema = define(schema[Test]{
	what: "test",
	keys: append(append(
		scriptKeys(func(t *Test) *Script {
			if t.Script == nil {
				t.Script = &Script{}
			}
			return t.Script
		}),
		accessKeys(func(t *Test) *Access { return &t.Access })...),
		list("match", func(t *Test) *[]string { return &t.Match }, glob),
		boolean("full-env", func(t *Test) *bool { return &t.FullEnv }),
		key[Test]{name: "refresh", read: readRefresh},
	),
	finish: finishTest,
})

func finishTest(d *decoder, t *Test) {
	checkAccess(d, &t.Access, t.Table)
	t.Script = checkScript(d, "test", t.Script, t.Table, "shell", "network", "secrets", "ssh", "full-env", "refresh")
	switch {
	case t.Script != nil && t.Has("match"):
		d.fail(t.At("match"), "keep one", "test has a script and match")
	case t.Script == nil && !t.Has("match"):
		d.fail(t.Range(), "", "test needs %q, %q or %q", "inline", "path", "match")
	case t.Match != nil && len(t.Match) == 0:
		d.fail(t.At("match"), "", "match: an empty list matches no files")
	}
}

// readRefresh reads a duration.
func readRefresh(d *decoder, t *Test, e *entry) {
	var text string
	str("refresh", func(*Test) *string { return &text }, func(s string) (problem, hint string) {
		var ok bool
		if t.Refresh, ok = parseDuration(s); !ok {
			return "is not a duration of at least a second", `as in "24h", "7d" or "1d12h"`
		}
		return "", ""
	}).read(d, t, e)
}

var daysPattern = regexp.MustCompile(`^(\d{1,5})d(.*)$`)

// parseDuration is time.ParseDuration for whole seconds and more, with days.
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

// accessKeys are the keys of what a section may reach.
func accessKeys[T any, P located[T]](access func(*T) *Access) []key[T] {
	return []key[T]{
		tables("secrets", secretSchema, func(v *T) *[]Secret { return &access(v).Secrets }),
		list[T, P]("ssh", func(v *T) *[]string { return &access(v).SSH }, word),
	}
}

var secretSchema = define(schema[Secret]{
	what:  "a secret",
	start: func(s *Secret) { s.Required = true },
	keys: []key[Secret]{
		must(str("id", func(s *Secret) *string { return &s.ID }, fileName)),
		str("path-as", func(s *Secret) *string { return &s.PathAs }, ownVariable),
		str("env-as", func(s *Secret) *string { return &s.EnvAs }, ownVariable),
		boolean("required", func(s *Secret) *bool { return &s.Required }),
	},
	finish: func(d *decoder, s *Secret) {
		if !s.Has("path-as") && !s.Has("env-as") {
			d.fail(s.Range(), "", "a secret needs %q or %q: no script could find it", d.key("path-as"), d.key("env-as"))
		}
	},
})

// checkAccess checks what a section may reach for things that are there twice.
func checkAccess(d *decoder, a *Access, t Table) {
	ids, variables, agents := map[string]Range{}, map[string]Range{}, map[string]Range{}
	for i := range a.Secrets {
		s := &a.Secrets[i]
		d.unique(ids, "secret", s.ID, s.At("id"))
		d.unique(variables, "variable", s.PathAs, s.At("path-as"))
		d.unique(variables, "variable", s.EnvAs, s.At("env-as"))
	}
	for i, id := range a.SSH {
		d.unique(agents, "ssh agent", id, t.Item("ssh", i))
	}
}
