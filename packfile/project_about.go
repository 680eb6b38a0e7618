package packfile

import (
	"github.com/packfile/frontend/node"

	"github.com/packfile/frontend/cnb/buildpack"
)

// projectAbout is what a project descriptor tells of the project: [_], or [project] in version 0.1.
type projectAbout struct {
	Table
	ID, Version, Name, Documentation string
	Licenses                         []projectLicense

	unused  string // keys that have no meaning here
	authors []string
}

// projectLicense is one licenses entry.
type projectLicense struct {
	Table
	Type, URI string
}

var projectLicenseSchema = node.Define(node.Schema[projectLicense]{
	What: "a license",
	Keys: []node.Key[projectLicense]{
		node.String("type", func(l *projectLicense) *string { return &l.Type }, license),
		node.String("uri", func(l *projectLicense) *string { return &l.URI }),
	},
	Finish: func(d *node.Decoder, l *projectLicense) {
		if !l.Has("type") && !l.Has("uri") {
			d.Fail(l.Range(), "", "a license needs %q or %q", "type", "uri")
		}
	},
})

// projectAboutKeys are the keys that both versions have. The id and version are checked as a module's are, because they
// are used as such.
func projectAboutKeys() []node.Key[projectAbout] {
	unused := func(a *projectAbout) *string { return &a.unused }
	return []node.Key[projectAbout]{
		node.String("id", func(a *projectAbout) *string { return &a.ID }, buildpack.CheckID),
		node.String("version", func(a *projectAbout) *string { return &a.Version }, buildpack.CheckVersion),
		node.String("name", func(a *projectAbout) *string { return &a.Name }, node.NonEmpty),
		node.Strings("authors", func(a *projectAbout) *[]string { return &a.authors }),
		node.Tables("licenses", projectLicenseSchema, func(a *projectAbout) *[]projectLicense { return &a.Licenses }),
		node.String("documentation-url", func(a *projectAbout) *string { return &a.Documentation }),
		node.String("source-url", unused),
		{Name: "metadata", Read: func(*node.Decoder, *projectAbout, *node.Entry) {}}, // for others, of any shape
	}
}

var (
	projectVersionKey = node.String("schema-version", func(a *projectAbout) *string { return &a.unused }, projectVersion)

	projectAboutSchema = node.Define(node.Schema[projectAbout]{
		What: "[_]", Keys: append([]node.Key[projectAbout]{projectVersionKey}, projectAboutKeys()...),
	})
	// In version 0.1 [_] is only for saying so.
	projectVersionSchema  = node.Define(node.Schema[projectAbout]{What: "[_]", Keys: []node.Key[projectAbout]{projectVersionKey}})
	oldProjectAboutSchema = node.Define(node.Schema[projectAbout]{What: "[project]", Keys: projectAboutKeys()})
)

// projectVersion checks the schema version of a project descriptor.
func projectVersion(s string) (problem, hint string) {
	if s != "0.1" && s != "0.2" {
		return "is not a version of project descriptors known here", "known are 0.1 and 0.2"
	}
	return "", ""
}

// projectOwn is [io.packfile], which is ours: it lets a project name its images without options.
type projectOwn struct {
	Table
	Config Config
}

var projectOwnSchema = node.Define(node.Schema[projectOwn]{
	What: "[io.packfile]",
	Keys: []node.Key[projectOwn]{node.Sub("config", configSchema, func(o *projectOwn) *Config { return &o.Config })},
})

// describe completes a config with what the project descriptor tells of the project. Nothing may be said twice.
func describe(d *node.Decoder, c *Config, about *projectAbout) {
	if !c.IsThere() {
		c.Table = node.NewTable(about.Range())
	}
	take := func(name string, to *string, value string) {
		switch {
		case !about.Has(name):
		case c.Has(name):
			twice(d, c, name, about)
		default:
			*to = value
			c.Put(name, about.At(name))
		}
	}
	take("id", &c.ID, about.ID)
	take("version", &c.Version, about.Version)
	take("name", &c.Name, about.Name)

	if problem, _ := node.WebAddress(about.Documentation); problem == "" && !c.Has("homepage") {
		c.Homepage = about.Documentation
		c.Put("homepage", about.At("documentation-url"))
	}
	if !about.Has("licenses") {
		return
	}
	if c.Has("licenses") {
		twice(d, c, "licenses", about)
		return
	}
	var places []Range
	for i := range about.Licenses {
		if l := &about.Licenses[i]; l.Type != "" {
			c.Licenses, places = append(c.Licenses, l.Type), append(places, l.At("type"))
		}
	}
	c.Put("licenses", about.At("licenses"), places...)
}

// twice reports a key of [io.packfile.config] that the descriptor itself has too.
func twice(d *node.Decoder, c *Config, name string, about *projectAbout) {
	d.Fail(c.At(name), "keep that one", "%s is also given on line %d", name, about.At(name).Start.Line)
}
