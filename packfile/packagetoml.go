package packfile

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
	d := newDecoder(TOML)
	root := d.tree("a package.toml", data)
	if root == nil {
		return nil, d.err(filename)
	}
	p := new(PackageTOML)
	read(d, packageTOMLSchema, root, p)
	if err := d.err(filename); err != nil {
		return nil, err
	}
	return p, nil
}

var packageTOMLSchema = define(schema[PackageTOML]{
	what: "a package.toml",
	open: true,
	keys: []key[PackageTOML]{
		sub("default", define(schema[PackageDefault]{what: "[default]", open: true, keys: []key[PackageDefault]{
			str("id", func(d *PackageDefault) *string { return &d.ID }),
			str("version", func(d *PackageDefault) *string { return &d.Version }),
		}}), func(p *PackageTOML) *PackageDefault { return &p.Default }),
	},
})
