package buildpack

import "github.com/packfile/frontend/node"

// Package has the part of a package.toml that names the module of a buildpackage, in the layout of the first draft
// ("Contractual Build Plan", 2019).
type Package struct {
	node.Table
	Default PackageDefault
}

// PackageDefault is the module that a package stands for. Both fields are "" when the package names none.
type PackageDefault struct {
	node.Table
	ID, Version string
}

// ParsePackage reads a package.toml. It ignores unknown keys, which belong to other tools. A non-nil error is a
// *node.Error with all errors.
func ParsePackage(filename string, data []byte) (*Package, error) {
	d := node.NewDecoder(node.TOML)
	root := d.Tree("a package.toml", data)
	if root == nil {
		return nil, d.Err(filename)
	}
	p := new(Package)
	node.Read(d, packageSchema, root, p)
	if err := d.Err(filename); err != nil {
		return nil, err
	}
	return p, nil
}

var packageSchema = node.Define(node.Schema[Package]{
	What: "a package.toml",
	Open: true,
	Keys: []node.Key[Package]{
		node.Sub("default", node.Define(node.Schema[PackageDefault]{What: "[default]", Open: true, Keys: []node.Key[PackageDefault]{
			node.String("id", func(d *PackageDefault) *string { return &d.ID }),
			node.String("version", func(d *PackageDefault) *string { return &d.Version }),
		}}), func(p *Package) *PackageDefault { return &p.Default }),
	},
})
