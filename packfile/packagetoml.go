package packfile

import "github.com/packfile/frontend/node"

// PackageTOML is the package.toml of a buildpackage in the layout of the first draft, as far as it says which module the
// package is about ("Contractual Build Plan", 2019).
type PackageTOML struct {
	Table
	Default PackageDefault
}

// PackageDefault is the module that a package is about. Both are "" when it does not say.
type PackageDefault struct {
	Table
	ID, Version string
}

// ParsePackageTOML reads a package.toml. Keys that it does not know are for other tools. A non-nil error is that of Parse.
func ParsePackageTOML(filename string, data []byte) (*PackageTOML, error) {
	d := node.NewDecoder(node.TOML)
	root := d.Tree("a package.toml", data)
	if root == nil {
		return nil, d.Err(filename)
	}
	p := new(PackageTOML)
	node.Read(d, packageTOMLSchema, root, p)
	if err := d.Err(filename); err != nil {
		return nil, err
	}
	return p, nil
}

var packageTOMLSchema = node.Define(node.Schema[PackageTOML]{
	What: "a package.toml",
	Open: true,
	Keys: []node.Key[PackageTOML]{
		node.Sub("default", node.Define(node.Schema[PackageDefault]{What: "[default]", Open: true, Keys: []node.Key[PackageDefault]{
			node.String("id", func(d *PackageDefault) *string { return &d.ID }),
			node.String("version", func(d *PackageDefault) *string { return &d.Version }),
		}}), func(p *PackageTOML) *PackageDefault { return &p.Default }),
	},
})
