// Launcher starts a process of a Cloud Native Buildpacks app image. In the image it is /cnb/lifecycle/launcher, and each
// /cnb/process/TYPE links to it.
package main

import (
	"fmt"
	"os"

	"github.com/packfile/frontend/cnb/launch"
)

func main() {
	err := launch.Run(os.Args, os.Environ())
	fmt.Fprintln(os.Stderr, "launcher:", err)
	os.Exit(launch.ExitCode(err))
}
