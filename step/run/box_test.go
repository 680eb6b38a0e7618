package run

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/packfile/frontend/step"
)

// testRoot names the root folder of the container when the test binary runs as packfile-step or get-dep.
const testRoot = "PACKFILE_STEP_TEST_ROOT"

func TestMain(m *testing.M) {
	if root := os.Getenv(testRoot); root != "" {
		os.Exit(at(root).main(os.Args, os.Environ()))
	}
	os.Exit(m.Run())
}

// box is a build container: a folder with everything that a step finds below "/", and the spec of the step.
type box struct {
	t    *testing.T
	root string
	env  []string
	spec testSpec

	binary string // packfile-step
}

// testSpec is the spec of a step of any kind. Of its fields those count that the kind has.
type testSpec struct {
	Kind  step.Kind
	Layer string

	step.Given
	step.Seen
	Script    *step.Script
	Bare      bool
	LayerDir  string
	Env       []step.EnvFile
	Profile   []string
	Deps      []step.Dep
	Setups    []step.Setup
	Restore   bool
	Agents    []string
	User      step.User
	Time      int64
	Trees     []string
	Targets   map[int][]string
	Selected  []step.Selection // of Trees, for a match
	Generator string
	Recognize step.Recognize
	Program   step.Program
}

func (s testSpec) spec() step.Spec {
	var script step.Script
	if s.Script != nil {
		script = *s.Script
	}
	var trees []step.Tree
	for i, selected := range s.Selected {
		trees = append(trees, step.Tree{Name: s.Trees[i], Selected: selected})
	}
	for _, task := range []step.Task{
		step.Require{Given: s.Given, Script: script},
		step.Test{Given: s.Given, Seen: s.Seen, Script: script, Bare: s.Bare},
		step.Run{
			Given: s.Given, Seen: s.Seen, Script: s.Script, LayerDir: s.LayerDir, Env: s.Env, Profile: s.Profile, Deps: s.Deps,
			Setups: s.Setups, Restore: s.Restore, Agents: s.Agents, User: s.User, Time: s.Time,
		},
		step.Match{Trees: trees},
		step.Seal{Time: s.Time},
		step.Describe{Trees: s.Trees, Targets: s.Targets, Time: s.Time},
		step.MergeSBOM{Generator: s.Generator},
		step.Unpack{},
		s.Recognize,
		step.Detect{Program: s.Program, Platform: s.Platform},
	} {
		if task.Kind() == s.Kind {
			return step.Spec{Contract: step.Contract, Layer: s.Layer, Task: task}
		}
	}
	panic("no such kind: " + s.Kind)
}

// newBox makes a container with an empty app and no script.
func newBox(t *testing.T, kind step.Kind) *box {
	t.Helper()
	b := &box{t: t, root: t.TempDir(), binary: "/proc/self/exe"}
	// Folders that a test makes read-only must not keep the root from being removed.
	t.Cleanup(func() { removeAll(b.root) })
	b.env = []string{testRoot + "=" + b.root, "PATH=/usr/local/bin:/usr/bin:/bin", "HOME=" + b.path("/home")}
	for _, dir := range []string{step.AppDir, step.SetupAppDir, step.OutDir, step.SpecDir, step.BinDir, "/home", "/tmp"} {
		b.mkdir(dir)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{getDepBinary, step.StepBinary} {
		b.symlink(self, step.BinDir+"/"+name)
	}
	b.spec = testSpec{Kind: kind, Layer: "modules"}
	if kind == step.KindMatch {
		b.mkdir(matched)
		b.spec.Trees, b.spec.Selected = []string{"modules"}, []step.Selection{{Patterns: [][]string{{"**"}}}}
	}
	if kind == step.KindRun {
		b.spec.LayerDir = b.path(step.LayersDir + "/app/modules")
		b.mkdir(step.LayersDir + "/app/modules")
		b.mkdir(step.SealedDir)
		b.spec.User = step.User{UID: os.Getuid(), GID: os.Getgid(), Home: b.path("/home")}
	}
	return b
}

// matched is the tree of a Match.
const matched = step.MatchDir + "/0"

// path is where an absolute path of the container is.
func (b *box) path(path string) string { return filepath.Join(b.root, path) }

func (b *box) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *box) mkdir(path string) {
	b.t.Helper()
	b.must(os.MkdirAll(b.path(path), 0o755))
}

