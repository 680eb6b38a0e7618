// Package container makes the steps of a build: each is one process of packfile-step in a container, as LLB, with what it is told and
// what it sees. It is not about which steps there are, nor about what follows from what they say.
package container

import (
	"strings"
	"time"

	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/source"
	"github.com/packfile/frontend/step"
)

// DefaultTime is the time of every file in an image when SOURCE_DATE_EPOCH is not given: the one that the Cloud Native
// Buildpacks lifecycle uses. Steps see their files with this time always, so that another epoch reruns none of them.
var DefaultTime = time.Date(1980, 1, 1, 0, 0, 1, 0, time.UTC)

// Input is everything that the steps of a build for one platform are made of.
type Input struct {
	Root *module.Module // the packfile that is built

	Platform ocispecs.Platform
	Multi    bool // more than one platform is built: names say which
	Build    Base
	Tools    bk.State // the frontend's own image for Platform
	Native   Native
	App      App
	Sources  source.Maker // gives deps, which come from outside

	Owner   llb.Owner       // user of steps, owner of app and layers
	Project string          // identity of the app: views and caches of two projects are never shared
	CacheNS string          // prefix of cache ids that the user asked for
	Args    []step.Variable // platform environment, sorted by name
	NetMode pb.NetMode      // forced on every step unless it is the default
	Limits  []bk.RunOption
	NoCache func(layer string) bool // by name, or by MODULE/NAME
}

// Base is an image that steps run in, or that the app image is put on.
type Base struct {
	State  bk.State
	Config *dockerspec.DockerOCIImage // nil when it has none (scratch, a folder)
	Digest digest.Digest              // of its manifest, or of what else identifies it
	Exact  bool                       // equal digests are equal contents
	// Name is what users call it in a registry, and Repository the same in full and without tag or digest; "" when it is not in
	// one.
	Name, Repository string
}

// Reference names exactly this image, "" when there is no such name.
func (base Base) Reference() string {
	switch {
	case !base.Exact:
		return ""
	case base.Repository == "":
		return base.Digest.String()
	}
	return base.Repository + "@" + base.Digest.String()
}

// Home is HOME of the image's environment, "" when it has none.
func (base Base) Home() string {
	if base.Config == nil {
		return ""
	}
	for _, kv := range base.Config.Config.Env {
		if home, ok := strings.CutPrefix(kv, "HOME="); ok {
			return home
		}
	}
	return ""
}

// Native is what steps run on that run no script: the builder's own platform. They are the same for every platform that is
// built for, so that they run once.
type Native struct {
	Platform ocispecs.Platform
	Tools    bk.State // the frontend's own image for it
}

// App is the app's source.
type App struct {
	// Tree is the app as this build has it.
	Tree bk.State
	// Stable is the same tree in a form that is equal in every build (a local source without its session, a branch of a Git
	// repository), for keyed views. Nil when there is none: then steps are cached by the app's content.
	Stable *bk.State
}
