// Package buildpack reads the files that describe a buildpack: its buildpack.toml, with id, version and orders, and the
// package.toml of packages in the layout of the first draft. It also checks ids and versions for packfiles. It runs no
// buildpack.
//
// Sources: buildpack specification, "buildpack.toml"; RFC 0007 and 0008; "Contractual Build Plan" (April 2019).
package buildpack

import (
	"path"
	"slices"

	"github.com/packfile/frontend/cnb/api"
	"github.com/packfile/frontend/node"
)

// File has the parts of a buildpack.toml that say which modules a package or folder holds: the module of [buildpack], or
// those of [[buildpacks]], the form before RFC 0008 of Cloud Native Buildpacks (RFC 0007).
type File struct {
	node.Table
	API        string // "" when not given
	Buildpacks []Info
	Targets    []Target // targets that they run on; none: any; see For
	Stacks     []string // ids of stacks, which came before targets
}

// Info is one module of a buildpack.toml. With an Order it stands for other modules; without one it has programs.
type Info struct {
	node.Table
	ID, Version string
	Homepage    string
	ClearEnv    bool   // its programs do not get the platform environment as variables
	Path        string // folder of its files, clean; "" for the folder of buildpack.toml itself
	Order       []Order
}

// Target is a platform that a buildpack runs on. An empty field matches anything.
type Target struct {
	node.Table
	OS, Arch, Variant string
	Distros           []Distro // one of them; none: any
}

// Distro is a distribution of an operating system.
type Distro struct {
	node.Table
	Name, Version string
}

// bionicStack is the one stack that implies a target (Platform API 0.12, "detector").
const bionicStack = "io.buildpacks.stacks.bionic"

// For returns the targets that the buildpacks run on, none for any target.
func (b *File) For() []Target {
	if len(b.Targets) == 0 && slices.Equal(b.Stacks, []string{bionicStack}) {
		return []Target{{OS: "linux", Arch: "amd64", Distros: []Distro{{Name: "ubuntu", Version: "18.04"}}}}
	}
	return b.Targets
}

// Parse reads a buildpack.toml. It ignores unknown keys, which belong to other tools. A non-nil error is a *node.Error
// with all errors.
func Parse(filename string, data []byte) (*File, error) {
	d := node.NewDecoder(node.TOML)
	root := d.Tree("a buildpack.toml", data)
	if root == nil {
		return nil, d.Err(filename)
	}
	b := readFile(d, root)
	if err := d.Err(filename); err != nil {
		return nil, err
	}
	return b, nil
}

// readFile turns a tree into a buildpack.toml.
func readFile(d *node.Decoder, root *node.Node) *File {
	var file bothForms
	node.Read(d, fileSchema, root, &file)
	checkForm(d, &file)
	seen := map[string]node.Range{}
	for i := range file.Several {
		b := &file.Several[i]
		d.Unique(seen, "buildpack", b.ID+"@"+b.Version, b.At("id"))
	}
	if file.One != nil {
		file.One.Order = file.Order
		file.Several = []Info{*file.One}
	}
	b := &File{Table: file.Table, API: file.API, Buildpacks: file.Several, Targets: file.Targets}
	for _, stack := range file.Stacks {
		b.Stacks = append(b.Stacks, stack.ID)
	}
	return b
}

// bothForms is a buildpack.toml in either form.
type bothForms struct {
	node.Table
	API     string
	One     *Info
	Order   []Order // of One
	Several []Info
	Targets []Target
	Stacks  []stack
}

// stack is one [[stacks]] entry.
type stack struct {
	node.Table
	ID string
}

// checkForm checks that a buildpack.toml has one of its forms.
func checkForm(d *node.Decoder, f *bothForms) {
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

// Tables of a buildpack.toml are open: other tools, also newer ones, make packages.
var (
	orderSchema = OrderSchema(true)

	fileSchema = node.Define(node.Schema[bothForms]{
		What: "a buildpack.toml",
		Open: true,
		Keys: []node.Key[bothForms]{
			node.String("api", func(f *bothForms) *string { return &f.API }, anyAPI),
			node.Optional("buildpack", node.Define(node.Schema[Info]{What: "[buildpack]", Open: true, Keys: infoKeys()}),
				func(f *bothForms) **Info { return &f.One }),
			node.Tables("order", orderSchema, func(f *bothForms) *[]Order { return &f.Order }),
			node.Tables("buildpacks", oldInfoSchema, func(f *bothForms) *[]Info { return &f.Several }),
			node.Tables("targets", targetSchema, func(f *bothForms) *[]Target { return &f.Targets }),
			node.Tables("stacks", node.Define(node.Schema[stack]{What: "a stack", Open: true, Keys: []node.Key[stack]{
				node.String("id", func(s *stack) *string { return &s.ID }),
			}}), func(f *bothForms) *[]stack { return &f.Stacks }),
		},
	})

	targetSchema = node.Define(node.Schema[Target]{
		What: "a target",
		Open: true,
		Keys: []node.Key[Target]{
			node.String("os", func(t *Target) *string { return &t.OS }),
			node.String("arch", func(t *Target) *string { return &t.Arch }),
			node.String("variant", func(t *Target) *string { return &t.Variant }),
			node.Tables("distros", node.Define(node.Schema[Distro]{What: "a distribution", Open: true, Keys: []node.Key[Distro]{
				node.String("name", func(d *Distro) *string { return &d.Name }),
				node.String("version", func(d *Distro) *string { return &d.Version }),
			}}), func(t *Target) *[]Distro { return &t.Distros }),
		},
	})

	oldInfoSchema = node.Define(node.Schema[Info]{
		What: "a buildpack",
		Open: true,
		Keys: append(infoKeys(),
			node.String("path", func(b *Info) *string { return &b.Path }, node.InsidePath),
			node.Tables("order", orderSchema, func(b *Info) *[]Order { return &b.Order }),
		),
		Finish: func(d *node.Decoder, b *Info) {
			if b.Has("path") && b.Has("order") {
				d.Fail(b.At("order"), "keep one", "a buildpack has path or order, not both")
			}
			if b.Path = path.Clean(b.Path); b.Path == "." {
				b.Path = ""
			}
		},
	})
)

// infoKeys returns the keys that every module has: its folder in a package is made of their values.
func infoKeys() []node.Key[Info] {
	return []node.Key[Info]{
		node.Required(node.String("id", func(b *Info) *string { return &b.ID }, CheckID)),
		node.Required(node.String("version", func(b *Info) *string { return &b.Version }, CheckVersion)),
		node.String("homepage", func(b *Info) *string { return &b.Homepage }),
		node.Boolean("clear-env", func(b *Info) *bool { return &b.ClearEnv }),
	}
}

// anyAPI checks that a string is an API version. The caller knows which versions it can run.
func anyAPI(s string) (problem, hint string) {
	if !api.IsVersion(s) {
		return "is not a Buildpack API version", "MAJOR.MINOR, as in " + `"0.10"`
	}
	return "", ""
}
