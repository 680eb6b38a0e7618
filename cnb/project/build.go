package project

import (
	"slices"
	"strings"

	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/packfile"
)

// build is the table that says how to build the project: [io.buildpacks], or [build] in version 0.1.
type build struct {
	node.Table
	Include, Exclude []string
	Pre, Post        group
	Group            []packfile.Buildpack
	Build            environment // [[io.buildpacks.build.env]]
	Env              environment // [[io.buildpacks.env.build]], as one section of the specification calls it

	unused string
}

// group is [io.buildpacks.pre] or [io.buildpacks.post].
type group struct {
	node.Table
	Group []packfile.Buildpack
}

// environment is the table of variables.
type environment struct {
	node.Table
	Variables []packfile.Variable
}

// modules returns all modules of the project, in the order in which they run.
func (b *build) modules() []packfile.Buildpack {
	return slices.Concat(b.Pre.Group, b.Group, b.Post.Group)
}

// variables returns the variables of the project.
func (b *build) variables() []packfile.Variable {
	return slices.Concat(b.Build.Variables, b.Env.Variables)
}

// buildKeys returns the keys that both versions have.
func buildKeys() []node.Key[build] {
	return []node.Key[build]{
		{Name: "builder", Read: readBuilder},
		patterns("include", func(b *build) *[]string { return &b.Include }),
		patterns("exclude", func(b *build) *[]string { return &b.Exclude }),
	}
}

var buildSchema = node.Define(node.Schema[build]{
	What: "[io.buildpacks]",
	Keys: append(buildKeys(),
		node.String("schema-version", func(b *build) *string { return &b.unused }, checkVersion),
		node.Tables("group", moduleSchema, func(b *build) *[]packfile.Buildpack { return &b.Group }),
		node.Sub("pre", groupSchema("[io.buildpacks.pre]"), func(b *build) *group { return &b.Pre }),
		node.Sub("post", groupSchema("[io.buildpacks.post]"), func(b *build) *group { return &b.Post }),
		node.Sub("build", envSchema("[io.buildpacks.build]", "env"), func(b *build) *environment { return &b.Build }),
		node.Sub("env", envSchema("[io.buildpacks.env]", "build"), func(b *build) *environment { return &b.Env }),
	),
	Finish: finishBuild,
})

var oldBuildSchema = node.Define(node.Schema[build]{
	What: "[build]",
	Keys: append(buildKeys(),
		node.Tables("buildpacks", moduleSchema, func(b *build) *[]packfile.Buildpack { return &b.Group }),
		node.Tables("env", variableSchema, func(b *build) *[]packfile.Variable { return &b.Build.Variables }),
	),
	Finish: finishBuild,
})

func finishBuild(d *node.Decoder, b *build) {
	if b.Has("include") && b.Has("exclude") {
		d.Fail(b.At("exclude"), "keep one", "a project has include or exclude, not both")
	}
	if b.Build.Has("env") && b.Env.Has("build") {
		d.Fail(b.Env.At("build"), "keep build.env", "env.build is another name of build.env, which is also there")
	}
}

// groupSchema returns the schema of a table with modules of the group.
func groupSchema(what string) *node.Schema[group] {
	return node.Define(node.Schema[group]{
		What: what,
		Keys: []node.Key[group]{
			node.Tables("group", moduleSchema, func(g *group) *[]packfile.Buildpack { return &g.Group }),
		},
	})
}

// moduleSchema is the schema of a module. The key sha is ours: in the specification the content of an archive is unknown.
var moduleSchema = node.Define(node.Schema[packfile.Buildpack]{
	What: "a buildpack",
	Keys: append(packfile.BuildpackKeys(), node.Key[packfile.Buildpack]{Name: "script", Read: func(d *node.Decoder, _ *packfile.Buildpack, e *node.Entry) {
		d.Fail(e.KeyAt, "make it a layer of a module", "script: a module in the descriptor itself is not supported")
	}}),
	Finish: func(d *node.Decoder, b *packfile.Buildpack) {
		packfile.FinishBuildpack(d, b)
		if b.Has("uri") && b.Has("version") {
			d.Fail(b.At("version"), "the module itself says it", "a buildpack with uri has no version in a project descriptor")
		}
	},
})

var variableSchema = node.Define(node.Schema[packfile.Variable]{
	What: "a variable",
	Keys: []node.Key[packfile.Variable]{
		node.Required(node.String("name", func(v *packfile.Variable) *string { return &v.Name }, checkVariable)),
		node.Required(node.String("value", func(v *packfile.Variable) *string { return &v.Value })),
	},
})

// checkVariable checks the name of a variable of the platform environment.
func checkVariable(s string) (problem, hint string) {
	if strings.HasPrefix(s, "CNB_") {
		return "is set by the build", "reserved: names that begin with CNB_"
	}
	return node.VariableName(s)
}

// envSchema returns the schema of a table that has a table of variables.
func envSchema(what, name string) *node.Schema[environment] {
	return node.Define(node.Schema[environment]{
		What: what,
		Keys: []node.Key[environment]{
			node.Tables(name, variableSchema, func(e *environment) *[]packfile.Variable { return &e.Variables }),
		},
	})
}

// readBuilder reads the name of a builder, which is for pack.
func readBuilder(d *node.Decoder, b *build, e *node.Entry) {
	var name string
	if node.String("builder", func(*build) *string { return &name }).Read(d, b, e); name == "" {
		return
	}
	d.Warn(packfile.UnusedBuilder, e.Value.At,
		"name build-image and run-image in [io.packfile.config], or with --build-context build-image=docker-image://NAME",
		"builder %s is not used", node.Quote(name))
}

// patterns returns a key that holds patterns of .gitignore files.
func patterns(name string, field func(*build) *[]string) node.Key[build] {
	return node.Key[build]{Name: name, Read: func(d *node.Decoder, b *build, e *node.Entry) {
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
