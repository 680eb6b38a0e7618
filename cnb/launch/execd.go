package launch

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/packfile/frontend/cnb/api"
)

// maxExecD bounds the output of a program of exec.d, in bytes: the kernel takes no larger environment.
const maxExecD = 2 << 20

// runExecD runs the programs of exec.d one after another, each in the environment that those before it left
// (buildpack specification, "exec.d").
func (l *launcher) runExecD(all []buildpackLayers, kind string) error {
	programs, err := filesOf(all, "exec.d", kind, func(v api.Version) bool { return v.AtLeast(buildpackExecD) })
	if err != nil {
		return fmt.Errorf("exec.d: %w", err)
	}
	for _, program := range programs {
		vars, err := l.runProgram(program)
		if err != nil {
			return fmt.Errorf("%s: %w", program, err)
		}
		for name, value := range vars {
			l.env.Set(name, value)
		}
	}
	return nil
}

// runProgram runs a program of exec.d and returns the variables that it wrote to its file descriptor 3, as TOML.
func (l *launcher) runProgram(path string) (map[string]string, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	cmd := exec.Command(path)
	cmd.Env = l.env.List()
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.ExtraFiles = []*os.File{w}
	err = cmd.Start()
	w.Close()
	if err != nil {
		return nil, err
	}
	out, readErr := io.ReadAll(io.LimitReader(r, maxExecD+1))
	// Close the reading end: a program that writes more then ends, and does not block Wait.
	r.Close()
	if err := cmd.Wait(); err != nil && len(out) <= maxExecD {
		return nil, err
	}
	if readErr != nil {
		return nil, readErr
	}
	if len(out) > maxExecD {
		return nil, fmt.Errorf("its output is larger than %d bytes", maxExecD)
	}
	vars := map[string]string{}
	if _, err := toml.NewDecoder(strings.NewReader(string(out))).Decode(&vars); err != nil {
		return nil, fmt.Errorf("its output is not a TOML table of strings: %w", err)
	}
	return vars, nil
}
