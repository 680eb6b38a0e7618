package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

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

var web = launch.Process{Type: "web", Command: launch.Command{"report", "a b", "$HOME"}, Args: []string{"c"}, Direct: true}

func TestADirectProcess(t *testing.T) {
	i := newImage(t)
	i.buildpack("acme/node", "0.10", web)
	i.copy(reportBinary, "layers/acme_node/nodejs/bin/report")
	i.write("layers/acme_node/nodejs/env/BOTH.override", "1")
	i.write("layers/acme_node/nodejs/env.launch/LAUNCH", "2")
	i.write("layers/acme_node/nodejs/env.launch/web/TYPE", "3")
	i.write("layers/acme_node/nodejs/env.launch/other/OTHER", "4")
	i.write("layers/acme_node/nodejs/env.build/BUILD", "5")
	i.write("layers/acme_node/nodejs/profile.d/a.sh", "export PROFILE=6")
	i.write("app/.profile", "export PROFILE=7")

	got := i.report("web")
	want := started{
		Args: []string{"report", "a b", "$HOME", "c"},
		Dir:  i.path("app"),
		Env: []string{"BOTH=1", "LAUNCH=2",
			"PATH=" + i.path("layers/acme_node/nodejs/bin") + ":/usr/bin:/bin", "TYPE=3"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTheLauncherIsReplacedByTheProcess(t *testing.T) {
	i := newImage(t)
	i.buildpack("b", "0.10", launch.Process{Type: "web", Command: launch.Command{reportBinary}, Direct: true})
	if got := i.run("web"); got.code != 0 {
		t.Fatal(got)
	}
	cmd := exec.Command(launcherBinary)
	cmd.Args[0] = "web"
	cmd.Env = i.env
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf(`"pid":%d}`, cmd.Process.Pid); !strings.Contains(string(out), want) {
		t.Errorf("got %s, want %s", out, want)
	}
}

func TestOrderOfTheEnvironment(t *testing.T) {
	i := newImage(t)
	i.buildpack("one", "0.10", launch.Process{Type: "web", Command: launch.Command{reportBinary}, Direct: true})
	i.buildpack("two", "0.10")
	i.buildpack("old", "0.4")
	i.buildpack("absent", "0.10")
	for _, layer := range []string{"one/a", "one/b", "two/a"} {
		i.mkdir("layers/" + layer + "/bin")
		i.mkdir("layers/" + layer + "/lib")
		i.write("layers/"+layer+"/env/OVER.override", layer)
		i.write("layers/"+layer+"/env/DEF.default", layer)
		i.write("layers/"+layer+"/env/APP.append", layer)
		i.write("layers/"+layer+"/env/APP.delim", ":")
		i.write("layers/"+layer+"/env/PRE.prepend", layer)
		i.write("layers/"+layer+"/env/PRE.delim", ":")
		i.write("layers/"+layer+"/env.launch/PLACE", layer+" launch")
		i.write("layers/"+layer+"/env/PLACE", layer+" both")
	}
	// The folders of all layers of a buildpack come before the env files of any.
	i.write("layers/one/a/env/PATH.prepend", "/own:")
	i.write("layers/old/x/env/PRE", "old")
	i.write("layers/one/file.toml", "")
	if err := os.Symlink("a", i.path("layers/one/link")); err != nil {
		t.Fatal(err)
	}

	got := i.report("web")
	for name, want := range map[string]string{
		"OVER":            "two/a",
		"DEF":             "one/a",
		"APP":             "one/a:one/b:two/a",
		"PRE":             "old:two/a:one/b:one/a",
		"PLACE":           "two/a launch",
		"PATH":            "LAYERS/two/a/bin:/own:LAYERS/one/b/bin:LAYERS/one/a/bin:/usr/bin:/bin",
		"LD_LIBRARY_PATH": "LAYERS/two/a/lib:LAYERS/one/b/lib:LAYERS/one/a/lib",
		"LIBRARY_PATH":    "",
	} {
		want = strings.ReplaceAll(want, "LAYERS", i.path("layers"))
		if got.get(name) != want {
			t.Errorf("%s is %q, want %q", name, got.get(name), want)
		}
	}
}

func TestExecD(t *testing.T) {
	i := newImage(t)
	i.buildpack("b", "0.10", launch.Process{Type: "web", Command: launch.Command{"report"}, Direct: true})
	i.buildpack("older", "0.4")
	i.copy(reportBinary, "layers/b/tool/bin/report")
	i.write("layers/b/tool/exec.d/1", `#!/bin/sh
printf 'A = "1"\nDIR = "%s"\nKIND = "%s"\n' "$PWD" "$CNB_PROCESS_TYPE" >&3; echo said`)
	i.write("layers/b/tool/exec.d/2", "#!/bin/sh\nprintf 'B = \"%s2\"\\nPATH = \"%s\"' $A \"$PATH\" >&3")
	i.write("layers/b/tool/exec.d/web/3", "#!/bin/sh\necho 'C = \"3\"' >&3")
	i.write("layers/b/tool/exec.d/other/4", "#!/bin/sh\necho 'D = \"4\"' >&3")
	i.write("layers/older/tool/exec.d/5", "#!/bin/sh\necho 'E = \"5\"' >&3")

	out := i.run("web")
	said, text, _ := strings.Cut(out.stdout, "\n")
	if said != "said" {
		t.Errorf("standard output of exec.d is %q", said)
	}
	var got started
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(out)
	}
	want := []string{"A=1", "B=12", "C=3", "DIR=" + i.path("app"), "KIND=web",
		"PATH=" + i.path("layers/b/tool/bin") + ":/usr/bin:/bin"}
	if diff := cmp.Diff(want, got.Env); diff != "" {
		t.Error(diff)
	}

	for _, test := range []struct{ name, script, want string }{
		{"a program that fails", "#!/bin/sh\nexit 3", "exec.d/1: exit status 3"},
		{"output that is no TOML", "#!/bin/sh\necho A=1x >&3", "exec.d/1: its output is not a TOML table of strings"},
		{"output of another type", "#!/bin/sh\necho A=1 >&3", "exec.d/1: its output is not a TOML table of strings"},
		{"output without end", "#!/bin/sh\nexec yes >&3", "exec.d/1: its output is larger than"},
		{"a file that is no program", "A=1", "exec.d/1: "},
	} {
		t.Run(test.name+" stops the launch", func(t *testing.T) {
			i.write("layers/b/tool/exec.d/1", test.script)
			out := i.run("web")
			if out.code != 82 || !strings.Contains(out.stderr, test.want) {
				t.Errorf("got %+v, want exit code 82 and %q", out, test.want)
			}
		})
	}
}

func TestWorkingFolder(t *testing.T) {
	i := newImage(t)
	i.mkdir("other")
	i.mkdir("app/sub")
	i.copy(reportBinary, "app/report")
	i.buildpack("b", "0.10",
		launch.Process{Type: "absolute", Command: launch.Command{"./report"}, Direct: true, WorkingDir: i.path("other")},
		launch.Process{Type: "relative", Command: launch.Command{"./report"}, Direct: true, WorkingDir: "sub"},
		launch.Process{Type: "missing", Command: launch.Command{"./report"}, Direct: true, WorkingDir: "/none"})
	if got := i.report("absolute"); got.Dir != i.path("other") {
		t.Error("working folder is", got.Dir)
	}
	if got := i.report("relative"); got.Dir != i.path("app/sub") {
		t.Error("working folder is", got.Dir)
	}
	out := i.run("missing")
	if out.code != 82 || !strings.Contains(out.stderr, `process type "missing": working folder: chdir /none`) {
		t.Errorf("got %+v", out)
	}
}

func TestShellProcesses(t *testing.T) {
	i := newImage(t)
	i.env = append(i.env, "NAME=v  w")
	i.buildpack("old", "0.8",
		launch.Process{Type: "line", Command: launch.Command{`echo "$0/$1/$2" "$FROM" "$PWD" "$CNB_PROCESS_TYPE" && :`}},
		launch.Process{Type: "words", Command: launch.Command{"printf"}, Args: []string{"%s.", "$NAME", "$(echo sub)", "it's"}, WorkingDir: "/"},
		launch.Process{Type: "lost", Command: launch.Command{"true"}, WorkingDir: "/none"})
	i.write("layers/old/a/profile.d/it's 1.sh", "export FROM=layer:$CNB_PROCESS_TYPE:$0; HIDDEN=1")
	i.write("layers/old/a/profile.d/line/1.sh", "export FROM=$FROM:type:$PWD")
	i.write("layers/old/a/profile.d/words/1.sh", "FROM=never")
	i.write("app/.profile", "export FROM=$FROM:app")

	for _, test := range []struct {
		name, run string
		args      []string
		want      string
	}{
		{"profile scripts of layer, type and app come before a line, which is run in the app folder", "line", nil,
			"bash// layer:line:/cnb/process/line:type:APP:app APP \n"},
		{"arguments of the user are positional parameters of a line", "line", []string{"x y", "$NAME"},
			"bash/x y/$NAME layer:line:/cnb/process/line:type:APP:app APP \n"},
		{"words are expanded one by one and stay words", "words", []string{"$PWD", "a  b"}, "v  w.sub.it's./.a  b."},
		{"one word of the user is a line", "launcher", []string{"echo $FROM; echo $HIDDEN"}, "layer::/cnb/process/launcher:app\n\n"},
		{"several words of the user are words", "launcher", []string{"printf", "%s", "$NAME"}, "v  w"},
	} {
		t.Run(test.name, func(t *testing.T) {
			out := i.run(test.run, test.args...)
			want := strings.ReplaceAll(test.want, "APP", i.path("app"))
			if out.code != 0 || out.stderr != "" || out.stdout != want {
				t.Errorf("got %+v, want %q", out, want)
			}
		})
	}
	t.Run("the exit code is that of the process", func(t *testing.T) {
		if out := i.run("launcher", "exit 7"); out.code != 7 {
			t.Errorf("got %+v", out)
		}
	})
	t.Run("a working folder that does not exist stops the launch", func(t *testing.T) {
		if out := i.run("lost"); out.code != 82 {
			t.Errorf("got %+v", out)
		}
	})
}

func TestLaunchErrors(t *testing.T) {
	metadata := func(i *image) { i.buildpack("b", "0.10", web) }
	for _, test := range []struct {
		name string
		make func(i *image)
		run  string
		args []string
		code int
		want string
	}{
		{"a program that is not there names process type and program", metadata, "web", nil, 82,
			`launcher: process type "web" runs "report", which is not on PATH (/usr/bin:/bin)`},
		{"a path that is not there says where it starts", metadata, "x", []string{"--", "./none"}, 82,
			`command runs "./none", which does not exist (relative paths start at `},
		{"a file that may not be executed", func(i *image) {
			metadata(i)
			i.write("app/plain", "")
			os.Chmod(i.path("app/plain"), 0o644)
		}, "x", []string{"--", "./plain"}, 82, `command runs "./plain", which may not be executed`},
		{"a script whose interpreter is missing", func(i *image) {
			metadata(i)
			i.write("app/script", "#!/none/sh\n")
		}, "x", []string{"--", "./script"}, 82, "app/script, whose interpreter or dynamic loader is not in the image"},
		{"a file of another format", func(i *image) {
			metadata(i)
			i.write("app/text", "text")
		}, "x", []string{"--", "./text"}, 82, "app/text, which is no program for this machine"},
		{"no metadata", func(*image) {}, "web", nil, 82, "config/metadata.toml: no such file"},
		{"metadata that is no TOML", func(i *image) { i.write("layers/config/metadata.toml", "[[") }, "web", nil, 82,
			"config/metadata.toml: toml: line 1"},
		{"no app folder", func(i *image) { metadata(i); os.Remove(i.path("app")) }, "web", nil, 82, "app folder: chdir"},
		{"a platform API that is too old", func(i *image) { metadata(i); i.env = append(i.env, "CNB_PLATFORM_API=0.3") },
			"web", nil, 11, "CNB_PLATFORM_API=0.3: the launcher does not know this version"},
		{"a platform API that is none", func(i *image) { metadata(i); i.env = append(i.env, "CNB_PLATFORM_API=x") },
			"web", nil, 11, `CNB_PLATFORM_API=x: "x" is not an API version`},
		{"a buildpack API that is too new", func(i *image) { i.buildpack("b", "0.13", web) }, "web", nil, 12,
			`api "0.13" of buildpack b: the launcher does not know this version`},
		{"a buildpack without API", func(i *image) { i.buildpack("b", "", web) }, "web", nil, 12, `api "" of buildpack b`},
		{"an env file that cannot be a variable", func(i *image) {
			metadata(i)
			i.write("layers/b/x/env/A", "\x00")
		}, "web", nil, 82, "environment of layer "},
	} {
		t.Run(test.name, func(t *testing.T) {
			i := newImage(t)
			test.make(i)
			out := i.run(test.run, test.args...)
			if out.code != test.code || !strings.Contains(out.stderr, test.want) || out.stdout != "" {
				t.Errorf("got %+v, want exit code %d and %q", out, test.code, test.want)
			}
		})
	}
}

func TestAnImageWithoutShell(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("chroot needs root")
	}
	i := newImage(t)
	i.copy(launcherBinary, "launcher")
	i.copy(reportBinary, "workspace/report")
	i.copy(reportBinary, "layers/b/tool/exec.d/a.execd")
	i.write("dev/null", "") // every container has one
	i.buildpack("b", "0.10",
		launch.Process{Type: "web", Command: launch.Command{"./report"}, Direct: true},
		launch.Process{Type: "line", Command: launch.Command{"./report"}})
	if err := os.Chmod(i.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	i.attr = &syscall.SysProcAttr{Chroot: i.dir, Credential: &syscall.Credential{Uid: 1000, Gid: 1000}}
	i.env = []string{`EXECD=A = "1"`} // nothing of CNB_…: the defaults are /layers, /workspace and the newest API

	t.Run("runs direct processes and programs of exec.d, as any user", func(t *testing.T) {
		got := i.report("web", "x")
		if got.Dir != "/workspace" || got.get("A") != "1" || !slices.Equal(got.Args, []string{"./report", "x"}) {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("cannot run shell processes, which the error explains", func(t *testing.T) {
		out := i.run("line")
		want := `launcher: process type "line" needs bash, which is not in the image; a process without shell has direct = true`
		if out.code != 82 || !strings.Contains(out.stderr, want) {
			t.Errorf("got %+v", out)
		}
	})
}

func TestTheLauncherIsSmall(t *testing.T) {
	info, err := os.Stat(launcherBinary)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() >= 3<<20 {
		t.Errorf("the launcher has %d bytes", info.Size())
	}
}
