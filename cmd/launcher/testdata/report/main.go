// Report prints how it was started, as JSON: the process of the launcher's tests. As a program of exec.d (named
// *.execd) it writes what the variable EXECD holds to file descriptor 3 instead.
package main

import (
	"encoding/json"
	"os"
	"strings"
)

func main() {
	if strings.HasSuffix(os.Args[0], ".execd") {
		os.NewFile(3, "output").WriteString(os.Getenv("EXECD"))
		return
	}
	dir, _ := os.Getwd()
	json.NewEncoder(os.Stdout).Encode(map[string]any{"args": os.Args, "env": os.Environ(), "dir": dir, "pid": os.Getpid()})
}
