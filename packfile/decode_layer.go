package packfile

import "strings"

var layerSchema = define(schema[Layer]{
	what: "a layer",
	keys: []key[Layer]{
		must(str("name", func(l *Layer) *string { return &l.Name }, layerName)),
		boolean("export", func(l *Layer) *bool { return &l.Export }),
		boolean("expose", func(l *Layer) *bool { return &l.Expose }),
		boolean("store", func(l *Layer) *bool { return &l.Store }),
		boolean("restore", func(l *Layer) *bool { return &l.Restore }),
		str("version", func(l *Layer) *string { return &l.Version }, nonEmpty),
		free("metadata", func(l *Layer) *map[string]any { return &l.Metadata }),
		optional("require", requireSchema, func(l *Layer) **Require { return &l.Require }),
		optional("provide", sectionSchema("provide"), func(l *Layer) **Provide { return &l.Provide }),
		optional("build", sectionSchema("build"), func(l *Layer) **Provide { return &l.Provide }),
	},
	finish: finishLayer,
})

func finishLayer(d *decoder, l *Layer) {
	l.Build = l.Has("build")
	if l.Build && l.Has("provide") {
		d.fail(l.At("build"), "build is provide for a layer that nothing else requires", "a layer has provide or build, not both")
	}
	version, ok := l.Metadata["version"]
	switch {
	case !ok:
	case l.Has("version"):
		d.fail(l.At("version"), "keep one", "the version is also given in metadata")
	default:
		// Both are the file "version" in $MD; the rest of the program knows one place.
		if l.Version, ok = version.(string); !ok {
			d.fail(l.At("metadata"), "", "metadata: version is a string, not a table")
		}
		delete(l.Metadata, "version")
	}
}

var requireSchema = define(schema[Require]{
	what: "require",
	keys: append(
		scriptKeys(func(r *Require) *Script {
			if r.Script == nil {
				r.Script = &Script{}
			}
			return r.Script
		}),
		accessKeys(func(r *Require) *Access { return &r.Access })...,
	),
	finish: func(d *decoder, r *Require) {
		r.Script = checkScript(d, "require", r.Script, r.Table, "shell", "network", "secrets", "ssh")
		checkAccess(d, &r.Access, r.Table)
	},
})

// sectionSchema is the schema of provide and of build, which have the same keys.
func sectionSchema(what string) *schema[Provide] {
	return define(schema[Provide]{
		what: what,
		keys: append([]key[Provide]{
			boolean("lock-app", func(p *Provide) *bool { return &p.LockApp }),
			list("inputs", func(p *Provide) *[]string { return &p.Inputs }, glob),
			optional("test", testSchema, func(p *Provide) **Test { return &p.Test }),
			{name: "run", read: readRun},
			tables("links", linkSchema, func(p *Provide) *[]Link { return &p.Links }),
			tables("deps", depSchema, func(p *Provide) *[]Dep { return &p.Deps }),
			{name: "env", read: readEnv},
			tables("profile", profileSchema, func(p *Provide) *[]Script { return &p.Profile }),
		}, accessKeys(func(p *Provide) *Access { return &p.Access })...),
		finish: finishSection,
	})
}

var runKey = optional("run", scriptSchema, func(p *Provide) **Script { return &p.Run })

// readRun reads the run script, which in the form of the first notes works in LAYER.
func readRun(d *decoder, p *Provide, e *entry) {
	if runKey.read(d, p, e); p.Run != nil {
		p.Run.InLayer = e.value.marked
	}
}

func finishSection(d *decoder, p *Provide) {
	checkAccess(d, &p.Access, p.Table)
	if p.Inputs != nil {
		switch {
		case len(p.Inputs) == 0:
			d.fail(p.At("inputs"), "", "inputs: an empty list would show the steps no files")
		case p.LockApp:
			d.fail(p.At("inputs"), "remove one of them",
				"a section with %s changes the whole app, so it has no inputs", d.key("lock-app"))
		}
	}
	variables := map[string]Range{}
	names := map[string]Range{}
	for i := range p.Links {
		l := &p.Links[i]
		d.unique(names, "a link to", l.Name, l.At("name"))
		d.unique(variables, "variable", l.PathAs, l.At("path-as"))
		d.unique(variables, "variable", l.VersionAs, l.At("version-as"))
		d.unique(variables, "variable", l.MetadataAs, l.At("metadata-as"))
	}
	deps := map[string]Range{}
	for i := range p.Deps {
		if dep := &p.Deps[i]; dep.Name != "" {
			d.unique(deps, "dep", strings.TrimSuffix(dep.Name+"@"+dep.Version, "@"), dep.At("name"))
		}
	}
}

var linkSchema = define(schema[Link]{
	what: "a link",
	keys: []key[Link]{
		must(str("name", func(l *Link) *string { return &l.Name })),
		str("path-as", func(l *Link) *string { return &l.PathAs }, ownVariable),
		str("version-as", func(l *Link) *string { return &l.VersionAs }, ownVariable),
		str("metadata-as", func(l *Link) *string { return &l.MetadataAs }, ownVariable),
		boolean("link-content", func(l *Link) *bool { return &l.LinkContent }),
		boolean("link-version", func(l *Link) *bool { return &l.LinkVersion }),
	},
})

var depSchema = define(schema[Dep]{
	what: "a dep",
	keys: []key[Dep]{
		must(str("name", func(p *Dep) *string { return &p.Name }, templated(depName))),
		str("version", func(p *Dep) *string { return &p.Version }, templated(depVersion)),
		must(str("uri", func(p *Dep) *string { return &p.URI }, templated(webAddress))),
		{name: "sha", read: str("sha", func(p *Dep) *string { return &p.SHA }, templated(sha256Hex)).read},
		free("metadata", func(p *Dep) *map[string]any { return &p.Metadata }, templated(nil)),
	},
})

// lists is the env table on its way into an Env, which has no place of its own.
type lists struct {
	Table
	Env
}

var envSchema = define(schema[lists]{
	what: "env",
	keys: []key[lists]{
		tables("build", variableSchema, func(l *lists) *[]EnvVar { return &l.Build }),
		tables("launch", variableSchema, func(l *lists) *[]EnvVar { return &l.Launch }),
		tables("both", variableSchema, func(l *lists) *[]EnvVar { return &l.Both }),
	},
})

func readEnv(d *decoder, p *Provide, e *entry) {
	var l lists
	read(d, envSchema, e.value, &l)
	p.Env = l.Env
}

var variableSchema = define(schema[EnvVar]{
	what:  "a variable",
	start: func(v *EnvVar) { v.Op = "override" },
	keys: []key[EnvVar]{
		must(str("name", func(v *EnvVar) *string { return &v.Name }, variableName)),
		must(str("value", func(v *EnvVar) *string { return &v.Value }, envTemplate)),
		str("op", func(v *EnvVar) *string { return &v.Op }, oneOf("override", "append", "prepend", "default")),
		str("delim", func(v *EnvVar) *string { return &v.Delim }),
	},
})
