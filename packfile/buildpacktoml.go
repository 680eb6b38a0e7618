package packfile

import (
	"path"
	"slices"
)

// BuildpackTOML is a buildpack.toml, as far as it says which modules a package or folder holds: the one of [buildpack], or
// those of [[buildpacks]], as it was before RFC 0008 of Cloud Native Buildpacks (RFC 0007).
type BuildpackTOML struct {
	Table
	API        string // "" when not given
	Buildpacks []BuildpackInfo
	Targets    []BuildpackTarget // what they are for; none: for any; see For
	Stacks     []string          // ids of what was there before targets
}

// BuildpackInfo is one module of a buildpack.toml. With an Order it stands for others, and otherwise it is an
// implementation.
type BuildpackInfo struct {
	Table
	ID, Version string
	Homepage    string
	ClearEnv    bool   // its programs do not have the platform environment as variables
	Path        string // folder of its files, clean; "" for the folder of buildpack.toml itself
	Order       []Order
}

// BuildpackTarget is a platform that a buildpack is for. What it does not say may be anything.
type BuildpackTarget struct {
	Table
	OS, Arch, Variant string
	Distros           []Distro // one of them; none: any
}

// Distro is a distribution of an operating system.
type Distro struct {
	Table
	Name, Version string
}

// bionicStack is the one stack that says what it is for (Platform API 0.12, "detector").
const bionicStack = "io.buildpacks.stacks.bionic"

// For are the platforms that the buildpacks are for, none when that is any.
func (b *BuildpackTOML) For() []BuildpackTarget {
	if len(b.Targets) == 0 && slices.Equal(b.Stacks, []string{bionicStack}) {
		return []BuildpackTarget{{OS: "linux", Arch: "amd64", Distros: []Distro{{Name: "ubuntu", Version: "18.04"}}}}
	}
	return b.Targets
}

// ParseBuildpackTOML reads a buildpack.toml. Keys that it does not know are for other tools. A non-nil error is that of
// Parse.
func ParseBuildpackTOML(filename string, data []byte) (*BuildpackTOML, error) {
	d := newDecoder(TOML)
	root := d.tree("a buildpack.toml", data)
	if root == nil {
		return nil, d.err(filename)
	}
	b := readBuildpackTOML(d, root)
	if err := d.err(filename); err != nil {
		return nil, err
	}
	return b, nil
}

// readBuildpackTOML turns a tree into a buildpack.toml.
func readBuildpackTOML(d *decoder, root *node) *BuildpackTOML {
	var file buildpackFile
	read(d, buildpackFileSchema, root, &file)
	checkForm(d, &file)
	seen := map[string]Range{}
	for i := range file.Several {
		b := &file.Several[i]
		d.unique(seen, "buildpack", b.ID+"@"+b.Version, b.At("id"))
	}
	if file.One != nil {
		file.One.Order = file.Order
		file.Several = []BuildpackInfo{*file.One}
	}
	b := &BuildpackTOML{Table: file.Table, API: file.API, Buildpacks: file.Several, Targets: file.Targets}
	for _, stack := range file.Stacks {
		b.Stacks = append(b.Stacks, stack.ID)
	}
	return b
}

// buildpackFile is a buildpack.toml in either form.
type buildpackFile struct {
	Table
	API     string
	One     *BuildpackInfo
	Order   []Order // of One
	Several []BuildpackInfo
	Targets []BuildpackTarget
	Stacks  []Stack
}

// checkForm checks that a buildpack.toml has one of its forms.
func checkForm(d *decoder, f *buildpackFile) {
	one, several := f.Has("buildpack"), f.Has("buildpacks")
	switch {
	case one && several:
		d.fail(f.At("buildpacks"), "keep one", "there are buildpack and buildpacks")
	case several && f.Has("order"):
		d.fail(f.At("order"), "write [[buildpacks.order]]", "order belongs to one of the buildpacks")
	case !one && !several:
		d.fail(f.Range(), "", "a buildpack.toml needs %q", "buildpack")
	case f.Several != nil && len(f.Several) == 0:
		d.fail(f.At("buildpacks"), "", "buildpacks: there is none")
	}
}

