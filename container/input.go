// Package container makes the steps of a build as LLB: each is one process of packfile-step in a container, with what it is told
// and what it sees. It is for the packages that ask questions and make layers (group, graph, image). It does not say which steps
// a build has, nor what follows from their answers.
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

// DefaultTime is the time of every file in an image when SOURCE_DATE_EPOCH is not given. Steps always see files with this time, so
// that another epoch reruns no step.
var DefaultTime = time.Unix(step.DefaultTime, 0).UTC()

// Input is everything that goes into the steps of a build for one platform.
type Input struct {
	Root *module.Module // the packfile being built

	Platform ocispecs.Platform
	Multi    bool // more than one platform is built: names say which
	Build    Base
	Packages *Wanted  // packages in the build image that scripts see; nil for none
	Tools    bk.State // the frontend's own image for Platform
	Native   Native
	App      App
	Sources  source.Maker // makes deps, which come from outside

	Owner   llb.Owner       // user of steps, owner of app and layers
	Project string          // identity of the app: two projects never share views and caches
	CacheNS string          // prefix that the user wants for cache ids
	Args    []step.Variable // build arguments, of which each step sees those that its section lists
	Env     []step.Variable // variables that every step sees: those of a project descriptor, with the values of build arguments of their names
	NetMode pb.NetMode      // forced on every step unless it is the default
	Limits  []bk.RunOption
	NoCache func(layer string) bool // by name, or by MODULE/NAME
}

// Base is an image that steps run in, or that lies below the app image.
type Base struct {
	State  bk.State
	Config *dockerspec.DockerOCIImage // nil when it has none (scratch, a folder)
	Digest digest.Digest              // of its manifest, or of what else identifies it
	Exact  bool                       // equal digests are equal contents
	// Defined and Floating are those of source.Resolved: the image is made by operations, and why it is not Exact.
	Defined  bool
	Floating string
	// Name is the name that users have for it in a registry. Repository is the same in full, without tag or digest. Both are ""
	// when it is not in a registry.
	Name, Repository string
}

// Reference returns a name for exactly this image, "" when there is none.
func (base Base) Reference() string {
	switch {
	case !base.Exact || base.Defined:
		return ""
	case base.Repository == "":
		return base.Digest.String()
	}
	return base.Repository + "@" + base.Digest.String()
}

// Inexact says why the image is not Exact.
func (base Base) Inexact() string {
	if base.Floating == "" {
		return "the build image has no digest"
	}
	return "the build image has no digest, since it is made from " + base.Floating
}

// Home returns HOME of the image's environment, "" when it has none.
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

// Native is what steps without scripts run on: the builder's own platform. These steps are the same for every target platform, so
// that they run once.
type Native struct {
	Platform ocispecs.Platform
	Tools    bk.State // the frontend's own image for Platform
}

// App is the app's source.
type App struct {
	// Tree is the app as this build has it.
	Tree bk.State
	// Stable is the same tree in a form that is equal in every build (a local source without its session, a branch of a Git
	// repository), for keyed views. It is nil when there is none: then steps are cached by the app's content.
	Stable *bk.State
	// Hidden are paths of the app that nothing sees: places of symbolic links (packfile.Symlink). They are sorted, and no two are
	// equal. Whoever copies from Tree or Stable leaves them out: see Excluded.
	Hidden []string
}
