package main

import (
	"os"

	"github.com/packfile/frontend/internal/testbed"
)

// launcherBinary is where hack/binaries.sh left what is in the frontend image.
const launcherBinary = ".dev/frontend/out/launcher"

// measureSizes is about what is downloaded: the frontend image, and the launcher in every app image.
func (b *bench) measureSizes() error {
	ours, err := testbed.ReadImage(b.ctx, b.images.packfile)
	if err != nil {
		return err
	}
	theirs, err := testbed.ReadImage(b.ctx, b.images.dockerfile)
	if err != nil {
		return err
	}
	launcher, err := os.Stat(launcherBinary)
	if err != nil {
		return err
	}
	under("frontend image, compressed", megabytes, float64(ours.Size()), float64(theirs.Size()), 20e6).print()
	under("launcher", megabytes, float64(launcher.Size()), 0, 3e6).print()
	return nil
}
