// Package convert turns packfiles and facts about an app into a graph: which layers, in what order, with which keys,
// and the LLB state of each.
package convert

import (
	"time"

	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/group"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/previous"
)

// Input is everything that a Build is made of, for one platform.
type Input struct {
	container.Input
	Modules []*module.Module // all that may take part, no two with one id and version; Root is one of them unless it only says which there are

	Distro   group.Distro // that a file of the build image says it is, for when its labels say none
	Run      container.Base
	Launcher *Launcher // in place of ours; nil for ours

	User   string            // user of the app image
	Time   time.Time         // of every file in the image
	Now    time.Time         // for refresh
	Labels map[string]string // of the app image, on top of the run image's
	Target string            // build only this layer, NAME or MODULE/NAME; "" for the image

	Layering      llb.Layering
	Previous      *previous.Image // image that layers are taken over from; nil for none
	BuildNothing  bool            // ask no question that takes a run step
	CacheImported bool            // the user named caches to import: what they have of one layer must not be of use only with the others
}

// Build is what a build for one platform starts from: which modules there are, and what its steps are made of. It finds out
// which modules take part (Try); a Graph is what these come down to.
type Build struct {
	*group.Detector
	in Input
}

// New begins a build. The packfiles must be valid (packfile.Parse).
func New(in Input) *Build {
	return &Build{&group.Detector{Builder: container.New(in.Input), Modules: in.Modules, Distro: in.Distro}, in}
}
