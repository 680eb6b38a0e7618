package sbom

import (
	"net/url"
	"path"
	"regexp"
	"strings"

	"github.com/opencontainers/go-digest"
	"github.com/package-url/packageurl-go"
	"github.com/spdx/tools-golang/spdx/v2/v2_3"
)

// Deps that are folders: images and Git repositories.

// isImage reports whether a dep is an image: its digest is that of a manifest or an index, and it has a platform.
func (d dep) isImage() bool { return d.Platform != "" && digest.Digest(d.Digest).Validate() == nil }

// oci returns the package URL of a dep that is an image (purl-spec, types/oci): the name is the last part of its repository, or that
// of the dep when it is in none.
func (d dep) oci(p *v2_3.Package) string {
	name := p.PackageName
	repository := line(d.Image)
	if repository != "" {
		name = path.Base(repository)
	}
	var about packageurl.Qualifiers
	if _, arch, _ := strings.Cut(line(d.Platform), "/"); arch != "" {
		about = append(about, packageurl.Qualifier{Key: "arch", Value: arch})
	}
	if repository != "" {
		about = append(about, packageurl.Qualifier{Key: "repository_url", Value: repository})
	}
	return packageurl.NewPackageURL(packageurl.TypeOCI, "", name, d.Digest, about, "").String()
}

// location returns where a dep was fetched from, as SPDX has it ("Package download location"); "" when that is no address.
func (d dep) location() string {
	if repository := d.repository(); repository != "" {
		return repository
	}
	if d.isImage() || d.Digest != "" {
		return "" // the uri is none of a server
	}
	return webAddress(d.URI)
}

var (
	commitPattern = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)
	// scpPattern matches USER@HOST:PATH, as ssh's copy command has it.
	scpPattern = regexp.MustCompile(`^[A-Za-z0-9_-]+@([A-Za-z0-9][A-Za-z0-9.-]*):(.+)$`)
)

// repository returns the address of a Git repository at a commit, without users and passwords: git+URL@COMMIT#FOLDER, as in SPDX. It
// returns "" for other deps.
func (d dep) repository() string {
	if !commitPattern.MatchString(d.Commit) {
		return ""
	}
	address, fragment, _ := strings.Cut(d.URI, "#")
	address, _, _ = strings.Cut(address, "?")
	_, folder, _ := strings.Cut(fragment, ":")
	if m := scpPattern.FindStringSubmatch(address); m != nil {
		address = "ssh://" + m[1] + "/" + m[2]
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	u.User = nil
	if u.Scheme != "git" {
		u.Scheme = "git+" + u.Scheme
	}
	location := u.String() + "@" + d.Commit
	if folder = strings.Trim(folder, "/"); folder != "" {
		location += "#" + folder
	}
	if !isURI(location) {
		return ""
	}
	return location
}
