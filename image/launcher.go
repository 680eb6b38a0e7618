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

// Found is a tree with nothing but the launcher, at LauncherPath. It is empty when the image has none.
func (l *Launcher) Found() bk.State {
	info := &bk.CopyInfo{CopyDirContentsOnly: true, IncludePatterns: []string{strings.TrimPrefix(LauncherPath, "/")}}
	return bk.Scratch().File(bk.Copy(l.State, "/", "/", info), bk.WithCustomName("[internal] look for the launcher"))
}

// launcher is where the image's launcher comes from.
func (s assembly) launcher() (tree bk.State, file string) {
	if s.Launcher != nil {
		return s.Launcher.State, LauncherPath
	}
	return s.Tools, toolsLauncher
}

// launcherVersion is the version of the image's launcher, "" when it is not known.
func (s assembly) launcherVersion() string {
	if s.Launcher != nil {
		return s.Launcher.Version
	}
	return launch.Version
}
