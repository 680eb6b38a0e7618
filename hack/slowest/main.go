// Command slowest runs go test with the arguments that it is given, prints what go test prints, and then the ten tests that took
// longest. It ends with the status of go test.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
)

func main() {
	status, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "slowest:", err)
		status = 1
	}
	os.Exit(status)
}

func run(args []string) (status int, err error) {
	cmd := exec.Command("go", append([]string{"test", "-json"}, args...)...)
	cmd.Stderr = os.Stderr
	events, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	const shown = 10
	r := report{out: os.Stdout, all: slices.Contains(args, "-v")}
	err = r.read(events)
	r.printSlowest(shown)
	ended := cmd.Wait()
	var exit *exec.ExitError
	if errors.As(ended, &exit) {
		return exit.ExitCode(), err
	}
	return 0, errors.Join(err, ended)
}
