package main

import (
	"bytes"
	"debug/elf"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/step"
)

var stepBinary string

func TestMain(m *testing.M) {
	// The code of the program below has to be in this binary too, or go test takes results from its cache after a change.
	runtime.KeepAlive(main)
	dir, err := os.MkdirTemp("", "packfile-step-test")
	if err != nil {
		panic(err)
	}
	stepBinary = filepath.Join(dir, step.StepBinary)
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-buildvcs=false", "-o", stepBinary, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	code := 1
	if cmd.Run() == nil {
		code = m.Run()
	}
	os.RemoveAll(dir)
	os.Exit(code)
}

// container is a folder that the compiled program runs in as root folder, as process 1 and as an unprivileged user; a run step
// becomes that user itself. It holds nothing but what a test puts there: no /etc/passwd, no /tmp, no /proc, no shell.
type container struct {
	t    *testing.T
	root string
	fill step.Run  // what a run step is told
	task step.Task // what another step does, nil for a run step
}

const user = 1234

func newContainer(t *testing.T) *container {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("chroot and PID namespaces need root")
	}
	c := &container{t: t, root: t.TempDir()}
	// TempDir is below folders that only its owner may enter; the root folder itself must be open.
	c.must(os.Chmod(c.root, 0o755))
	for _, dir := range []string{step.OutDir, step.AppDir, step.LayersDir + "/app/modules"} {
		c.must(os.MkdirAll(c.path(dir), 0o755))
		c.must(os.Chown(c.path(dir), user, user))
	}
	c.copy(stepBinary, step.BinDir+"/"+step.StepBinary)
	c.must(os.Symlink(step.StepBinary, c.path(step.BinDir+"/get-dep")))
	c.must(os.Mkdir(c.path(step.SealedDir), 0o755))
	c.fill = step.Run{LayerDir: step.LayersDir + "/app/modules", User: step.User{UID: user, GID: user}}
	return c
}

func (c *container) path(path string) string { return filepath.Join(c.root, path) }

func (c *container) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *container) write(path, content string, mode os.FileMode) {
	c.t.Helper()
	c.must(os.MkdirAll(filepath.Dir(c.path(path)), 0o755))
	c.must(os.WriteFile(c.path(path), []byte(content), mode))
}

func (c *container) copy(binary, path string) {
	c.t.Helper()
	data, err := os.ReadFile(binary)
	c.must(err)
	c.write(path, string(data), 0o755)
}

// busybox puts a static busybox into the container, as sh.
func (c *container) busybox() {
	c.t.Helper()
	path, err := exec.LookPath("busybox")
	if err != nil {
		c.t.Skip("there is no busybox (Debian package busybox-static)")
	}
	f, err := elf.Open(path)
	c.must(err)
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			c.t.Skip("busybox is not static (Debian package busybox-static)")
		}
	}
	c.copy(path, "/bin/busybox")
	c.write("/dev/null", "", 0o644) // input of its background jobs
	c.must(os.Symlink("busybox", c.path("/bin/sh")))
}

func (c *container) script(shell, text string) {
	c.t.Helper()
	c.write(step.SpecDir+"/script", text, 0o644)
	c.fill.Script = &step.Script{Shell: []string{shell}, File: "script"}
}

// run runs the step and returns its exit code and what it printed.
func (c *container) run() (code int, stdout, stderr string) {
	c.t.Helper()
	spec := step.Spec{Contract: step.Contract, Layer: "modules", Task: c.fill}
	if c.task != nil {
		spec = step.Spec{Contract: step.Contract, Task: c.task}
	}
	data, err := json.Marshal(spec)
	c.must(err)
	c.write(step.SpecDir+"/"+step.SpecFile, string(data), 0o644)
	cmd := exec.Command(step.BinDir + "/" + step.StepBinary)
	cmd.Env, cmd.Dir = []string{"PATH=/bin"}, "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Chroot:     c.root,
		Cloneflags: syscall.CLONE_NEWPID,
	}
	if c.task != nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: user, Gid: user}
	}
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader("input"), &out, &errs
	err = cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		c.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// result is what a file of OutDir says.
func (c *container) result(file string) step.Result {
	c.t.Helper()
	data, err := os.ReadFile(c.path(step.OutDir + "/" + file))
	c.must(err)
	var result step.Result
	c.must(json.Unmarshal(data, &result))
	return result
}

