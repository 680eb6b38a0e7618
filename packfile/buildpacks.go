package packfile

import "strings"

// buildpackKeys are the keys of a module, in a packfile and in a project descriptor.
func buildpackKeys() []key[Buildpack] {
	return []key[Buildpack]{
		str("id", func(b *Buildpack) *string { return &b.ID }, moduleID),
		str("version", func(b *Buildpack) *string { return &b.Version }, moduleVersion),
		str("uri", func(b *Buildpack) *string { return &b.URI }, sourceURI),
		str("sha", func(b *Buildpack) *string { return &b.SHA }, sha256Hex),
		list("secrets", func(b *Buildpack) *[]string { return &b.Secrets }, fileName),
		list("ssh", func(b *Buildpack) *[]string { return &b.SSH }, word),
	}
}

var buildpackSchema = define(schema[Buildpack]{what: "a buildpack", keys: buildpackKeys(), finish: finishBuildpack})

func finishBuildpack(d *decoder, b *Buildpack) {
	b.SHA = strings.ToLower(b.SHA)
	secrets, agents := map[string]Range{}, map[string]Range{}
	for i, id := range b.Secrets {
		d.unique(secrets, "secret", id, b.Item("secrets", i))
	}
	for i, id := range b.SSH {
		d.unique(agents, "ssh agent", id, b.Item("ssh", i))
	}
	kind, _ := b.Source()
	switch {
	case !b.Has("uri") && !b.Has("id"):
		d.fail(b.Range(), "", "a buildpack needs %q or %q", "id", "uri")
	case !b.Has("uri") && b.Has("sha"):
		d.fail(b.At("sha"), "", "sha: there is no uri that it is for")
	case b.URI == "" || kind == "": // not a string or no address, which is an error already
	case kind == HTTPSource && !b.Has("sha"):
		// What is fetched runs in the build: without a checksum the server decides what that is.
		d.fail(b.At("uri"), shaHint, "a buildpack that is downloaded needs %q", "sha")
	case kind != HTTPSource && b.Has("sha"):
		d.fail(b.At("sha"), "an image is pinned by @sha256:…, a Git repository by #COMMIT",
			"sha: the uri names no file that is downloaded")
	}
}

// shaHint says how to find out what sha is.
const shaHint = "sha is the SHA-256 of the file: curl -fsSL URI | sha256sum"

// checkBuildpacks checks modules against each other.
func checkBuildpacks(d *decoder, all []Buildpack) {
	seen := map[string]Range{}
	for i := range all {
		b := &all[i]
		switch {
		case b.ID == "": // what it is called is known when it is there
		case b.Version == "":
			d.unique(seen, "buildpack", b.ID, b.At("id"))
		default:
			d.unique(seen, "buildpack", b.ID+"@"+b.Version, b.At("id"))
		}
	}
}

var orderSchema = orders(schema[Order]{what: "an order"}, schema[OrderEntry]{what: "an entry of a group"})

// orders completes the schema of an order and of the entries of its group.
func orders(order schema[Order], entry schema[OrderEntry]) *schema[Order] {
	entry.keys = []key[OrderEntry]{
		must(str("id", func(e *OrderEntry) *string { return &e.ID }, moduleID)),
		str("version", func(e *OrderEntry) *string { return &e.Version }, moduleVersion),
		boolean("optional", func(e *OrderEntry) *bool { return &e.Optional }),
	}
	order.keys = []key[Order]{
		must(tables("group", define(entry), func(o *Order) *[]OrderEntry { return &o.Group })),
	}
	order.finish = func(d *decoder, o *Order) {
		if o.Group != nil && len(o.Group) == 0 {
			d.fail(o.At("group"), "", "group: an order names at least one module")
		}
	}
	return define(order)
}
