// Package run is packfile-step and get-dep: it runs one step inside a build container, as the spec of package step says.
// No other code of the project runs there. It runs under any user and in any image, so it needs nothing of the image but
// what the kernel gives every container. It knows no packfile and makes no decision about what runs.
//
// It reports by files in step.OutDir, on standard error and by its exit code.
package run

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/packfile/frontend/step"
	"github.com/packfile/frontend/text"
)

// container has the paths in the build container.
type container struct {
	root, bin, input, out, deps, links, setupApp, restore, known, history, matched, tree, sealed, runResult, found, archive, platform, app, tmp string
	given, givenCA, secrets, trusted                                                                                                            string
}

// at returns the container whose root folder is root.
func at(root string) container {
	in := func(path string) string { return filepath.Join(root, path) }
	return container{
		root:      root,
		bin:       in(step.BinDir),
		input:     in(step.SpecDir),
		out:       in(step.OutDir),
		deps:      in(step.DepsDir),
		links:     in(step.LinksDir),
		setupApp:  in(step.SetupAppDir),
		restore:   in(step.RestoreDir),
		known:     in(step.KnownDir),
		history:   in(step.HistoryDir),
		matched:   in(step.MatchDir),
		tree:      in(step.TreeDir),
		sealed:    in(step.SealedDir),
		runResult: in(step.RunResult),
		found:     in(step.FoundDir),
		archive:   in(step.ArchiveDir),
		given:     in(step.GivenDir),
		givenCA:   in(step.GivenCAFile),
		secrets:   in(step.SecretsDir),
		trusted:   in(step.TrustDir),
		platform:  in(step.PlatformDir),
		app:       in(step.AppDir),
		tmp:       in("/tmp"),
	}
}

func (c container) metadata() string { return filepath.Join(c.out, step.MetadataDir) }

const getDepBinary = "get-dep"

// Main runs the program with the arguments and environment of the process, and returns its exit code.
func Main(args, environ []string) (code int) {
	err := caught(func() error {
		code = at("/").main(args, environ)
		return nil
	})
	if err != nil {
		return fail(err)
	}
	return code
}

func (c container) main(args, environ []string) int {
	// Files of a layer must not depend on the umask that a container runtime happens to set.
	syscall.Umask(0o022)
	if filepath.Base(args[0]) == getDepBinary {
		path, err := c.getDep(args[1:])
		if err != nil {
			say(getDepBinary, err.Error())
			return 1
		}
		fmt.Println(path)
		return 0
	}
	if len(args) == 3 && args[2] == step.ShowReport {
		return c.showReport()
	}
	second := len(args) == 3 && (args[2] == asUser || args[2] == asUserSetup)
	if len(args) > 2 && !second {
		fmt.Fprintf(os.Stderr, "%s takes no arguments but a name for its step, which is in %s\n", step.StepBinary, step.SpecDir)
		return 2
	}
	if err := hideMemory(); err != nil {
		return fail(err)
	}
	spec, err := c.load()
	if err != nil {
		return fail(err)
	}
	r := runner{container: c, spec: spec, args: args, environ: environ, alone: os.Getpid() == 1 || second && os.Getppid() == 1}
	if r.output, err = ownFolderAt(c.out); err != nil {
		return fail(err)
	}
	if second {
		err = r.runSecond(args[2])
	} else {
		err = r.run()
	}
	if err != nil {
		if said, ok := errors.AsType[*saidError](err); ok {
			return said.code
		}
		if spec.Layer != "" {
			err = fmt.Errorf("layer %q: %w", spec.Layer, err)
		}
		return fail(err)
	}
	return 0
}

// fail prints an error and returns the exit code for it: the script's own if the script failed.
func fail(err error) int {
	say(step.StepBinary, err.Error())
	if failed, ok := errors.AsType[*scriptError](err); ok {
		return failed.code
	}
	return 1
}

// say prints a message of a program. The message may contain names from outside.
func say(program, message string) { fmt.Fprintf(os.Stderr, "%s: %s\n", program, text.Visible(message)) }

// load reads the spec.
func (c container) load() (step.Spec, error) {
	path := filepath.Join(c.input, step.SpecFile)
	data, err := os.ReadFile(path)
	if err != nil {
		return step.Spec{}, err
	}
	var spec step.Spec
	if err := json.Unmarshal(data, &spec); err != nil {
		return step.Spec{}, fmt.Errorf("%s: %w", path, err)
	}
	switch task := spec.Task.(type) {
	case step.Run:
		if task.LayerDir == "" {
			return step.Spec{}, fmt.Errorf("%s: a run step has no layerDir", path)
		}
	case step.Detect:
		if task.Program.Dir == "" {
			return step.Spec{}, fmt.Errorf("%s: a detect step has no program", path)
		}
	}
	return spec, nil
}

// runner runs a step of any kind. Its methods for one kind take that kind's task; scripted runs steps with a script of a
// packfile.
type runner struct {
	container
	spec    step.Spec
	args    []string
	environ []string // of the container
	output  *ownFolder
	alone   bool // no other processes are here: killing all kills only ours
}

func (r *runner) run() error {
	switch task := r.spec.Task.(type) {
	case step.Require:
		return (&scripted{runner: r, has: task.Given, script: &task.Script}).ask()
	case step.Test:
		return (&scripted{runner: r, has: task.Given, sees: task.Seen, script: &task.Script, bare: task.Bare}).ask()
	case step.Run:
		return newFiller(r, task).fillAndSeal()
	case step.Match:
		return r.match(task)
	case step.Seal:
		return r.sealTree(task)
	case step.Describe:
		return r.describe(task)
	case step.MergeSBOM:
		return r.mergeSBOM(task)
	case step.Unpack:
		return r.unpack()
	case step.Digest:
		return r.digest(task)
	case step.Recognize:
		return r.recognize(task)
	case step.Detect:
		return r.detect(task)
	case step.Packages:
		return r.installPackages(task)
	case step.TestImage:
		return r.testImage(task)
	}
	return fmt.Errorf("no step of kind %q is run here", r.spec.Task.Kind())
}

// runSecond runs the process of a run step with that name, one after the first.
func (r *runner) runSecond(name string) error {
	task, ok := r.spec.Task.(step.Run)
	switch {
	case !ok:
		return fmt.Errorf("a %s step has one process", r.spec.Task.Kind())
	case name == asUserSetup:
		return newFiller(r, task).setUp()
	}
	return newFiller(r, task).fill()
}

// hideMemory keeps scripts of our own user from reading and changing this process (ptrace(2), /proc/PID/mem): that then
// takes a right that BuildKit gives no step. It also makes processes that scripts leave behind our children.
func hideMemory() error {
	return errors.Join(unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0), unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
}

// report writes the result, last of all: OutDir then holds it and $MD, and nothing that scripts put beside them. It
// writes $MD anew, so that equal metadata is an equal folder, wherever a later build has the metadata from.
func (r *runner) report(result step.Result) error {
	if err := r.output.empty(); err != nil {
		return err
	}
	if err := os.Mkdir(r.metadata(), 0o755); err != nil {
		return err
	}
	if err := writeMetadata(r.metadata(), result.Metadata); err != nil {
		return err
	}
	data, err := json.Marshal(result)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.out, step.ResultFile), append(data, '\n'), 0o644)
}

// reportTree writes the result for one of spec.Trees.
func (r *runner) reportTree(i int, result step.Result) error {
	data, err := json.Marshal(result)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.out, strconv.Itoa(i)+".json"), append(data, '\n'), 0o644)
}
