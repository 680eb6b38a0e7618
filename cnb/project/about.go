package project

import (
	"github.com/packfile/frontend/cnb/buildpack"
	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/packfile"
)

// about is the description of the project: [_], or [project] in version 0.1.
type about struct {
	node.Table
	ID, Version, Name, Documentation string
	Licenses                         []license

	unused  string // keys that have no meaning here
	authors []string
}

// license is one licenses entry.
type license struct {
	node.Table
	Type, URI string
}

var licenseSchema = node.Define(node.Schema[license]{
	What: "a license",
	Keys: []node.Key[license]{
		node.String("type", func(l *license) *string { return &l.Type }, packfile.License),
		node.String("uri", func(l *license) *string { return &l.URI }),
	},
	Finish: func(d *node.Decoder, l *license) {
		if !l.Has("type") && !l.Has("uri") {
			d.Fail(l.Range(), "", "a license needs %q or %q", "type", "uri")
		}
	},
})

// aboutKeys returns the keys that both versions have. It checks id and version like those of a module, because they
// become those of a module.
func aboutKeys() []node.Key[about] {
	unused := func(a *about) *string { return &a.unused }
	return []node.Key[about]{
		node.String("id", func(a *about) *string { return &a.ID }, buildpack.CheckID),
		node.String("version", func(a *about) *string { return &a.Version }, buildpack.CheckVersion),
		node.String("name", func(a *about) *string { return &a.Name }, node.NonEmpty),
		node.Strings("authors", func(a *about) *[]string { return &a.authors }),
		node.Tables("licenses", licenseSchema, func(a *about) *[]license { return &a.Licenses }),
		node.String("documentation-url", func(a *about) *string { return &a.Documentation }),
		node.String("source-url", unused),
		{Name: "metadata", Read: func(*node.Decoder, *about, *node.Entry) {}}, // for others, of any shape
	}
}

var (
	versionKey = node.String("schema-version", func(a *about) *string { return &a.unused }, checkVersion)

	aboutSchema = node.Define(node.Schema[about]{
		What: "[_]", Keys: append([]node.Key[about]{versionKey}, aboutKeys()...),
	})
	// In version 0.1 [_] only names the version.
	versionSchema  = node.Define(node.Schema[about]{What: "[_]", Keys: []node.Key[about]{versionKey}})
	oldAboutSchema = node.Define(node.Schema[about]{What: "[project]", Keys: aboutKeys()})
)

// checkVersion checks the schema version of a project descriptor.
func checkVersion(s string) (problem, hint string) {
	if s != "0.1" && s != "0.2" {
		return "is not a version of project descriptors known here", "known are 0.1 and 0.2"
	}
	return "", ""
}

// own is our table [io.packfile]: it lets a project name its images without options.
type own struct {
	node.Table
	Config packfile.Config
}

var ownSchema = node.Define(node.Schema[own]{
	What: "[io.packfile]",
	Keys: []node.Key[own]{node.Sub("config", packfile.ConfigSchema, func(o *own) *packfile.Config { return &o.Config })},
})

// describe completes a config with the description of the project. It reports an error for a value that is given twice.
func describe(d *node.Decoder, c *packfile.Config, about *about) {
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
	var places []node.Range
	for i := range about.Licenses {
		if l := &about.Licenses[i]; l.Type != "" {
			c.Licenses, places = append(c.Licenses, l.Type), append(places, l.At("type"))
		}
	}
	c.Put("licenses", about.At("licenses"), places...)
}

// twice reports an error for a key of [io.packfile.config] that the descriptor has elsewhere too.
func twice(d *node.Decoder, c *packfile.Config, name string, about *about) {
	d.Fail(c.At(name), "keep that one", "%s is also given on line %d", name, about.At(name).Start.Line)
}
