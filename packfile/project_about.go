package packfile

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

var projectLicenseSchema = define(schema[projectLicense]{
	what: "a license",
	keys: []key[projectLicense]{
		str("type", func(l *projectLicense) *string { return &l.Type }, license),
		str("uri", func(l *projectLicense) *string { return &l.URI }),
	},
	finish: func(d *decoder, l *projectLicense) {
		if !l.Has("type") && !l.Has("uri") {
			d.fail(l.Range(), "", "a license needs %q or %q", "type", "uri")
		}
	},
})

// projectAboutKeys are the keys that both versions have. The id and version are checked as a module's are, because they
// are used as such.
func projectAboutKeys() []key[projectAbout] {
	unused := func(a *projectAbout) *string { return &a.unused }
	return []key[projectAbout]{
		str("id", func(a *projectAbout) *string { return &a.ID }, moduleID),
		str("version", func(a *projectAbout) *string { return &a.Version }, moduleVersion),
		str("name", func(a *projectAbout) *string { return &a.Name }, nonEmpty),
		list("authors", func(a *projectAbout) *[]string { return &a.authors }),
		tables("licenses", projectLicenseSchema, func(a *projectAbout) *[]projectLicense { return &a.Licenses }),
		str("documentation-url", func(a *projectAbout) *string { return &a.Documentation }),
		str("source-url", unused),
		{name: "metadata", read: func(*decoder, *projectAbout, *entry) {}}, // for others, of any shape
	}
}

var (
	projectVersionKey = str("schema-version", func(a *projectAbout) *string { return &a.unused }, projectVersion)

	projectAboutSchema = define(schema[projectAbout]{
		what: "[_]", keys: append([]key[projectAbout]{projectVersionKey}, projectAboutKeys()...),
	})
	// In version 0.1 [_] is only for saying so.
	projectVersionSchema  = define(schema[projectAbout]{what: "[_]", keys: []key[projectAbout]{projectVersionKey}})
	oldProjectAboutSchema = define(schema[projectAbout]{what: "[project]", keys: projectAboutKeys()})
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

var projectOwnSchema = define(schema[projectOwn]{
	what: "[io.packfile]",
	keys: []key[projectOwn]{sub("config", configSchema, func(o *projectOwn) *Config { return &o.Config })},
})

// describe completes a config with what the project descriptor tells of the project. Nothing may be said twice.
func describe(d *decoder, c *Config, about *projectAbout) {
	if !c.isThere() {
		c.Table = newTable(about.Range())
	}
	take := func(name string, to *string, value string) {
		switch {
		case !about.Has(name):
		case c.Has(name):
			twice(d, c, name, about)
		default:
			*to = value
			c.put(name, about.At(name))
		}
	}
	take("id", &c.ID, about.ID)
	take("version", &c.Version, about.Version)
	take("name", &c.Name, about.Name)

	if problem, _ := webAddress(about.Documentation); problem == "" && !c.Has("homepage") {
		c.Homepage = about.Documentation
		c.put("homepage", about.At("documentation-url"))
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
	c.put("licenses", about.At("licenses"), places...)
}

// twice reports a key of [io.packfile.config] that the descriptor itself has too.
func twice(d *decoder, c *Config, name string, about *projectAbout) {
	d.fail(c.At(name), "keep that one", "%s is also given on line %d", name, about.At(name).Start.Line)
}
