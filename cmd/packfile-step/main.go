// Packfile-step runs one step inside a build container. It is also get-dep, when it is run by that name.
package main

import (
	"os"

	"github.com/packfile/frontend/step/run"
)

func main() { os.Exit(run.Main(os.Args, os.Environ())) }
