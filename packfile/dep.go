package packfile

import (
	"regexp"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	"github.com/distribution/reference"

	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/node"
)

// ContextScheme begins the uri of a dep that is a named context.
const ContextScheme = "context:"

// ReservedContexts are the named contexts that mean something to the frontend itself: no dep can be one of them.
var ReservedContexts = []string{"build-image", "context", "launcher", "previous", "run-image"}

// Source returns where the dep comes from: kind is HTTPSource, ImageSource, GitSource or ContextSource. Location has no scheme for
// images and contexts. Before Render the kind is known already, and location may hold templates.
func (d Dep) Source() (kind SourceKind, location string) { return depKind(d.URI), depLocation(d.URI) }

// IsFolder reports whether get-dep gives a folder: an image's, a repository's, or a context's. Any other dep is a file.
func (d Dep) IsFolder() bool { return depKind(d.URI) != HTTPSource }

// Pinned reports whether the packfile says which content the dep has. A named context has no such words: whoever builds says what
// it is. Where a template decides, Pinned of the dep before Render is true.
func (d Dep) Pinned() bool {
	kind, location := d.Source()
	switch kind {
	case HTTPSource:
		return d.SHA != ""
	case ImageSource:
		return strings.Contains(location, "@") || strings.HasPrefix(location, "{{")
	case GitSource:
		return pinnedCommit(location)
	}
	return true
}

var (
	actionPattern = regexp.MustCompile(`\{\{.*?\}\}`)
	// contextPattern matches what BuildKit looks up as the name of a named context: the name of an image, without a tag.
	contextPattern = regexp.MustCompile(`^[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$`)
	// platformPattern matches OS/ARCHITECTURE[/VARIANT]. The library takes more, and completes it with what this program runs on.
	platformPattern = regexp.MustCompile(`^[a-z0-9]+/[a-z0-9_]+(/[a-z0-9.]+)?$`)
	commitPattern   = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)
)

// imageSchemes begin the uri of an image.
var imageSchemes = []string{"docker://", "docker-image://"}

// depKind returns the kind of a dep's uri. It goes by what stands outside of templates.
func depKind(uri string) SourceKind {
	plain := actionPattern.ReplaceAllString(uri, "x")
	switch {
	case strings.HasPrefix(plain, ContextScheme):
		return ContextSource
	case slices.ContainsFunc(imageSchemes, func(s string) bool { return strings.HasPrefix(plain, s) }):
		return ImageSource
	case scpPattern.MatchString(plain):
		return GitSource
	}
	if scheme := schemePattern.FindStringSubmatch(plain); scheme != nil && slices.Contains(remoteSchemes, strings.ToLower(scheme[0])) {
		if kind, _, _, _ := remote(plain); kind != "" {
			return kind
		}
	}
	return HTTPSource
}

// depLocation returns a dep's uri without the scheme of an image or a context.
func depLocation(uri string) string {
	for _, scheme := range append([]string{ContextScheme}, imageSchemes...) {
		if rest, ok := strings.CutPrefix(uri, scheme); ok {
			return rest
		}
	}
	return uri
}

// depURI checks the uri of a dep.
func depURI(s string) (problem, hint string) {
	location := depLocation(s)
	switch depKind(s) {
	case ContextSource:
		return contextName(location)
	case ImageSource:
		if _, err := reference.ParseNormalizedNamed(location); err != nil {
			return "names no image", "as in docker://registry.example.com/tool:1.0"
		}
		return "", ""
	case GitSource:
		if scpPattern.MatchString(s) {
			return node.Word(s)
		}
		_, _, problem, hint = remote(s)
		return problem, hint
	}
	if problem, hint = node.WebAddress(s); problem == "is not a web address" {
		return "is no address of a dep", "https://HOST/FILE, docker://IMAGE, https://HOST/REPOSITORY.git#REF:FOLDER or context:NAME"
	}
	return problem, hint
}

// contextName checks the name of a named context that a dep is.
func contextName(s string) (problem, hint string) {
	switch {
	case slices.Contains(ReservedContexts, s):
		return "is a named context of the frontend itself", "choose another name"
	case !contextPattern.MatchString(s):
		return "names no context", "lower case letters and digits, with . _ - / between them"
	}
	return "", ""
}

// platformName checks the platform of a dep.
func platformName(s string) (problem, hint string) {
	if _, err := platforms.Parse(s); err != nil || !platformPattern.MatchString(s) {
		return "is no platform", "OS/ARCHITECTURE, as in linux/arm64, or OS/ARCHITECTURE/VARIANT"
	}
	return "", ""
}

// pinnedCommit reports whether the address of a repository names a commit by its whole hash: as #COMMIT, or in a query. It reports
// true for a ref that is a template and nothing else.
func pinnedCommit(address string) bool {
	address, fragment, _ := strings.Cut(address, "#")
	ref, _, _ := strings.Cut(fragment, ":")
	refs := []string{ref}
	if _, query, ok := strings.Cut(address, "?"); ok {
		for parameter := range strings.SplitSeq(query, "&") {
			if name, value, _ := strings.Cut(parameter, "="); name == "ref" || name == "commit" || name == "checksum" {
				refs = append(refs, value)
			}
		}
	}
	return slices.ContainsFunc(refs, func(ref string) bool {
		return commitPattern.MatchString(ref) || ref != "" && actionPattern.ReplaceAllString(ref, "") == ""
	})
}

var depSchema = node.Define(node.Schema[Dep]{
	What: "a dep",
	Keys: []node.Key[Dep]{
		node.Required(node.String("name", func(p *Dep) *string { return &p.Name }, templated(depName))),
		node.String("version", func(p *Dep) *string { return &p.Version }, templated(depVersion)),
		node.Required(node.String("uri", func(p *Dep) *string { return &p.URI }, templated(depURI))),
		node.String("sha", func(p *Dep) *string { return &p.SHA }, templated(node.SHA256)),
		node.String("platform", func(p *Dep) *string { return &p.Platform }, templated(platformName)),
		free("metadata", func(p *Dep) *metadata.Table { return &p.Metadata }, templated(nil)),
	},
	Finish: finishDep,
})

// pinHints say how a dep that is no file is pinned.
var pinHints = map[SourceKind]string{
	ImageSource:   "an image is pinned by its digest: docker://IMAGE@sha256:…",
	GitSource:     "a Git repository is pinned by its commit: ….git#COMMIT",
	ContextSource: "whoever builds says what a named context is; its content counts",
}

// finishDep checks the keys of a dep against its uri.
func finishDep(d *node.Decoder, p *Dep) {
	kind, _ := p.Source()
	if p.URI == "" {
		return // which is an error already
	}
	if p.IsFolder() && p.Has("sha") {
		d.Fail(p.At("sha"), pinHints[kind], "sha: the uri names no file that is downloaded")
	}
	if p.Has("platform") && (kind == HTTPSource || kind == GitSource) {
		d.Fail(p.At("platform"), "", "platform: only an image has one, and the uri names none")
	}
}

// kindNames say what a dep of a kind is.
var kindNames = map[SourceKind]string{
	HTTPSource: "a file", ImageSource: "an image", GitSource: "a Git repository", ContextSource: "a named context",
}

// sameKind returns an error text when a rendered uri is of another kind than its template looks, "" when it is not.
func sameKind(template, rendered string) string {
	before, after := depKind(template), depKind(rendered)
	if before == after {
		return ""
	}
	return "is " + kindNames[after] + ", and its template looks like that of " + kindNames[before] + ": write what tells them apart outside of {{ }}"
}
