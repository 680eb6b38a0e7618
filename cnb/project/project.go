// Package project reads project descriptors, project.toml, which name the modules of a project. The frontend builds one
// like a packfile that has nothing but modules. The package does not fetch modules.
//
// Source: Cloud Native Buildpacks, "Project Descriptor", schema version 0.2; 0.1 is read too.
package project

import (
	"path"
	"slices"

	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/packfile"
)

// Project has the parts of a project descriptor that say how to build an image: Cloud Native Buildpacks, "Project
// Descriptor", schema version 0.2; 0.1 is read too. Beyond the specification, [io.packfile] may hold a config as in
// packfiles.
type Project struct {
	// Packfile has the project's modules as its Buildpacks, all in one group in file order, and the description of the
	// project in its Config. It has no layers, processes, caches or slices.
	Packfile *packfile.Packfile
	Env      []packfile.Variable // platform environment of steps; names are unique
	// Include and Exclude are patterns of .dockerignore files over files of the app. At most one of them is set; with
	// Include, all other files are left out.
	Include, Exclude []string
}

// projectFile is the file name of a project descriptor.
const projectFile = "project.toml"

// Is reports whether a file is a project descriptor and not a packfile: its name is project.toml, or it is TOML with
// tables of a descriptor and no key of a packfile.
func Is(filename string, data []byte) bool {
	if path.Base(filename) == projectFile {
		return true
	}
	if node.FormatOf(filename, data) == node.YAML {
		return false
	}
	d := node.NewDecoder(node.TOML)
	root := d.Tree("a project descriptor", data)
	if root == nil || slices.ContainsFunc(root.Entries, packfile.IsKey) {
		return false
	}
	p := tablesOf(root)
	return p.about != nil || p.oldAbout != nil || p.build != nil
}

// Parse reads a project descriptor. A non-nil err is a *node.Error with all errors, in file order. It returns warnings in
// both cases.
func Parse(filename string, data []byte) (project *Project, warnings []node.Diagnostic, err error) {
	d := node.NewDecoder(node.TOML)
	root := d.Tree("a project descriptor", data)
	if root == nil {
		return nil, nil, d.Err(filename)
	}
	project = readProject(d, root)
	if err := d.Err(filename); err != nil {
		return nil, d.Warnings(), err
	}
	return project, d.Warnings(), nil
}

// nodes are the tables of a project descriptor that are read, nil when they are missing. Other tables belong to other
// tools.
type nodes struct {
	about, build       *node.Entry // [_] and [io.buildpacks]
	oldAbout, oldBuild *node.Entry // [project] and [build], as version 0.1 called them
	own                *node.Entry // [io.packfile]
}

func tablesOf(root *node.Node) nodes {
	p := nodes{about: root.Find("_"), oldAbout: root.Find("project"), oldBuild: root.Find("build")}
	if io := root.Find("io"); io != nil {
		p.build, p.own = io.Value.Find("buildpacks"), io.Value.Find("packfile")
	}
	return p
}

// readProject turns a tree into a project.
func readProject(d *node.Decoder, root *node.Node) *Project {
	nodes := tablesOf(root)
	old := nodes.isOld()
	config := readConfig(d, nodes, old)
	build := readBuild(d, root, nodes, old)

	modules, env := build.modules(), build.variables()
	packfile.CheckBuildpacks(d, modules)
	names := map[string]node.Range{}
	for i := range env {
		d.Unique(names, "variable", env[i].Name, env[i].At("name"))
	}
	t := node.NewTable(root.At)
	t.Put("config", config.Range())
	t.Put("buildpacks", build.Range())
	return &Project{
		Packfile: &packfile.Packfile{Table: t, API: packfile.DefaultAPI, Config: config, Buildpacks: modules},
		Env:      env,
		Include:  build.Include,
		Exclude:  build.Exclude,
	}
}

// readConfig reads the description of the project.
func readConfig(d *node.Decoder, nodes nodes, old bool) packfile.Config {
	var about about
	if old {
		readEntry(d, versionSchema, nodes.about, &about)
		readEntry(d, oldAboutSchema, nodes.oldAbout, &about)
	} else {
		readEntry(d, aboutSchema, nodes.about, &about)
		refuseOther(d, nodes.oldAbout, "0.1", "write [_]")
	}
	var own own
	readEntry(d, ownSchema, nodes.own, &own)
	describe(d, &own.Config, &about)
	return own.Config
}

// readBuild reads the tables that say how to build the project.
func readBuild(d *node.Decoder, root *node.Node, nodes nodes, old bool) (build build) {
	before := d.Failures()
	hint := "write [[io.buildpacks.group]] with the id or uri of each"
	if old {
		hint = "write [[build.buildpacks]] with the id or uri of each"
		readEntry(d, oldBuildSchema, nodes.oldBuild, &build)
		refuseOther(d, nodes.build, "0.2", `write schema-version = "0.2" in [_]`)
	} else {
		readEntry(d, buildSchema, nodes.build, &build)
		refuseOther(d, nodes.oldBuild, "0.1", "write [io.buildpacks]")
	}
	if len(build.modules()) == 0 && d.Failures() == before {
		if slices.ContainsFunc(root.Entries, packfile.IsKey) {
			hint = "a packfile needs another name than " + projectFile
		}
		d.Fail(build.Range(), hint, "the project names no modules")
	}
	return build
}

// isOld reports whether a descriptor has version 0.1: it says so, or it names no version and has no table of version 0.2.
func (p nodes) isOld() bool {
	if p.about != nil {
		if v := p.about.Value.Find("schema-version"); v != nil {
			return v.Value.Kind == node.StringKind && v.Value.Text == "0.1"
		}
	}
	return p.about == nil && p.build == nil
}

// refuseOther reports an error for a table of another schema version than the descriptor's.
func refuseOther(d *node.Decoder, e *node.Entry, version, hint string) {
	if e != nil {
		d.Fail(e.KeyAt, hint, "%s is of version %s of project descriptors, and this one has another", e.Key, version)
	}
}

// readEntry reads the table of an entry, if there is one.
func readEntry[T any, P node.Located[T]](d *node.Decoder, s *node.Schema[T], e *node.Entry, v *T) {
	if e != nil {
		node.Read[T, P](d, s, e.Value, v)
	}
}