// Tables of a buildpack.toml are open: packages are made by other tools, and later than this one.
var (
	packagedOrderSchema = orders(
		schema[Order]{what: "an order", open: true}, schema[OrderEntry]{what: "an entry of a group", open: true})

	buildpackFileSchema = define(schema[buildpackFile]{
		what: "a buildpack.toml",
		open: true,
		keys: []key[buildpackFile]{
			str("api", func(f *buildpackFile) *string { return &f.API }, anyAPI),
			optional("buildpack", define(schema[BuildpackInfo]{what: "[buildpack]", open: true, keys: buildpackInfoKeys()}),
				func(f *buildpackFile) **BuildpackInfo { return &f.One }),
			tables("order", packagedOrderSchema, func(f *buildpackFile) *[]Order { return &f.Order }),
			tables("buildpacks", oldBuildpackInfoSchema, func(f *buildpackFile) *[]BuildpackInfo { return &f.Several }),
			tables("targets", buildpackTargetSchema, func(f *buildpackFile) *[]BuildpackTarget { return &f.Targets }),
			tables("stacks", define(schema[Stack]{what: "a stack", open: true, keys: []key[Stack]{
				str("id", func(s *Stack) *string { return &s.ID }),
			}}), func(f *buildpackFile) *[]Stack { return &f.Stacks }),
		},
	})

	buildpackTargetSchema = define(schema[BuildpackTarget]{
		what: "a target",
		open: true,
		keys: []key[BuildpackTarget]{
			str("os", func(t *BuildpackTarget) *string { return &t.OS }),
			str("arch", func(t *BuildpackTarget) *string { return &t.Arch }),
			str("variant", func(t *BuildpackTarget) *string { return &t.Variant }),
			tables("distros", define(schema[Distro]{what: "a distribution", open: true, keys: []key[Distro]{
				str("name", func(d *Distro) *string { return &d.Name }),
				str("version", func(d *Distro) *string { return &d.Version }),
			}}), func(t *BuildpackTarget) *[]Distro { return &t.Distros }),
		},
	})

	oldBuildpackInfoSchema = define(schema[BuildpackInfo]{
		what: "a buildpack",
		open: true,
		keys: append(buildpackInfoKeys(),
			str("path", func(b *BuildpackInfo) *string { return &b.Path }, insidePath),
			tables("order", packagedOrderSchema, func(b *BuildpackInfo) *[]Order { return &b.Order }),
		),
		finish: func(d *decoder, b *BuildpackInfo) {
			if b.Has("path") && b.Has("order") {
				d.fail(b.At("order"), "keep one", "a buildpack has path or order, not both")
			}
			if b.Path = path.Clean(b.Path); b.Path == "." {
				b.Path = ""
			}
		},
	})
)

// buildpackInfoKeys are what every module has: its place in a package is made of them.
func buildpackInfoKeys() []key[BuildpackInfo] {
	return []key[BuildpackInfo]{
		must(str("id", func(b *BuildpackInfo) *string { return &b.ID }, moduleID)),
		must(str("version", func(b *BuildpackInfo) *string { return &b.Version }, moduleVersion)),
		str("homepage", func(b *BuildpackInfo) *string { return &b.Homepage }),
		boolean("clear-env", func(b *BuildpackInfo) *bool { return &b.ClearEnv }),
	}
}

// anyAPI checks that an API version is one: which of them can be run is for the caller to know.
func anyAPI(s string) (problem, hint string) {
	if !apiPattern.MatchString(s) {
		return "is not a Buildpack API version", "MAJOR.MINOR, as in " + quote(defaultAPI)
	}
	return "", ""
}
