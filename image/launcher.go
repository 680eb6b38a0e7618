package image

import (
	"strings"

	bk "github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/cnb/launch"
	"github.com/packfile/frontend/container"
)

// Launcher is a lifecycle image whose launcher app images get.
type Launcher struct {
	container.Base
	Version string // of the lifecycle, "" when the image does not say
}

// Found returns a tree with the launcher at LauncherPath and nothing else. The tree is empty when the image has no launcher.
func (l *Launcher) Found() bk.State {
	info := &bk.CopyInfo{CopyDirContentsOnly: true, IncludePatterns: []string{strings.TrimPrefix(LauncherPath, "/")}}
	return bk.Scratch().File(bk.Copy(l.State, "/", "/", info), bk.WithCustomName("[internal] look for the launcher"))
}

// launcher returns the tree and the file that the image's launcher is copied from.
func (s assembly) launcher() (tree bk.State, file string) {
	if s.Launcher != nil {
		return s.Launcher.State, LauncherPath
	}
	return s.Tools, toolsLauncher
}

// launcherVersion returns the version of the image's launcher, "" when it is unknown.
func (s assembly) launcherVersion() string {
	if s.Launcher != nil {
		return s.Launcher.Version
	}
	return launch.Version
}
