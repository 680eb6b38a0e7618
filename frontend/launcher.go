package frontend

import (
	"context"
	"errors"
	"fmt"
	"path"

	gw "github.com/moby/buildkit/frontend/gateway/client"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/cnb/label"
	"github.com/packfile/frontend/image"
	"github.com/packfile/frontend/tree"
)

// launcherName is the named context that stands for a lifecycle image, and the key of [config] that it overrides.
const launcherName = "launcher"

// findLauncher finds the lifecycle image whose launcher the app image gets. It returns nil when nobody named one.
func (b imageFinder) findLauncher(ctx context.Context, p ocispecs.Platform) (*image.Launcher, error) {
	if b.ui.Target != "" || b.givenName(launcherName, p) == "" {
		return nil, nil
	}
	base, err := b.loadImage(ctx, launcherName, p)
	if err != nil {
		return nil, err
	}
	l := &image.Launcher{Base: base}
	if base.Config != nil {
		l.Version = base.Config.Config.Labels[label.LifecycleVersion]
	}
	if err := b.checkLauncher(ctx, l); err != nil {
		return nil, b.imageError(launcherName, p, err)
	}
	return l, nil
}

// checkLauncher fails when an image has no launcher.
func (s *solver) checkLauncher(ctx context.Context, l *image.Launcher) error {
	if l.State.Output() == nil {
		return errors.New("it is no image")
	}
	ref, err := s.solve(ctx, l.Found())
	if err != nil {
		return err
	}
	files, err := ref.ReadDir(ctx, gw.ReadDirRequest{Path: "/"})
	if err == nil && len(files) > 0 {
		files, err = ref.ReadDir(ctx, gw.ReadDirRequest{Path: path.Dir(image.LauncherPath)})
	}
	switch {
	case err != nil:
		return err
	case len(files) == 0:
		return fmt.Errorf("the image has no %s", image.LauncherPath)
	case files[0].IsDir() || tree.IsSymlink(files[0]):
		return fmt.Errorf("%s of the image is no regular file", image.LauncherPath)
	}
	return nil
}
