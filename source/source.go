// Package source is the one door for everything that comes from outside the build: images, files and repositories of the network,
// folders of the client, the app, the frontend's own image. A Source says what is wanted; a Resolver gives its content as LLB, and
// says what it came to. What the answer is made from is a matter of decorators around a Resolver: source/live asks the world.
package source

import (
	"context"
	"io/fs"

	bk "github.com/moby/buildkit/client/llb"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/packfile"
)

// Resolver gives sources.
type Resolver interface {
	// Resolve returns the content of a source, and what it came to. It may ask the client or a registry, and it does not wait for
	// the content itself to arrive.
	Resolve(ctx context.Context, s Source) (bk.State, Resolved, error)
}

// ResolverFunc is a function that is a Resolver.
type ResolverFunc func(ctx context.Context, s Source) (bk.State, Resolved, error)

// Resolve calls the function.
func (f ResolverFunc) Resolve(ctx context.Context, s Source) (bk.State, Resolved, error) {
	return f(ctx, s)
}

// Maker gives the content of a source that takes no look-up, as a File: for rooms that make no calls.
type Maker func(Source) (bk.State, error)

// Source is one of the kinds below.
type Source interface {
	// Wanted returns what all kinds of sources have.
	Wanted() Wanted
}

// Wanted is what is wanted, for those who need not know of every kind.
type Wanted struct {
	Kind     Kind
	Ref      string             // the reference, address or name; "" when the kind says it all
	Digest   digest.Digest      // that the content must have, "" for any
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
	packfile.Range
}

// Image is an image in a registry.
type Image struct {
	Ref      string
	Platform ocispecs.Platform
	LookUp   string // what looking it up is called
	Name     string // what its operation is called, with the reference behind it
	At       Place
}

// Wanted returns what is wanted.
func (s Image) Wanted() Wanted {
	return Wanted{Kind: ImageKind, Ref: s.Ref, Platform: &s.Platform, At: s.At}
}

// Blob is one blob of a repository in a registry, as a file.
type Blob struct {
	Repository string // in full, without tag
	Digest     digest.Digest
	File       string // its name
	Name       string // what its operation is called
}

// Wanted returns what is wanted.
func (s Blob) Wanted() Wanted {
	return Wanted{Kind: BlobKind, Ref: s.Repository, Digest: s.Digest}
}

// File is a file that is downloaded over HTTP.
type File struct {
	URI    string
	Digest digest.Digest // "" for any: BuildKit asks the server in every build
	File   string        // its name
	Mode   fs.FileMode   // 0 for BuildKit's own
	Owner  *llb.Owner    // nil for root
	Accept []string      // media types that are asked for
	At     Place
	Shown  []bk.ConstraintsOpt // how BuildKit shows the operation: name, place, description
}

// Wanted returns what is wanted.
func (s File) Wanted() Wanted {
	return Wanted{Kind: FileKind, Ref: s.URI, Digest: s.Digest, At: s.At}
}

// Git is a folder of a Git repository.
type Git struct {
	Address string // as BuildKit has it: URL#REF:FOLDER
	// Foreign says that a module names it. The server may be anybody's, so it is fetched without the user's tokens and keys.
	Foreign bool
	At      Place
}

// Wanted returns what is wanted.
func (s Git) Wanted() Wanted { return Wanted{Kind: GitKind, Ref: s.Address, At: s.At} }

// Context is what the user gives under a name (--build-context NAME=…), or the packfile with a key of that name.
type Context struct {
	Name     string
	Platform ocispecs.Platform
	// Pinned is for an image whose config is read: its layers are those of the same digest, whatever its tag means by then.
	Pinned bool
	// Ignored is for a folder of the client that is itself what is wanted: what its .dockerignore names is no part of it, and a
	// .dockerignore that cannot be read is an error. Else BuildKit's dockerui looks for that file, and one that it cannot read is none.
	Ignored bool
	At      Place
}

// Wanted returns what is wanted.
func (s Context) Wanted() Wanted {
	return Wanted{Kind: ContextKind, Ref: s.Name, Platform: &s.Platform, At: s.At}
}

// App is what is built: the main context, or the named context "context" in its place. What .dockerignore names is no part of it,
// and neither is .git.
type App struct {
	Platform   ocispecs.Platform
	KeepGitDir bool // .git is part of it
}

// Wanted returns what is wanted.
func (s App) Wanted() Wanted { return Wanted{Kind: AppKind, Platform: &s.Platform} }

// AppTime is when the main context was last changed, as its server or its commit says. It has no content.
type AppTime struct{}

// Wanted returns what is wanted.
func (AppTime) Wanted() Wanted { return Wanted{Kind: AppTimeKind} }

// Beside is what stands beside the packfile that is built.
type Beside struct {
	Paths []string // relative to its folder; nothing else is asked of the client
	Mode  string   // of the files, as chmod(1) has it
}

// Wanted returns what is wanted.
func (s Beside) Wanted() Wanted { return Wanted{Kind: BesideKind} }

// Tools is the frontend's own image: it has what steps and app images need of ours.
type Tools struct {
	Platform ocispecs.Platform
	Checked  bool // it is an error when the image is not there for the platform
}

// Wanted returns what is wanted.
func (s Tools) Wanted() Wanted { return Wanted{Kind: ToolsKind, Platform: &s.Platform} }