func (b *box) write(path, content string) {
	b.t.Helper()
	b.mkdir(filepath.Dir(path))
	b.must(os.WriteFile(b.path(path), []byte(content), 0o644))
}

// symlink makes a link with exactly this target.
func (b *box) symlink(target, path string) {
	b.t.Helper()
	b.mkdir(filepath.Dir(path))
	b.must(os.Symlink(target, b.path(path)))
}

func (b *box) read(path string) string {
	b.t.Helper()
	data, err := os.ReadFile(b.path(path))
	b.must(err)
	return string(data)
}

func (b *box) exists(path string) bool {
	_, err := os.Lstat(b.path(path))
	return !errors.Is(err, fs.ErrNotExist)
}

// script makes the step run a script with /bin/sh.
func (b *box) script(text string) *box {
	b.t.Helper()
	b.write(step.SpecDir+"/script", text)
	b.spec.Script = &step.Script{Shell: []string{"/bin/sh"}, File: "script"}
	return b
}

type outcome struct {
	code           int
	stdout, stderr string
	result         *step.Result // nil when there is none
}

// command is packfile-step in this container.
func (b *box) command() *exec.Cmd {
	b.t.Helper()
	data, err := json.Marshal(b.spec.spec())
	b.must(err)
	b.write(step.SpecDir+"/"+step.SpecFile, string(data))
	cmd := exec.Command(b.binary)
	cmd.Args[0] = step.BinDir + "/" + step.StepBinary
	cmd.Env, cmd.Dir = b.env, "/"
	cmd.WaitDelay = 10 * time.Second // a process that outlives the step holds its output open
	return cmd
}

// run runs the step.
func (b *box) run() outcome {
	b.t.Helper()
	cmd := b.command()
	b.must(removeAll(b.path(step.OutDir))) // of an earlier run
	b.mkdir(step.OutDir)
	if b.spec.Kind == step.KindRun {
		b.must(os.Chown(b.path(step.OutDir), b.spec.User.UID, b.spec.User.GID))
		b.must(removeAll(b.path(step.SealedDir)))
		b.mkdir(step.SealedDir)
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		b.t.Fatalf("%v\n%s%s", err, stdout.String(), stderr.String())
	}
	out := outcome{code: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String()}
	file := step.ResultFile
	if b.spec.Kind == step.KindMatch {
		file = filepath.Base(matched) + ".json"
	}
	if data, err := os.ReadFile(b.path(step.OutDir + "/" + file)); err == nil {
		out.result = &step.Result{}
		b.must(json.Unmarshal(data, out.result))
	}
	return out
}

// succeed runs the step, which must succeed.
func (b *box) succeed() outcome {
	b.t.Helper()
	out := b.run()
	if out.code != 0 || out.stderr != "" || out.result == nil {
		b.t.Fatalf("exit code %d, result %v\n%s%s", out.code, out.result, out.stdout, out.stderr)
	}
	return out
}

// fail runs the step, which must fail with this exit code and text and leave no result.
func (b *box) fail(code int, text string) {
	b.t.Helper()
	out := b.run()
	if out.code != code || !strings.Contains(out.stderr, text) {
		b.t.Errorf("exit code %d, want %d with %q\n%s%s", out.code, code, text, out.stdout, out.stderr)
	}
	if out.result != nil {
		b.t.Errorf("a step that failed left %+v", out.result)
	}
}

// get runs get-dep as a script would.
func (b *box) get(args ...string) (stdout, stderr string, code int) {
	b.t.Helper()
	b.command() // writes the spec
	cmd := exec.Command(b.path(step.BinDir+"/"+getDepBinary), args...)
	cmd.Env = b.env
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		b.t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}
