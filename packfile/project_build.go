package packfile

import (
	"slices"
	"strings"
)

// projectBuild is how a project descriptor says that the project is built: [io.buildpacks], or [build] in version 0.1.
type projectBuild struct {
	Table
	Include, Exclude []string
	Pre, Post        projectGroup
	Group            []Buildpack
	Build            projectEnv // [[io.buildpacks.build.env]]
	Env              projectEnv // [[io.buildpacks.env.build]], as one section of the specification calls it

	unused string
}

// projectGroup is [io.buildpacks.pre] or [io.buildpacks.post].
type projectGroup struct {
	Table
	Group []Buildpack
}

// projectEnv is the one table of variables that there is.
type projectEnv struct {
	Table
	Variables []Variable
}

// modules are all modules of the project, in the order in which they run.
func (b *projectBuild) modules() []Buildpack {
	return slices.Concat(b.Pre.Group, b.Group, b.Post.Group)
}

// variables are the variables of the project.
func (b *projectBuild) variables() []Variable {
	return slices.Concat(b.Build.Variables, b.Env.Variables)
}

// projectBuildKeys are the keys that both versions have.
func projectBuildKeys() []key[projectBuild] {
	return []key[projectBuild]{
		{name: "builder", read: readBuilder},
		projectPatterns("include", func(b *projectBuild) *[]string { return &b.Include }),
		projectPatterns("exclude", func(b *projectBuild) *[]string { return &b.Exclude }),
	}
}

var projectBuildSchema = define(schema[projectBuild]{
	what: "[io.buildpacks]",
	keys: append(projectBuildKeys(),
		str("schema-version", func(b *projectBuild) *string { return &b.unused }, projectVersion),
		tables("group", projectModuleSchema, func(b *projectBuild) *[]Buildpack { return &b.Group }),
		sub("pre", projectGroupSchema("[io.buildpacks.pre]"), func(b *projectBuild) *projectGroup { return &b.Pre }),
		sub("post", projectGroupSchema("[io.buildpacks.post]"), func(b *projectBuild) *projectGroup { return &b.Post }),
		sub("build", projectEnvSchema("[io.buildpacks.build]", "env"), func(b *projectBuild) *projectEnv { return &b.Build }),
		sub("env", projectEnvSchema("[io.buildpacks.env]", "build"), func(b *projectBuild) *projectEnv { return &b.Env }),
	),
	finish: finishProjectBuild,
})

var oldProjectBuildSchema = define(schema[projectBuild]{
	what: "[build]",
	keys: append(projectBuildKeys(),
		tables("buildpacks", projectModuleSchema, func(b *projectBuild) *[]Buildpack { return &b.Group }),
		tables("env", projectVariableSchema, func(b *projectBuild) *[]Variable { return &b.Build.Variables }),
	),
	finish: finishProjectBuild,
})

func finishProjectBuild(d *decoder, b *projectBuild) {
	if b.Has("include") && b.Has("exclude") {
		d.fail(b.At("exclude"), "keep one", "a project has include or exclude, not both")
	}
	if b.Build.Has("env") && b.Env.Has("build") {
		d.fail(b.Env.At("build"), "keep build.env", "env.build is another name of build.env, which is also there")
	}
}

// projectGroupSchema is a table that has modules of the group.
func projectGroupSchema(what string) *schema[projectGroup] {
	return define(schema[projectGroup]{
		what: what,
		keys: []key[projectGroup]{
			tables("group", projectModuleSchema, func(g *projectGroup) *[]Buildpack { return &g.Group }),
		},
	})
}

// projectModuleSchema is that of a module. The key sha is ours: the specification has archives of unknown content.
var projectModuleSchema = define(schema[Buildpack]{
	what: "a buildpack",
	keys: append(buildpackKeys(), key[Buildpack]{name: "script", read: func(d *decoder, _ *Buildpack, e *entry) {
		d.fail(e.keyAt, "make it a layer of a module", "script: a module in the descriptor itself is not supported")
	}}),
	finish: func(d *decoder, b *Buildpack) {
		finishBuildpack(d, b)
		if b.Has("uri") && b.Has("version") {
			d.fail(b.At("version"), "the module itself says it", "a buildpack with uri has no version in a project descriptor")
		}
	},
})

var projectVariableSchema = define(schema[Variable]{
	what: "a variable",
	keys: []key[Variable]{
		must(str("name", func(v *Variable) *string { return &v.Name }, projectVariable)),
		must(str("value", func(v *Variable) *string { return &v.Value })),
	},
})

// projectVariable checks the name of a variable of the platform environment.
func projectVariable(s string) (problem, hint string) {
	if strings.HasPrefix(s, "CNB_") {
		return "is set by the build", "reserved: names that begin with CNB_"
	}
	return variableName(s)
}

// projectEnvSchema is a table that has a table of variables.
func projectEnvSchema(what, name string) *schema[projectEnv] {
	return define(schema[projectEnv]{
		what: what,
		keys: []key[projectEnv]{
			tables(name, projectVariableSchema, func(e *projectEnv) *[]Variable { return &e.Variables }),
		},
	})
}

// readBuilder reads the name of a builder, which is for pack.
func readBuilder(d *decoder, b *projectBuild, e *entry) {
	var name string
	if str("builder", func(*projectBuild) *string { return &name }).read(d, b, e); name == "" {
		return
	}
	d.warn(UnusedBuilder, e.value.at,
		"name build-image and run-image in [io.packfile.config], or with --build-context build-image=docker-image://NAME",
		"builder %s is not used", quote(name))
}

// projectPatterns is a key that holds patterns of .gitignore files.
func projectPatterns(name string, field func(*projectBuild) *[]string) key[projectBuild] {
	return key[projectBuild]{name: name, read: func(d *decoder, b *projectBuild, e *entry) {
		var patterns []string
		list(name, field, func(s string) (problem, hint string) {
			pattern, problem, hint := fromGitignore(s)
			if pattern != "" {
				patterns = append(patterns, pattern)
			}
			return problem, hint
		}).read(d, b, e)
		*field(b) = patterns
	}}
}
