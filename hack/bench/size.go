package main

import "os"

// launcherBinary is where hack/binaries.sh left what is in the frontend image.
const launcherBinary = ".dev/frontend/out/launcher"

// measureSizes is about what is downloaded: the frontend image, and the launcher in every app image.
func (b *bench) measureSizes() error {
	ours, err := b.imageSize(b.images.packfile)
	if err != nil {
		return err
	}
	theirs, err := b.imageSize(b.images.dockerfile)
	if err != nil {
		return err
	}
	launcher, err := os.Stat(launcherBinary)
	if err != nil {
		return err
	}
	under("frontend image, compressed", megabytes, ours, theirs, 20e6).print()
	under("launcher", megabytes, float64(launcher.Size()), 0, 3e6).print()
	return nil
}
