package packfile

import (
	"path"
	"slices"

	"github.com/packfile/frontend/cnb/api"
	"github.com/packfile/frontend/node"
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
	d := node.NewDecoder(node.TOML)
	root := d.Tree("a buildpack.toml", data)
	if root == nil {
		return nil, d.Err(filename)
	}
	b := readBuildpackTOML(d, root)
	if err := d.Err(filename); err != nil {
		return nil, err
	}
	return b, nil
}

// readBuildpackTOML turns a tree into a buildpack.toml.
func readBuildpackTOML(d *node.Decoder, root *node.Node) *BuildpackTOML {
	var file buildpackFile
	node.Read(d, buildpackFileSchema, root, &file)
	checkForm(d, &file)
	seen := map[string]Range{}
	for i := range file.Several {
		b := &file.Several[i]
		d.Unique(seen, "buildpack", b.ID+"@"+b.Version, b.At("id"))
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
func checkForm(d *node.Decoder, f *buildpackFile) {
	one, several := f.Has("buildpack"), f.Has("buildpacks")
	switch {
	case one && several:
		d.Fail(f.At("buildpacks"), "keep one", "there are buildpack and buildpacks")
	case several && f.Has("order"):
		d.Fail(f.At("order"), "write [[buildpacks.order]]", "order belongs to one of the buildpacks")
	case !one && !several:
		d.Fail(f.Range(), "", "a buildpack.toml needs %q", "buildpack")
	case f.Several != nil && len(f.Several) == 0:
		d.Fail(f.At("buildpacks"), "", "buildpacks: there is none")
	}
}

// Tables of a buildpack.toml are open: packages are made by other tools, and later than this one.
var (
	packagedOrderSchema = orders(
		node.Schema[Order]{What: "an order", Open: true}, node.Schema[OrderEntry]{What: "an entry of a group", Open: true})

	buildpackFileSchema = node.Define(node.Schema[buildpackFile]{
		What: "a buildpack.toml",
		Open: true,
		Keys: []node.Key[buildpackFile]{
			node.String("api", func(f *buildpackFile) *string { return &f.API }, anyAPI),
			node.Optional("buildpack", node.Define(node.Schema[BuildpackInfo]{What: "[buildpack]", Open: true, Keys: buildpackInfoKeys()}),
				func(f *buildpackFile) **BuildpackInfo { return &f.One }),
			node.Tables("order", packagedOrderSchema, func(f *buildpackFile) *[]Order { return &f.Order }),
			node.Tables("buildpacks", oldBuildpackInfoSchema, func(f *buildpackFile) *[]BuildpackInfo { return &f.Several }),
			node.Tables("targets", buildpackTargetSchema, func(f *buildpackFile) *[]BuildpackTarget { return &f.Targets }),
			node.Tables("stacks", node.Define(node.Schema[Stack]{What: "a stack", Open: true, Keys: []node.Key[Stack]{
				node.String("id", func(s *Stack) *string { return &s.ID }),
			}}), func(f *buildpackFile) *[]Stack { return &f.Stacks }),
		},
	})

	buildpackTargetSchema = node.Define(node.Schema[BuildpackTarget]{
		What: "a target",
		Open: true,
		Keys: []node.Key[BuildpackTarget]{
			node.String("os", func(t *BuildpackTarget) *string { return &t.OS }),
			node.String("arch", func(t *BuildpackTarget) *string { return &t.Arch }),
			node.String("variant", func(t *BuildpackTarget) *string { return &t.Variant }),
			node.Tables("distros", node.Define(node.Schema[Distro]{What: "a distribution", Open: true, Keys: []node.Key[Distro]{
				node.String("name", func(d *Distro) *string { return &d.Name }),
				node.String("version", func(d *Distro) *string { return &d.Version }),
			}}), func(t *BuildpackTarget) *[]Distro { return &t.Distros }),
		},
	})

	oldBuildpackInfoSchema = node.Define(node.Schema[BuildpackInfo]{
		What: "a buildpack",
		Open: true,
		Keys: append(buildpackInfoKeys(),
			node.String("path", func(b *BuildpackInfo) *string { return &b.Path }, node.InsidePath),
			node.Tables("order", packagedOrderSchema, func(b *BuildpackInfo) *[]Order { return &b.Order }),
		),
		Finish: func(d *node.Decoder, b *BuildpackInfo) {
			if b.Has("path") && b.Has("order") {
				d.Fail(b.At("order"), "keep one", "a buildpack has path or order, not both")
			}
			if b.Path = path.Clean(b.Path); b.Path == "." {
				b.Path = ""
			}
		},
	})
)

// buildpackInfoKeys are what every module has: its place in a package is made of them.
func buildpackInfoKeys() []node.Key[BuildpackInfo] {
	return []node.Key[BuildpackInfo]{
		node.Required(node.String("id", func(b *BuildpackInfo) *string { return &b.ID }, moduleID)),
		node.Required(node.String("version", func(b *BuildpackInfo) *string { return &b.Version }, moduleVersion)),
		node.String("homepage", func(b *BuildpackInfo) *string { return &b.Homepage }),
		node.Boolean("clear-env", func(b *BuildpackInfo) *bool { return &b.ClearEnv }),
	}
}

// anyAPI checks that an API version is one: which of them can be run is for the caller to know.
func anyAPI(s string) (problem, hint string) {
	if !api.IsVersion(s) {
		return "is not a Buildpack API version", "MAJOR.MINOR, as in " + node.Quote(defaultAPI)
	}
	return "", ""
}
