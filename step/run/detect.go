package run

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"unicode/utf8"

	"github.com/packfile/frontend/cnb/env"
	"github.com/packfile/frontend/layer"
	"github.com/packfile/frontend/step"
)

// planFile is the name of the build plan in step.OutDir, the one folder that exists and is ours in any image. report
// removes it.
const planFile = "plan.toml"

// detect runs bin/detect of a buildpack (Buildpack API, "Detection").
func (r *runner) detect(task step.Detect) error {
	plan := filepath.Join(r.out, planFile)
	if err := os.WriteFile(plan, nil, 0o644); err != nil {
		return err
	}
	if err := r.writePlatform(task.Platform); err != nil {
		return err
	}
	var result step.Result
	result.ExitCode, result.Failed = r.runDetect(task, plan)
	if result.ExitCode == 0 && result.Failed == "" {
		result.Plan, result.Failed = readPlan(plan)
	}
	if result.Failed != "" {
		say(step.StepBinary, result.Failed)
	}
	return r.report(result)
}

// writePlatform writes the platform environment into its folder: a file for each variable whose name can be a file name.
func (r *runner) writePlatform(platform []step.Variable) error {
	dir := filepath.Join(r.platform, "env")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, v := range platform {
		if len(v.Name) > 255 || v.Name == "." || v.Name == ".." || strings.Contains(v.Name, "/") {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, v.Name), []byte(v.Value), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// runDetect runs bin/detect and returns its exit code, or in failed another failure.
func (r *runner) runDetect(task step.Detect, plan string) (code int, failed string) {
	detect := filepath.Join(task.Program.Dir, "bin", "detect")
	if _, err := os.Stat(detect); err != nil {
		return 0, "bin/detect is not there"
	}
	// The arguments are those of Buildpack API 0.7. Later APIs use variables instead, and lifecycles pass both.
	e, err := r.programEnv(task, plan)
	if err != nil {
		return 0, "bin/detect cannot be run: " + err.Error()
	}
	status, err := r.start(program{path: detect, words: []string{detect, r.platform, plan}, dir: r.app, environ: e.List()})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, "bin/detect has an interpreter or dynamic loader that is not in the build image"
	case err != nil:
		return 0, fmt.Sprintf("bin/detect cannot be run: %v", err)
	case status.Signaled():
		return 0, fmt.Sprintf("bin/detect was killed by signal %d (%v)", status.Signal(), status.Signal())
	}
	return status.ExitStatus(), ""
}

// passedOn are the variables of the build image that a buildpack's program gets, besides path variables: those that the
// lifecycle passes on (env.NewBuildEnv).
var passedOn = []string{"CNB_STACK_ID", "HOME", "HOSTNAME", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"}

// buildConfigEnv is the env folder of the build image by which its operator sets variables for buildpacks, in the build
// container (Platform API 0.11, "Operator-Defined Variables").
const buildConfigEnv = "/cnb/build-config/env"

// programEnv returns the environment of a buildpack's program: the variables that the Buildpack API lists, those that the
// build image's operator sets, and the platform's variables unless the buildpack wants none. It has nothing else of the
// build image.
func (r *runner) programEnv(task step.Detect, plan string) (*env.Env, error) {
	e := r.imageEnv()
	for _, kv := range e.List() {
		name, _, _ := strings.Cut(kv, "=")
		if !slices.Contains(passedOn, name) && !env.IsPath(name) {
			e.Unset(name)
		}
	}
	if !task.Program.ClearEnv {
		for _, v := range task.Platform {
			e.AddPlatform(v.Name, v.Value)
		}
	}
	if err := e.AddDir(filepath.Join(r.root, buildConfigEnv), env.Default); err != nil {
		return nil, err
	}
	for _, v := range task.Program.Env {
		if v.Value == "" {
			e.Unset(v.Name)
			continue
		}
		e.Set(v.Name, v.Value)
	}
	e.Set("CNB_BUILDPACK_DIR", task.Program.Dir)
	e.Set("CNB_PLATFORM_DIR", r.platform)
	e.Set("CNB_BUILD_PLAN_PATH", plan)
	return e, r.trustAndHome(e, nil)
}

// readPlan reads the build plan that bin/detect left, up to its limit, or returns in failed what is wrong with it. It
// does not parse the plan.
func readPlan(file string) (text, failed string) {
	info, err := os.Lstat(file)
	switch {
	case err != nil:
		return "", "build plan is gone"
	case info.IsDir():
		return "", "build plan is a folder"
	case !info.Mode().IsRegular():
		return "", "build plan is a " + layer.TypeName(info.Mode())
	}
	f, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", "build plan cannot be read"
	}
	defer f.Close()
	if info.Size() > step.MaxPlan {
		return "", fmt.Sprintf("build plan has %d bytes, more than the %d that it may have", info.Size(), step.MaxPlan)
	}
	data, err := io.ReadAll(io.LimitReader(f, step.MaxPlan))
	if err != nil {
		return "", "build plan cannot be read"
	}
	if !utf8.Valid(data) { // which JSON would not keep
		return "", fmt.Sprintf("build plan is not valid UTF-8 on line %d", 1+bytes.Count(data[:validPrefix(data)], []byte("\n")))
	}
	return string(data), ""
}

// validPrefix returns the number of bytes before the first that are not UTF-8.
func validPrefix(data []byte) (n int) {
	for n < len(data) {
		r, size := utf8.DecodeRune(data[n:])
		if r == utf8.RuneError && size <= 1 {
			break
		}
		n += size
	}
	return n
}
