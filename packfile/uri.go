package packfile

import (
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/distribution/reference"

	"github.com/packfile/frontend/node"
)

// SourceKind is a kind of source of modules.
type SourceKind string

// The kinds of sources of modules.
const (
	ContextSource SourceKind = "context" // the named context of its id; there is no uri
	FileSource    SourceKind = "file"    // a folder, .tgz or .cnb: a clean path relative to the packfile's folder, inside it
	ImageSource   SourceKind = "image"   // a reference to an image
	GitSource     SourceKind = "git"     // a Git URL as BuildKit writes it, with #REF:SUBDIR
	HTTPSource    SourceKind = "http"    // an archive, of which SHA is the checksum
)

// Source returns where the module comes from. Location has no scheme for files and images; for a context it is the id.
// For a Buildpack of a parsed file, kind is one of the constants above, else it may be "".
func (b Buildpack) Source() (kind SourceKind, location string) {
	if b.URI == "" {
		return ContextSource, b.ID
	}
	kind, location, _, _ = locate(b.URI)
	return kind, location
}

// sourceURI checks the uri of a module.
func sourceURI(s string) (problem, hint string) {
	_, _, problem, hint = locate(s)
	return problem, hint
}

var (
	schemePattern = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]*):(//)?`)
	// scpPattern matches a Git URL in the form that ssh's copy command has: USER@HOST:PATH.
	scpPattern = regexp.MustCompile(`^[A-Za-z0-9_-]+@[A-Za-z0-9][A-Za-z0-9.-]*:.`)
)

const (
	// sourceForms is the hint for a uri that is no address of a module.
	sourceForms = "write a path, docker://IMAGE, https://HOST/REPOSITORY.git, or https://HOST/ARCHIVE.tgz with its sha"
	// idForm is the hint for a uri of a module in the builder or in a registry of buildpacks.
	idForm = "write id without uri, and --build-context ID=…; or a path, docker://IMAGE, or a Git or https address as uri"
)

// remoteSchemes begin addresses of servers.
var remoteSchemes = []string{"http://", "https://", "git://", "ssh://"}

// locate reads the address of a module: the kind of source, and the place in it. Kind is "" when the text is no such
// address; then problem says why.
func locate(s string) (kind SourceKind, location, problem, hint string) {
	scheme := schemePattern.FindStringSubmatch(s)
	switch {
	case s == "from=builder", strings.HasPrefix(s, "from=builder:"):
		return "", "", "is a word of pack", idForm
	case scpPattern.MatchString(s):
		problem, hint = node.Word(s)
		return GitSource, s, problem, hint
	case scheme == nil:
		problem, hint = modulePath(s)
		return FileSource, path.Clean(s), problem, hint
	}
	rest := s[len(scheme[0]):]
	name := strings.ToLower(scheme[1]) + ":" + scheme[2]
	if slices.Contains(remoteSchemes, name) {
		return remote(s)
	}
	switch name {
	case "file://":
		if problem, hint = modulePath(rest); strings.HasPrefix(rest, "/") {
			hint = "write a path relative to this file, without file://"
		}
		return FileSource, path.Clean(rest), problem, hint
	case "docker://", "docker-image://":
		if _, err := reference.ParseNormalizedNamed(rest); err != nil {
			return ImageSource, rest, "names no image", "as in docker://registry.example.com/buildpack:1.0"
		}
		return ImageSource, rest, "", ""
	case "urn:":
		return "", "", "is a name that only pack can look up", idForm
	}
	return "", "", "is no address of a module", sourceForms
}

// modulePath checks the path of a module. It must lead below the packfile's folder, because the packfile itself is in
// that folder.
func modulePath(s string) (problem, hint string) {
	if problem, hint = node.InsidePath(s); problem == node.LeavesFolder {
		return problem, "a module elsewhere is a named context: write id without uri, and --build-context ID=PATH"
	}
	if problem == "" && path.Clean(s) == "." {
		return "is the folder of this file itself", "name a folder or file in it"
	}
	return problem, hint
}

// remote reads a URL. It tells repositories from files as BuildKit does (dfgitutil.ParseGitRef): over http a repository
// ends in .git. It refuses passwords: the image's provenance would record them.
func remote(s string) (kind SourceKind, location, problem, hint string) {
	u, err := url.Parse(s)
	if err != nil {
		return "", "", "is not a URI", ""
	}
	kind = GitSource
	web := u.Scheme == "http" || u.Scheme == "https"
	if web && !strings.HasSuffix(u.Path, ".git") {
		kind = HTTPSource
	}
	problem, hint = node.Word(s)
	_, password := u.User.Password()
	switch {
	case problem != "":
	case u.Hostname() == "":
		problem = "names no host"
	case web && u.User != nil:
		problem, hint = "holds a user or password", "it would be recorded in the image"
	case password:
		problem, hint = "holds a password", "it would be recorded in the image; for ssh give keys with --ssh"
	}
	return kind, s, problem, hint
}
