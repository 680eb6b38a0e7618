package packfile

import (
	"slices"
	"strings"

	"github.com/packfile/frontend/node"
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
func projectBuildKeys() []node.Key[projectBuild] {
	return []node.Key[projectBuild]{
		{Name: "builder", Read: readBuilder},
		projectPatterns("include", func(b *projectBuild) *[]string { return &b.Include }),
		projectPatterns("exclude", func(b *projectBuild) *[]string { return &b.Exclude }),
	}
}

var projectBuildSchema = node.Define(node.Schema[projectBuild]{
	What: "[io.buildpacks]",
	Keys: append(projectBuildKeys(),
		node.String("schema-version", func(b *projectBuild) *string { return &b.unused }, projectVersion),
		node.Tables("group", projectModuleSchema, func(b *projectBuild) *[]Buildpack { return &b.Group }),
		node.Sub("pre", projectGroupSchema("[io.buildpacks.pre]"), func(b *projectBuild) *projectGroup { return &b.Pre }),
		node.Sub("post", projectGroupSchema("[io.buildpacks.post]"), func(b *projectBuild) *projectGroup { return &b.Post }),
		node.Sub("build", projectEnvSchema("[io.buildpacks.build]", "env"), func(b *projectBuild) *projectEnv { return &b.Build }),
		node.Sub("env", projectEnvSchema("[io.buildpacks.env]", "build"), func(b *projectBuild) *projectEnv { return &b.Env }),
	),
	Finish: finishProjectBuild,
})

var oldProjectBuildSchema = node.Define(node.Schema[projectBuild]{
	What: "[build]",
	Keys: append(projectBuildKeys(),
		node.Tables("buildpacks", projectModuleSchema, func(b *projectBuild) *[]Buildpack { return &b.Group }),
		node.Tables("env", projectVariableSchema, func(b *projectBuild) *[]Variable { return &b.Build.Variables }),
	),
	Finish: finishProjectBuild,
})

func finishProjectBuild(d *node.Decoder, b *projectBuild) {
	if b.Has("include") && b.Has("exclude") {
		d.Fail(b.At("exclude"), "keep one", "a project has include or exclude, not both")
	}
	if b.Build.Has("env") && b.Env.Has("build") {
		d.Fail(b.Env.At("build"), "keep build.env", "env.build is another name of build.env, which is also there")
	}
}

// projectGroupSchema is a table that has modules of the group.
func projectGroupSchema(what string) *node.Schema[projectGroup] {
	return node.Define(node.Schema[projectGroup]{
		What: what,
		Keys: []node.Key[projectGroup]{
			node.Tables("group", projectModuleSchema, func(g *projectGroup) *[]Buildpack { return &g.Group }),
		},
	})
}

// projectModuleSchema is that of a module. The key sha is ours: the specification has archives of unknown content.
var projectModuleSchema = node.Define(node.Schema[Buildpack]{
	What: "a buildpack",
	Keys: append(buildpackKeys(), node.Key[Buildpack]{Name: "script", Read: func(d *node.Decoder, _ *Buildpack, e *node.Entry) {
		d.Fail(e.KeyAt, "make it a layer of a module", "script: a module in the descriptor itself is not supported")
	}}),
	Finish: func(d *node.Decoder, b *Buildpack) {
		finishBuildpack(d, b)
		if b.Has("uri") && b.Has("version") {
			d.Fail(b.At("version"), "the module itself says it", "a buildpack with uri has no version in a project descriptor")
		}
	},
})

var projectVariableSchema = node.Define(node.Schema[Variable]{
	What: "a variable",
	Keys: []node.Key[Variable]{
		node.Required(node.String("name", func(v *Variable) *string { return &v.Name }, projectVariable)),
		node.Required(node.String("value", func(v *Variable) *string { return &v.Value })),
	},
})

// projectVariable checks the name of a variable of the platform environment.
func projectVariable(s string) (problem, hint string) {
	if strings.HasPrefix(s, "CNB_") {
		return "is set by the build", "reserved: names that begin with CNB_"
	}
	return node.VariableName(s)
}

// projectEnvSchema is a table that has a table of variables.
func projectEnvSchema(what, name string) *node.Schema[projectEnv] {
	return node.Define(node.Schema[projectEnv]{
		What: what,
		Keys: []node.Key[projectEnv]{
			node.Tables(name, projectVariableSchema, func(e *projectEnv) *[]Variable { return &e.Variables }),
		},
	})
}

// readBuilder reads the name of a builder, which is for pack.
func readBuilder(d *node.Decoder, b *projectBuild, e *node.Entry) {
	var name string
	if node.String("builder", func(*projectBuild) *string { return &name }).Read(d, b, e); name == "" {
		return
	}
	d.Warn(UnusedBuilder, e.Value.At,
		"name build-image and run-image in [io.packfile.config], or with --build-context build-image=docker-image://NAME",
		"builder %s is not used", node.Quote(name))
}

// projectPatterns is a key that holds patterns of .gitignore files.
func projectPatterns(name string, field func(*projectBuild) *[]string) node.Key[projectBuild] {
	return node.Key[projectBuild]{Name: name, Read: func(d *node.Decoder, b *projectBuild, e *node.Entry) {
		var patterns []string
		node.Strings(name, field, func(s string) (problem, hint string) {
			pattern, problem, hint := fromGitignore(s)
			if pattern != "" {
				patterns = append(patterns, pattern)
			}
			return problem, hint
		}).Read(d, b, e)
		*field(b) = patterns
	}}
}
