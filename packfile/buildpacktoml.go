package packfile

import "path"

// BuildpackTOML is a buildpack.toml, as far as it says which modules a package or folder holds: the one of [buildpack], or
// those of [[buildpacks]], as it was before RFC 0008 of Cloud Native Buildpacks (RFC 0007).
type BuildpackTOML struct {
	Table
	API        string // "" when not given
	Buildpacks []BuildpackInfo
}

// BuildpackInfo is one module of a buildpack.toml. With an Order it stands for others, and otherwise it is an
// implementation.
type BuildpackInfo struct {
	Table
	ID, Version string
	Path        string // folder of its files, clean; "" for the folder of buildpack.toml itself
	Order       []Order
}

// ParseBuildpackTOML reads a buildpack.toml. Keys that it does not know are for other tools. A non-nil error is that of
// Parse.
func ParseBuildpackTOML(filename string, data []byte) (*BuildpackTOML, error) {
	var d decoder
	root := d.tree("a buildpack.toml", data, readTOML)
	if root == nil {
		return nil, d.err(filename)
	}
	b := d.buildpackTOML(root)
	if err := d.err(filename); err != nil {
		return nil, err
	}
	return b, nil
}

// buildpackTOML turns a tree into a buildpack.toml.
func (d *decoder) buildpackTOML(root *node) *BuildpackTOML {
	var file buildpackFile
	read(d, buildpackFileSchema, root, &file)
	d.oneForm(&file)
	seen := map[string]Range{}
	for i := range file.Several {
		b := &file.Several[i]
		d.unique(seen, "buildpack", b.ID+"@"+b.Version, b.At("id"))
	}
	if file.One != nil {
		file.One.Order = file.Order
		file.Several = []BuildpackInfo{*file.One}
	}
	return &BuildpackTOML{Table: file.Table, API: file.API, Buildpacks: file.Several}
}

// buildpackFile is a buildpack.toml in either form.
type buildpackFile struct {
	Table
	API     string
	One     *BuildpackInfo
	Order   []Order // of One
	Several []BuildpackInfo
}

// oneForm checks that a buildpack.toml has one of its forms.
func (d *decoder) oneForm(f *buildpackFile) {
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
	}
}

// anyAPI checks that an API version is one: which of them can be run is for the caller to know.
func anyAPI(s string) (problem, hint string) {
	if !apiPattern.MatchString(s) {
		return "is not a Buildpack API version", "MAJOR.MINOR, as in " + quote(defaultAPI)
	}
	return "", ""
}
