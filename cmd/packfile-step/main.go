// Packfile-step runs one step inside a build container. Under the name get-dep it prints the path of a dep.
package main

import (
	"os"

	"github.com/packfile/frontend/step/run"
)

func main() { os.Exit(run.Main(os.Args, os.Environ())) }
