// Package source is the one door for everything that comes from outside the build: images, files and repositories of the network,
// folders of the client, the app, the frontend's own image. It is for all rooms that need such things. A Source says what is
// wanted; a Resolver returns its content as LLB, and what it resolved to. The package asks nobody itself: source/live is the
// Resolver that asks the world, and decorators around a Resolver may change or refuse answers.
package source

import (
	"context"
	"io/fs"

	bk "github.com/moby/buildkit/client/llb"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/node"
)

// Resolver returns the content of sources.
type Resolver interface {
	// Resolve returns the content of a source, and what the source resolved to. It may ask the client or a registry. It does not
	// wait for the content itself to arrive.
	Resolve(ctx context.Context, s Source) (bk.State, Resolved, error)
}

// Maker returns the content of a source that takes no look-up, such as a File. It is for rooms that make no calls.
type Maker func(Source) (bk.State, error)

// Source is something from outside, of one of the kinds below.
type Source interface {
	// Wanted returns the fields that all kinds of sources have.
	Wanted() Wanted
}

// Wanted describes a source to those who need not know every kind.
type Wanted struct {
	Kind     Kind
	Ref      string             // the reference, address or name; "" when the kind says everything
	Digest   digest.Digest      // of the content, "" for any
	Platform *ocispecs.Platform // nil for any
	At       Place
}

// Kind is a kind of source.
type Kind string

// The kinds of sources.
const (
	ImageKind   Kind = "image"
	BlobKind    Kind = "blob"
	FileKind    Kind = "file"
	GitKind     Kind = "git"
	ContextKind Kind = "context"
	AppKind     Kind = "app"
	AppTimeKind Kind = "app time"
	BesideKind  Kind = "beside the packfile"
	ToolsKind   Kind = "frontend image"
)

// Place is where the user's file names a source; the zero Place is nowhere.
type Place struct {
	Filename string
	node.Range
}

// Image is an image in a registry.
type Image struct {
	Ref      string
	Platform ocispecs.Platform
	LookUp   string // what messages call the look-up
	Name     string // name of its operation, which gets the reference behind it
	At       Place
	Shown    []bk.ConstraintsOpt // how else BuildKit shows the operation: place, description
}

// Wanted implements Source.
func (s Image) Wanted() Wanted {
	return Wanted{Kind: ImageKind, Ref: s.Ref, Platform: &s.Platform, At: s.At}
}

// Blob is one blob of a repository in a registry, as a file.
type Blob struct {
	Repository string // in full, without tag
	Digest     digest.Digest
	File       string // its name
	Name       string // name of its operation
}

// Wanted implements Source.
func (s Blob) Wanted() Wanted {
	return Wanted{Kind: BlobKind, Ref: s.Repository, Digest: s.Digest}
}

// File is a file to download over HTTP.
type File struct {
	URI    string
	Digest digest.Digest // "" for any: BuildKit asks the server in every build
	File   string        // its name
	Mode   fs.FileMode   // 0 for BuildKit's own
	Owner  *llb.Owner    // nil for root
	Accept []string      // media types to ask for
	At     Place
	Shown  []bk.ConstraintsOpt // how BuildKit shows the operation: name, place, description
}

// Wanted implements Source.
func (s File) Wanted() Wanted {
	return Wanted{Kind: FileKind, Ref: s.URI, Digest: s.Digest, At: s.At}
}

// Git is a folder of a Git repository.
type Git struct {
	Address string // as BuildKit has it: URL#REF:FOLDER
	// Foreign says that a module names it. The server may be anybody's, so it is fetched without the user's tokens and keys.
	Foreign bool
	// Pinned is for a repository whose commit counts: the commit is looked up, and the content is that commit's even when the branch
	// has moved on. It takes a look-up unless the address names the commit.
	Pinned bool
	At     Place
	Shown  []bk.ConstraintsOpt // how BuildKit shows the operation of a Pinned one: name, place, description
}

// Wanted implements Source.
func (s Git) Wanted() Wanted { return Wanted{Kind: GitKind, Ref: s.Address, At: s.At} }

// Context is a named context: what the user gives under a name (--build-context NAME=…), or the packfile with a key of that name.
type Context struct {
	Name     string
	Platform ocispecs.Platform
	// Pinned is for an image whose config is read: its layers come by the same digest, even when the tag has moved on.
	Pinned bool
	// Ignored is for a folder of the client that is used as it is: files that its .dockerignore names are left out, and a
	// .dockerignore that cannot be read is an error. Without Ignored, BuildKit's dockerui looks for that file, and ignores one
	// that it cannot read.
	Ignored bool
	At      Place
}

// Wanted implements Source.
func (s Context) Wanted() Wanted {
	return Wanted{Kind: ContextKind, Ref: s.Name, Platform: &s.Platform, At: s.At}
}

// App is the app: the main context, or the named context "context" in its place. Files that .dockerignore names are left out, and
// so is .git.
type App struct {
	Platform   ocispecs.Platform
	KeepGitDir bool // .git is kept
	// Hidden are paths of which nobody looks at more than whether the app has them: a client is not asked for what folders there
	// hold.
	Hidden []string
}

// Wanted implements Source.
func (s App) Wanted() Wanted { return Wanted{Kind: AppKind, Platform: &s.Platform} }

// AppTime asks when the main context last changed, as its server or its commit says. It has no content.
type AppTime struct{}

// Wanted implements Source.
func (AppTime) Wanted() Wanted { return Wanted{Kind: AppTimeKind} }

// Beside is some files in the folder of the packfile being built.
type Beside struct {
	Paths []string // relative to the folder; the client is asked for nothing else
	Mode  string   // of the files, as chmod(1) has it
}

// Wanted implements Source.
func (s Beside) Wanted() Wanted { return Wanted{Kind: BesideKind} }

// Tools is the frontend's own image, with the programs that steps and app images need.
type Tools struct {
	Platform ocispecs.Platform
	Checked  bool // fail when the image does not exist for the platform
}

// Wanted implements Source.
func (s Tools) Wanted() Wanted { return Wanted{Kind: ToolsKind, Platform: &s.Platform} }
