package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/packfile/frontend/cnb/launch"
)

// Paths of the compiled launcher and of testdata/report.
var launcherBinary, reportBinary string

func TestMain(m *testing.M) {
	// The code of the program below has to be in this binary too, or go test takes results from its cache after a change.
	runtime.KeepAlive(main)
	dir, err := os.MkdirTemp("", "launcher-test")
	if err != nil {
		panic(err)
	}
	launcherBinary, reportBinary = filepath.Join(dir, "launcher"), filepath.Join(dir, "report")
	code := 1
	if build(launcherBinary, ".") && build(reportBinary, "./testdata/report") {
		code = m.Run()
	}
	os.RemoveAll(dir)
	os.Exit(code)
}

// build compiles a program as the frontend's image does.
func build(out, pkg string) bool {
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-buildvcs=false", "-o", out, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	return cmd.Run() == nil
}

// image is the part of an app image that the launcher looks at.
type image struct {
	t        *testing.T
	dir      string
	metadata launch.Metadata
	env      []string
	attr     *syscall.SysProcAttr
}

func newImage(t *testing.T) *image {
	i := &image{t: t, dir: t.TempDir()}
	i.env = []string{"CNB_LAYERS_DIR=" + i.path("layers"), "CNB_APP_DIR=" + i.path("app"), "CNB_PLATFORM_API=0.12",
		"CNB_DEPRECATION_MODE=quiet", "PATH=/cnb/process:/cnb/lifecycle:/usr/bin:/bin"}
	i.mkdir("app")
	return i
}

func (i *image) path(name string) string { return filepath.Join(i.dir, name) }

func (i *image) mkdir(name string) {
	i.t.Helper()
	if err := os.MkdirAll(i.path(name), 0o755); err != nil {
		i.t.Fatal(err)
	}
}

func (i *image) write(name, content string) {
	i.t.Helper()
	i.mkdir(filepath.Dir(name))
	if err := os.WriteFile(i.path(name), []byte(content), 0o755); err != nil {
		i.t.Fatal(err)
	}
}

// copy puts a program into the image.
func (i *image) copy(binary, name string) {
	i.t.Helper()
	data, err := os.ReadFile(binary)
	if err != nil {
		i.t.Fatal(err)
	}
	i.write(name, string(data))
}

func (i *image) buildpack(id, api string, processes ...launch.Process) {
	i.metadata.Buildpacks = append(i.metadata.Buildpacks, launch.Buildpack{ID: id, Version: "1", API: api})
	for _, p := range processes {
		p.Buildpack = id
		i.metadata.Processes = append(i.metadata.Processes, p)
	}
}

type outcome struct {
	code           int
	stdout, stderr string
}

// run runs the launcher under a name.
func (i *image) run(name string, args ...string) outcome {
	i.t.Helper()
	if i.metadata.Buildpacks != nil {
		data, err := i.metadata.TOML()
		if err != nil {
			i.t.Fatal(err)
		}
		i.write("layers/config/metadata.toml", string(data))
	}
	cmd := exec.Command(launcherBinary, args...)
	cmd.Args[0] = "/cnb/process/" + name
	cmd.Env, cmd.Dir, cmd.SysProcAttr = i.env, "/", i.attr
	if i.attr != nil {
		cmd.Path = "/launcher"
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		i.t.Fatal(err)
	}
	return outcome{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// started is what testdata/report tells.
type started struct {
	Args, Env []string
	Dir       string
}

func (s started) get(name string) string {
	for _, entry := range s.Env {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}

func (i *image) report(name string, args ...string) started {
	i.t.Helper()
	got := i.run(name, args...)
	var s started
	if err := json.Unmarshal([]byte(got.stdout), &s); err != nil || got.code != 0 {
		i.t.Fatalf("exit code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	return s
}
