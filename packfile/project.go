package packfile

import (
	"path"
	"slices"

	"github.com/packfile/frontend/node"
)

// Project is a project descriptor, as far as it says how an image is built: Cloud Native Buildpacks, "Project Descriptor",
// schema version 0.2; 0.1 is read too. Besides what the specification has, [io.packfile] may hold a config as packfiles do.
type Project struct {
	// Packfile has the project's modules as its Buildpacks, all of which are the one group of its order, in file order, and
	// what the descriptor tells of the project in its Config. It has nothing of its own.
	Packfile *Packfile
	Env      []Variable // platform environment of steps; no name is there twice
	// Include and Exclude are patterns of .dockerignore files over files of the app. At most one of them is there; when it is
	// Include, all other files are left out.
	Include, Exclude []string
}

// projectFile is how a project descriptor is called.
const projectFile = "project.toml"

// IsProject says whether a file that is built is a project descriptor and not a packfile: it is called project.toml, or it
// is TOML with tables of a descriptor and no key of a packfile.
func IsProject(filename string, data []byte) bool {
	if path.Base(filename) == projectFile {
		return true
	}
	if node.FormatOf(filename, data) == node.YAML {
		return false
	}
	d := node.NewDecoder(node.TOML)
	root := d.Tree("a project descriptor", data)
	if root == nil || slices.ContainsFunc(root.Entries, isPackfileKey) {
		return false
	}
	p := projectTables(root)
	return p.about != nil || p.oldAbout != nil || p.build != nil
}

func isPackfileKey(e node.Entry) bool { return packfileSchema.Has(node.TOML, e.Key) }

// ParseProject reads a project descriptor. Errors and warnings are those of Parse.
func ParseProject(filename string, data []byte) (project *Project, warnings []Diagnostic, err error) {
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

// projectNodes are the tables of a project descriptor that are read, nil when they are not there. Others belong to tools
// of other vendors.
type projectNodes struct {
	about, build       *node.Entry // [_] and [io.buildpacks]
	oldAbout, oldBuild *node.Entry // [project] and [build], as version 0.1 called them
	own                *node.Entry // [io.packfile]
}

func projectTables(root *node.Node) projectNodes {
	p := projectNodes{about: root.Find("_"), oldAbout: root.Find("project"), oldBuild: root.Find("build")}
	if io := root.Find("io"); io != nil {
		p.build, p.own = io.Value.Find("buildpacks"), io.Value.Find("packfile")
	}
	return p
}

// readProject turns a tree into a project.
func readProject(d *node.Decoder, root *node.Node) *Project {
	nodes := projectTables(root)
	old := nodes.isOld()
	config := readProjectConfig(d, nodes, old)
	build := readProjectBuild(d, root, nodes, old)

	modules, env := build.modules(), build.variables()
	checkBuildpacks(d, modules)
	names := map[string]Range{}
	for i := range env {
		d.Unique(names, "variable", env[i].Name, env[i].At("name"))
	}
	t := node.NewTable(root.At)
	t.Put("config", config.Range())
	t.Put("buildpacks", build.Range())
	return &Project{
		Packfile: &Packfile{Table: t, API: defaultAPI, Config: config, Buildpacks: modules},
		Env:      env,
		Include:  build.Include,
		Exclude:  build.Exclude,
	}
}

// readProjectConfig reads what a descriptor tells of its project.
func readProjectConfig(d *node.Decoder, nodes projectNodes, old bool) Config {
	var about projectAbout
	if old {
		readEntry(d, projectVersionSchema, nodes.about, &about)
		readEntry(d, oldProjectAboutSchema, nodes.oldAbout, &about)
	} else {
		readEntry(d, projectAboutSchema, nodes.about, &about)
		refuseOther(d, nodes.oldAbout, "0.1", "write [_]")
	}
	var own projectOwn
	readEntry(d, projectOwnSchema, nodes.own, &own)
	describe(d, &own.Config, &about)
	return own.Config
}

// readProjectBuild reads how a descriptor says that its project is built.
func readProjectBuild(d *node.Decoder, root *node.Node, nodes projectNodes, old bool) (build projectBuild) {
	before := d.Failures()
	hint := "write [[io.buildpacks.group]] with the id or uri of each"
	if old {
		hint = "write [[build.buildpacks]] with the id or uri of each"
		readEntry(d, oldProjectBuildSchema, nodes.oldBuild, &build)
		refuseOther(d, nodes.build, "0.2", `write schema-version = "0.2" in [_]`)
	} else {
		readEntry(d, projectBuildSchema, nodes.build, &build)
		refuseOther(d, nodes.oldBuild, "0.1", "write [io.buildpacks]")
	}
	if len(build.modules()) == 0 && d.Failures() == before {
		if slices.ContainsFunc(root.Entries, isPackfileKey) {
			hint = "a packfile needs another name than " + projectFile
		}
		d.Fail(build.Range(), hint, "the project names no modules")
	}
	return build
}

// isOld says whether a descriptor has version 0.1: it says so, or it says nothing and has no table of version 0.2.
func (p projectNodes) isOld() bool {
	if p.about != nil {
		if v := p.about.Value.Find("schema-version"); v != nil {
			return v.Value.Kind == node.StringKind && v.Value.Text == "0.1"
		}
	}
	return p.about == nil && p.build == nil
}

// refuseOther reports a table that another version has than the descriptor says.
func refuseOther(d *node.Decoder, e *node.Entry, version, hint string) {
	if e != nil {
		d.Fail(e.KeyAt, hint, "%s is of version %s of project descriptors, and this one has another", e.Key, version)
	}
}

// readEntry reads the table of an entry that need not be there.
func readEntry[T any, P node.Located[T]](d *node.Decoder, s *node.Schema[T], e *node.Entry, v *T) {
	if e != nil {
		node.Read[T, P](d, s, e.Value, v)
	}
}
