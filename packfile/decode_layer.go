package packfile

import (
	"strings"

	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/node"
)

var layerSchema = node.Define(node.Schema[Layer]{
	What: "a layer",
	Keys: []node.Key[Layer]{
		node.Required(node.String("name", func(l *Layer) *string { return &l.Name }, layerName)),
		node.Boolean("export", func(l *Layer) *bool { return &l.Export }),
		node.Boolean("expose", func(l *Layer) *bool { return &l.Expose }),
		node.Boolean("store", func(l *Layer) *bool { return &l.Store }),
		node.Boolean("restore", func(l *Layer) *bool { return &l.Restore }),
		node.String("version", func(l *Layer) *string { return &l.Version }, node.NonEmpty),
		free("metadata", func(l *Layer) *metadata.Table { return &l.Metadata }),
		node.Optional("require", requireSchema, func(l *Layer) **Require { return &l.Require }),
		node.Optional("provide", sectionSchema("provide"), func(l *Layer) **Provide { return &l.Provide }),
		node.Optional("build", sectionSchema("build"), func(l *Layer) **Provide { return &l.Provide }),
	},
	Finish: finishLayer,
})

func finishLayer(d *node.Decoder, l *Layer) {
	l.Build = l.Has("build")
	if l.Build && l.Has("provide") {
		d.Fail(l.At("build"), "build is provide for a layer that nothing else requires", "a layer has provide or build, not both")
	}
	version, ok := l.Metadata[metadata.Version]
	switch {
	case !ok:
	case l.Has("version"):
		d.Fail(l.At("version"), "keep one", "the version is also given in metadata")
	default:
		// Both are the file "version" in $MD; the rest of the program knows one place.
		if l.Version, ok = version.(string); !ok {
			d.Fail(l.At("metadata"), "", "metadata: version is a string, not a table")
		}
		delete(l.Metadata, metadata.Version)
	}
}

var requireSchema = node.Define(node.Schema[Require]{
	What: "require",
	Keys: append(
		scriptKeys(func(r *Require) *Script {
			if r.Script == nil {
				r.Script = &Script{}
			}
			return r.Script
		}),
		accessKeys(func(r *Require) *Access { return &r.Access })...,
	),
	Finish: func(d *node.Decoder, r *Require) {
		r.Script = checkScript(d, "require", r.Script, r.Table, "shell", "network", "secrets", "ssh", "args")
		checkAccess(d, &r.Access, r.Table)
	},
})

// sectionSchema returns the schema of provide and of build, which have the same keys.
func sectionSchema(what string) *node.Schema[Provide] {
	return node.Define(node.Schema[Provide]{
		What: what,
		Keys: append([]node.Key[Provide]{
			node.Boolean("lock-app", func(p *Provide) *bool { return &p.LockApp }),
			{Name: "app-symlinks", Read: readSymlinks},
			node.Strings("inputs", func(p *Provide) *[]string { return &p.Inputs }, glob),
			node.Optional("test", testSchema, func(p *Provide) **Test { return &p.Test }),
			{Name: "run", Read: readRun},
			node.Tables("links", linkSchema, func(p *Provide) *[]Link { return &p.Links }),
			node.Tables("deps", depSchema, func(p *Provide) *[]Dep { return &p.Deps }),
			{Name: "env", Read: readEnv},
			node.Tables("profile", profileSchema, func(p *Provide) *[]Script { return &p.Profile }),
		}, accessKeys(func(p *Provide) *Access { return &p.Access })...),
		Finish: finishSection,
	})
}

var runKey = node.Optional("run", scriptSchema, func(p *Provide) **Script { return &p.Run })

// readRun reads the run script. A script in the form of the first notes works in LAYER.
func readRun(d *node.Decoder, p *Provide, e *node.Entry) {
	if runKey.Read(d, p, e); p.Run != nil {
		p.Run.InLayer = e.Value.Marked
	}
}

func finishSection(d *node.Decoder, p *Provide) {
	checkAccess(d, &p.Access, p.Table)
	checkExclusions(d, p.Table, "inputs", p.Inputs)
	if p.Inputs != nil {
		switch {
		case len(p.Inputs) == 0:
			d.Fail(p.At("inputs"), "", "inputs: an empty list would show the steps no files")
		case p.LockApp:
			d.Fail(p.At("inputs"), "remove one of them",
				"a section with %s changes the whole app, so it has no inputs", d.Key("lock-app"))
		}
	}
	variables := map[string]node.Range{}
	names := map[string]node.Range{}
	for i := range p.Links {
		l := &p.Links[i]
		d.Unique(names, "a link to", l.Name, l.At("name"))
		d.Unique(variables, "variable", l.PathAs, l.At("path-as"))
		d.Unique(variables, "variable", l.VersionAs, l.At("version-as"))
		d.Unique(variables, "variable", l.MetadataAs, l.At("metadata-as"))
	}
	deps := map[string]node.Range{}
	for i := range p.Deps {
		if dep := &p.Deps[i]; dep.Name != "" {
			d.Unique(deps, "dep", strings.TrimSuffix(dep.Name+"@"+dep.Version, "@"), dep.At("name"))
		}
	}
}

var linkSchema = node.Define(node.Schema[Link]{
	What: "a link",
	Keys: []node.Key[Link]{
		node.Required(node.String("name", func(l *Link) *string { return &l.Name })),
		node.String("path-as", func(l *Link) *string { return &l.PathAs }, ownVariable),
		node.String("version-as", func(l *Link) *string { return &l.VersionAs }, ownVariable),
		node.String("metadata-as", func(l *Link) *string { return &l.MetadataAs }, ownVariable),
		node.Boolean("link-content", func(l *Link) *bool { return &l.LinkContent }),
		node.Boolean("link-version", func(l *Link) *bool { return &l.LinkVersion }),
	},
})

// lists holds the env table while it is read into an Env, which has no place of its own.
type lists struct {
	node.Table
	Env
}

var envSchema = node.Define(node.Schema[lists]{
	What: "env",
	Keys: []node.Key[lists]{
		node.Tables("build", variableSchema, func(l *lists) *[]EnvVar { return &l.Build }),
		node.Tables("launch", variableSchema, func(l *lists) *[]EnvVar { return &l.Launch }),
		node.Tables("both", variableSchema, func(l *lists) *[]EnvVar { return &l.Both }),
	},
})

func readEnv(d *node.Decoder, p *Provide, e *node.Entry) {
	var l lists
	node.Read(d, envSchema, e.Value, &l)
	p.Env = l.Env
}

var variableSchema = node.Define(node.Schema[EnvVar]{
	What:  "a variable",
	Start: func(v *EnvVar) { v.Op = "override" },
	Keys:  variableKeys(func(v *EnvVar) *EnvVar { return v }, envTemplate),
})

// variableKeys returns the keys of a variable.
func variableKeys[T any](of func(*T) *EnvVar, value node.Check) []node.Key[T] {
	return []node.Key[T]{
		node.Required(node.String("name", func(v *T) *string { return &of(v).Name }, node.VariableName)),
		node.Required(node.String("value", func(v *T) *string { return &of(v).Value }, value)),
		node.String("op", func(v *T) *string { return &of(v).Op }, node.OneOf("override", "append", "prepend", "default")),
		node.String("delim", func(v *T) *string { return &of(v).Delim }),
	}
}
