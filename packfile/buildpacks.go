package packfile

import (
	"strings"

	"github.com/packfile/frontend/cnb/buildpack"
	"github.com/packfile/frontend/node"
)

// BuildpackKeys returns the keys of a module entry, in a packfile and in a project descriptor.
func BuildpackKeys() []node.Key[Buildpack] {
	return []node.Key[Buildpack]{
		node.String("id", func(b *Buildpack) *string { return &b.ID }, buildpack.CheckID),
		node.String("version", func(b *Buildpack) *string { return &b.Version }, buildpack.CheckVersion),
		node.String("uri", func(b *Buildpack) *string { return &b.URI }, sourceURI),
		node.String("sha", func(b *Buildpack) *string { return &b.SHA }, node.SHA256),
		node.Strings("secrets", func(b *Buildpack) *[]string { return &b.Secrets }, node.FileName),
		node.Strings("ssh", func(b *Buildpack) *[]string { return &b.SSH }, node.Word),
		node.Strings("args", func(b *Buildpack) *[]string { return &b.Args }, argumentName),
		node.Strings("contexts", func(b *Buildpack) *[]string { return &b.Contexts }, contextName),
	}
}

var buildpackSchema = node.Define(node.Schema[Buildpack]{What: "a buildpack", Keys: BuildpackKeys(), Finish: FinishBuildpack})

// FinishBuildpack completes a module entry and checks its keys against each other.
func FinishBuildpack(d *node.Decoder, b *Buildpack) {
	b.SHA = strings.ToLower(b.SHA)
	secrets, agents, contexts := map[string]node.Range{}, map[string]node.Range{}, map[string]node.Range{}
	for i, id := range b.Secrets {
		d.Unique(secrets, "secret", id, b.Item("secrets", i))
	}
	for i, id := range b.SSH {
		d.Unique(agents, "ssh agent", id, b.Item("ssh", i))
	}
	uniqueArgs(d, b.Args, b.Table)
	for i, name := range b.Contexts {
		d.Unique(contexts, "named context", name, b.Item("contexts", i))
	}
	kind, _ := b.Source()
	switch {
	case !b.Has("uri") && !b.Has("id"):
		d.Fail(b.Range(), "", "a buildpack needs %q or %q", "id", "uri")
	case !b.Has("uri") && b.Has("sha"):
		d.Fail(b.At("sha"), "", "sha: there is no uri that it is for")
	case b.URI == "" || kind == "": // not a string or no address, which is an error already
	case kind == HTTPSource && !b.Has("sha"):
		// The fetched module runs in the build: without a checksum the server would decide what it is.
		d.Fail(b.At("uri"), shaHint, "a buildpack that is downloaded needs %q", "sha")
	case kind != HTTPSource && b.Has("sha"):
		d.Fail(b.At("sha"), "an image is pinned by @sha256:…, a Git repository by #COMMIT",
			"sha: the uri names no file that is downloaded")
	}
}

// shaHint is the hint that says how to compute sha.
const shaHint = "sha is the SHA-256 of the file: curl -fsSL URI | sha256sum"

// CheckBuildpacks reports an error for a module entry with the id and version of an earlier one.
func CheckBuildpacks(d *node.Decoder, all []Buildpack) {
	seen := map[string]node.Range{}
	for i := range all {
		b := &all[i]
		switch {
		case b.ID == "": // its id is known only when it is fetched
		case b.Version == "":
			d.Unique(seen, "buildpack", b.ID, b.At("id"))
		default:
			d.Unique(seen, "buildpack", b.ID+"@"+b.Version, b.At("id"))
		}
	}
}

var orderSchema = buildpack.OrderSchema(false)