func TestAStepRunsInAnImageThatHasOnlyAShell(t *testing.T) {
	c := newContainer(t)
	c.busybox()
	c.must(os.RemoveAll(c.path("/dev")))
	c.script("/bin/sh", `
		set -e
		busybox cat; echo "$$ $(busybox id -u) $APP $MD $LAYER $HOME $PATH"
		echo 1 > $MD/version
		echo content > $LAYER/file
		get-dep node`)
	c.fill.Deps = []step.Dep{{Name: "node", Version: "2", File: "/packfile/deps/node@2/node.tgz"}}
	c.fill.Env = []step.EnvFile{{Dir: "env", Name: "A", Op: "override", Value: "x"}}
	code, stdout, stderr := c.run()
	want := "2 1234 /workspace /packfile/out/md /layers/app/modules / /packfile/bin:/bin\n/packfile/deps/node@2/node.tgz\n"
	// The kernel gives threads of process 1 numbers too, so that the script's is not always the same.
	if _, rest, _ := strings.Cut(stdout, " "); code != 0 || stderr != "" || rest != want[2:] {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
	md := metadata.Table{"version": "1", "deps": metadata.Table{"node@2": metadata.Table{"name": "node", "version": "2", "uri": "", "sha": ""}}}
	if diff := cmp.Diff(step.Result{Metadata: md}, c.result(step.ResultFile)); diff != "" {
		t.Error(diff)
	}
	if data, err := os.ReadFile(c.path(step.SealedDir + "/layers/app/modules/env/A.override")); err != nil || string(data) != "x" {
		t.Errorf("the layer's environment is %q, %v", data, err)
	}
}

func TestProcess1ReapsOrphans(t *testing.T) {
	c := newContainer(t)
	c.busybox()
	// As long as it is not reaped, a process that has ended can be sent signals.
	c.script("/bin/sh", `
		orphan=$(sh -c 'busybox usleep 200000 >&- & echo $!')
		for i in $(busybox seq 100); do
			kill -0 $orphan 2>&- || exit 0
			busybox usleep 50000
		done
		exit 9`)
	if code, stdout, stderr := c.run(); code != 0 || stderr != "" {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
}

func TestDaemonsEndBeforeTheResultIsTaken(t *testing.T) {
	c := newContainer(t)
	c.busybox()
	// The daemon leaves the script's process group, and makes a symlink in $MD, which is an error, once the script is gone.
	// There is time for that: before $MD is read the layer is saved, file by file.
	c.must(os.Mkdir(c.path(step.RestoreDir), 0o755))
	c.must(os.Chown(c.path(step.RestoreDir), user, user))
	c.fill.Restore = true
	c.script("/bin/sh", `
		busybox setsid sh -c "while kill -0 $$ 2>&-; do :; done; while :; do busybox ln -s / $MD/late 2>&-; done" &
		cd $LAYER; busybox seq 2000 | busybox xargs busybox touch
		echo 1 > $MD/version`)
	if code, stdout, stderr := c.run(); code != 0 || stderr != "" {
		t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
	}
}

func TestAnImageWithoutShellSaysSo(t *testing.T) {
	c := newContainer(t)
	c.script("/usr/bin/env", "")
	c.fill.Script.Shell = []string{"/usr/bin/env", "bash"}
	code, _, stderr := c.run()
	want := `packfile-step: layer "modules": run script: the build image has no /usr/bin/env; set shell = "/bin/sh" or another one that is there` + "\n"
	if code != 127 || stderr != want {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
}

func TestAMatchStepNeedsNothingOfTheImage(t *testing.T) {
	c := newContainer(t)
	c.task = step.Match{Trees: []step.Tree{{Name: "modules", Selected: step.Selection{Patterns: [][]string{{"package.json"}}}}}}
	c.write(step.MatchDir+"/0/package.json", "{}", 0o644)
	if code, _, stderr := c.run(); code != 0 {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	if result := c.result("0.json"); result.Files != 1 || result.Metadata["version"] == "" {
		t.Errorf("got %+v", result)
	}
}

func TestABuildpackIsDetectedInAnImageThatHasOnlyAShell(t *testing.T) {
	c := newContainer(t)
	c.busybox()
	for _, dir := range []string{step.PlatformDir, "/tmp"} {
		c.must(os.Mkdir(c.path(dir), 0o755))
		c.must(os.Chown(c.path(dir), user, user))
	}
	dir := step.Buildpacks + "/a_b/1"
	c.write(dir+"/bin/detect", `#!/bin/sh
		set -e
		busybox cat; echo "$(busybox id -u) $0 $PWD $CNB_BUILDPACK_DIR $HOME $PATH $BP_A $(busybox cat $1/env/BP_A)"
		printf '[[requires]]\nname = "node"\n' >"$CNB_BUILD_PLAN_PATH"
		(while :; do echo x >>"$2"; done) &`, 0o755)
	c.task = step.Detect{Program: step.Program{Dir: dir}, Platform: []step.Variable{{Name: "BP_A", Value: "1"}}}
	code, stdout, stderr := c.run()
	want := "1234 " + dir + "/bin/detect /workspace " + dir + " /tmp/home /bin 1 1\n"
	if code != 0 || stderr != "" || stdout != want {
		t.Errorf("exit code %d, want\n%s\n%s%s", code, want, stdout, stderr)
	}
	result := c.result(step.ResultFile)
	head, rest, _ := strings.Cut(result.Plan, "\"\n")
	if head != "[[requires]]\nname = \"node" || strings.Trim(rest, "x\n") != "" || result.ExitCode != 0 || result.Failed != "" {
		t.Errorf("got %+v", result)
	}
	c.write(dir+"/bin/detect", "#!/bin/sh\necho no; exit 100", 0o755)
	if code, stdout, _ := c.run(); code != 0 || stdout != "no\n" || c.result(step.ResultFile).ExitCode != 100 {
		t.Errorf("exit code %d, %s, got %+v", code, stdout, c.result(step.ResultFile))
	}
}

func TestACacheOfAnotherUserIsAnErrorThatNamesTheFile(t *testing.T) {
	c := newContainer(t)
	c.fill.Restore = true
	c.must(os.Mkdir(c.path("/packfile/restore"), 0o755)) // root's
	code, _, stderr := c.run()
	if want := `layer "modules": save for restore: mkdir /packfile/restore/next: permission denied`; code != 1 || !strings.Contains(stderr, want) {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
}
