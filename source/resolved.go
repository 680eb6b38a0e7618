package source

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/containerd/platforms"
	bk "github.com/moby/buildkit/client/llb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// Resolved is what a source resolved to. Each kind fills in its own fields.
type Resolved struct {
	Digest digest.Digest // of an image's manifest, or of what else identifies the source; "" when unknown
	Commit string        // of a Pinned Git
	Folder string        // in the repository of a Pinned Git, "" for all of it
	Exact  bool          // equal digests are equal contents, and so are equal commits
	// Defined says that Digest is that of the operations that make the content, and of the config: the result of another target of
	// bake, or a folder. No registry knows such a digest.
	Defined bool
	// Floating names, in words, a source of a Defined content that may change while the digest stays. It is "" when there is none:
	// then the content is Exact, as far as BuildKit's cache is.
	Floating string

	Config     *dockerspec.DockerOCIImage // of an image
	RawConfig  []byte                     // the same as bytes, of an Image
	Repository string                     // of an image in a registry: in full, without tag or digest
	Given      string                     // name that the user, or the packfile, has for the image or folder of a Context

	// Stable is the content in a form that has an equal definition in every build, for keyed views. It is nil when there is none:
	// then the content itself identifies it.
	Stable *bk.State
	App    AppOrigin

	Time *time.Time // of an AppTime; nil when it is not known
}

// AppOrigin is where an App comes from.
type AppOrigin struct {
	Pinned string // what identifies the app, in words, when it has no stable form
	Folder string // name of the client's folder, "" when the app is none
	// Repository and Subfolder are set for a Git context; "" for others.
	Repository, Subfolder string
	Ignore                IgnoreFile // says which files are left out
}

// IgnoreFile is a .dockerignore file. The zero value, without a name, stands for no such file.
type IgnoreFile struct {
	Name     string
	Data     []byte
	Patterns []string
}

// ErrNotGiven says that there is no named context of that name.
var ErrNotGiven = errors.New("there is no named context of that name")

// ContextError is an error about a named context. It wraps nothing: the client would show the innermost message of a wrapped
// error, which is BuildKit's.
type ContextError struct {
	Name, Given string
	Err         error
}

func (e *ContextError) Error() string {
	return fmt.Sprintf("named context %s: %s: %v", e.Name, e.Given, e.Err)
}

// AppContext is the named context that replaces the main context as the app.
const AppContext = "context"

// ImageScheme begins the identifier of an image, in named contexts and in source operations.
const ImageScheme = "docker-image://"

// Given returns the name that the user, or the packfile, has for what a named context stands for; "" when there is none. opts are
// the options of the build.
func Given(opts map[string]string, name string, p ocispecs.Platform) string {
	given, _ := lookUp(opts, name, p)
	return strings.TrimPrefix(given, ImageScheme)
}

// IsGiven reports whether there is a named context.
func IsGiven(opts map[string]string, name string, p ocispecs.Platform) bool {
	_, ok := lookUp(opts, name, p)
	return ok
}

// lookUp finds the option of a named context. The option for the platform goes first.
func lookUp(opts map[string]string, name string, p ocispecs.Platform) (given string, ok bool) {
	if given, ok = opts["context:"+name+"::"+platforms.FormatAll(platforms.Normalize(p))]; !ok {
		given, ok = opts["context:"+name]
	}
	return given, ok
}

// CheckPlatform fails for an image that is for another platform than p. BuildKit has searched an index for it, but a
// reference that is no index resolves for any platform.
func CheckPlatform(cfg *dockerspec.DockerOCIImage, p ocispecs.Platform) error {
	if cfg == nil {
		return nil // scratch, or a folder
	}
	if cfg.OS == "" || cfg.Architecture == "" {
		return errors.New("it is no image that could be used: its config has no os and architecture")
	}
	is, want := platforms.Normalize(cfg.Platform), platforms.Normalize(p)
	if is.OS != want.OS || is.Architecture != want.Architecture || cfg.Variant != "" && !platforms.Only(want).Match(is) {
		return fmt.Errorf("the image is for %s, and not for %s", platforms.Format(is), platforms.Format(want))
	}
	return nil
}
