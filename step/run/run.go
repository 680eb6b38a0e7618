// Package run is packfile-step: it runs one step inside a build container, as the spec of package step says. It is the
// only code of the project that runs there, under any user and in any image, so it expects nothing of the image but what
// the kernel gives every container.
//
// It reports by what it leaves in step.OutDir, on standard error and by its exit code.
package run

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/packfile/frontend/step"
	"github.com/packfile/frontend/text"
)

// container is where things stand in the build container.
type container struct {
	root, bin, input, out, deps, links, setupApp, restore, known, history, matched, tree, sealed, runResult, found, archive, platform, app, tmp string
	given, givenCA, secrets, trusted                                                                                                            string
}

// at is the container whose root folder is root.
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

// Main is the program: args and environ are those of the process, the result is its exit code.
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
	run := r.run
	if second {
		run = r.fill
		if args[2] == asUserSetup {
			run = r.setUp
		}
	}
	if err := run(); err != nil {
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

// fail prints an error and returns the exit code for it: that of the script if it is the script's.
func fail(err error) int {
	say(step.StepBinary, err.Error())
	if failed, ok := errors.AsType[*scriptError](err); ok {
		return failed.code
	}
	return 1
}

// say prints a message of a program, of which names of files and the like may be a part.
func say(program, message string) { fmt.Fprintf(os.Stderr, "%s: %s\n", program, text.Visible(message)) }

// load reads the spec.
func (c container) load() (step.Spec, error) {
	path := filepath.Join(c.input, step.SpecFile)
	data, err := os.ReadFile(path)
	if err != nil {
		return step.Spec{}, err
	}
	var spec step.Spec
	dec := json.NewDecoder(strings.NewReader(string(data)))
	dec.DisallowUnknownFields() // a field of a later contract would change what the step does
	if err := dec.Decode(&spec); err != nil {
		return step.Spec{}, fmt.Errorf("%s: %w", path, err)
	}
	if spec.Contract != step.Contract {
		return step.Spec{}, fmt.Errorf("%s is of contract %d, this is %s of contract %d", path, spec.Contract, step.StepBinary, step.Contract)
	}
	switch spec.Kind {
	case step.Require, step.Test, step.Match, step.Seal, step.Describe, step.MergeSBOM, step.Unpack, step.Digest, step.Recognize:
	case step.Run:
		if spec.LayerDir == "" || spec.User == nil {
			return step.Spec{}, fmt.Errorf("%s: a run step has no layerDir or no user", path)
		}
	case step.Detect:
		if spec.Program == nil {
			return step.Spec{}, fmt.Errorf("%s: a detect step has no program", path)
		}
	default:
		return step.Spec{}, fmt.Errorf("%s: unknown kind of step %q", path, spec.Kind)
	}
	return spec, nil
}

// runner runs a step.
type runner struct {
	container
	spec     step.Spec
	args     []string
	environ  []string // of the container
	notFound []string // programs that a script did not find, if that is looked for
	output   *ownFolder
	alone    bool // nobody else's processes are here: no one is killed who should not be
}

func (r *runner) run() error {
	switch r.spec.Kind {
	case step.Describe:
		return r.describe()
	case step.Seal:
		return r.sealTree()
	case step.Match:
		return r.match()
	case step.Digest:
		return r.digestDeps()
	case step.MergeSBOM:
		return r.mergeSBOM()
	case step.Unpack:
		return r.unpack()
	case step.Recognize:
		return r.recognize()
	case step.Detect:
		return r.detect()
	case step.Run:
		return r.fillAndSeal()
	default:
		return r.ask()
	}
}

// hideMemory keeps scripts of our own user from reading and changing this process (ptrace(2), /proc/PID/mem), which takes a
// right then that BuildKit gives no step. And what scripts leave behind becomes our child, wherever it would go otherwise.
func hideMemory() error {
	return errors.Join(unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0), unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
}

// fill is a run step but for what the first process does.
func (r *runner) fill() error {
	past := r.openHistory()
	defer past.close()
	if len(r.spec.Setups) == 0 { // else setUp has said it
		past.sayWhy(r.spec.Layer)
	}
	if err := r.runScripts(); err != nil {
		return err
	}
	past.save()
	return nil
}

// ask is a step that answers a question by its script.
func (r *runner) ask() error {
	variables, err := r.revealSecrets(os.Getuid(), os.Getgid())
	if err != nil {
		return err
	}
	r.environ = append(r.environ, variables...)
	return r.runScripts()
}

// runScripts runs the step's script and reports what it left.
func (r *runner) runScripts() error {
	if err := r.startMetadata(); err != nil {
		return err
	}
	var result step.Result
	var err error
	if r.spec.Kind == step.Run {
		err = r.fillLayer()
	} else {
		result.NotWanted, err = r.runQuestion()
		result.NotFound = r.notFound
	}
	if err != nil {
		return err
	}
	if !result.NotWanted {
		if result.Metadata, err = readMetadata(r.metadata()); err != nil {
			return err
		}
	}
	return r.report(result)
}

// startMetadata makes $MD, with the metadata that is there before the script.
func (r *runner) startMetadata() error {
	if err := os.MkdirAll(r.metadata(), 0o755); err != nil {
		return err
	}
	if err := writeMetadata(r.metadata(), r.spec.Metadata); err != nil {
		return err
	}
	for i, table := range r.spec.Requires {
		dir := filepath.Join(r.metadata(), requiresDir, fmt.Sprintf("%02d", i))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		if err := writeMetadata(dir, table); err != nil {
			return err
		}
	}
	return nil
}

// requiresDir is the folder of $MD with what each module that requires the layer says. Its name makes it private to the step.
const requiresDir = ".requires"

// reportTree writes the result for one of spec.Trees.
func (r *runner) reportTree(i int, result step.Result) error {
	data, err := json.Marshal(result)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.out, strconv.Itoa(i)+".json"), append(data, '\n'), 0o644)
}

// runQuestion runs a require or test script.
func (r *runner) runQuestion() (notWanted bool, err error) {
	err = r.runScript()
	if failed, ok := errors.AsType[*scriptError](err); ok && failed.exited && failed.code == step.NotWanted {
		return true, nil
	}
	return false, err
}

// fillLayer runs a run script and adds what the layer has besides.
func (r *runner) fillLayer() error {
	if err := os.MkdirAll(r.spec.LayerDir, 0o755); err != nil {
		return err
	}
	if err := checkVendored(r.spec.Deps); err != nil {
		return err
	}
	if r.spec.Restore {
		if err := r.restoreLayer(); err != nil {
			return err
		}
	}
	if err := r.makeContent(); err != nil {
		return err
	}
	// Before our own files are added: those of an entry that is gone from the packfile must not come back.
	if r.spec.Restore {
		if err := r.saveLayer(); err != nil {
			return err
		}
	}
	return r.addLayerFiles()
}

// runScript runs the step's script, if it has one.
func (r *runner) runScript() error {
	if r.spec.Script == nil {
		return nil
	}
	e, err := r.scriptEnv()
	if err != nil {
		return err
	}
	dir := r.app
	if r.spec.Script.InLayer {
		dir = r.spec.LayerDir
	}
	return r.execute(fmt.Sprintf("%s script", r.spec.Kind), *r.spec.Script, dir, e)
}

// report writes the result, as the last thing: OutDir holds it and $MD, and nothing that scripts put beside them. $MD is
// written anew, so that it is the same folder for the same metadata, wherever a later build has the metadata from.
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
