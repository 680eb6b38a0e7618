package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packfile/frontend/cnb/launch"
)

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
printf 'A = "1"\nDIR = "%s"\nSELF = "%s"\nCNB = "%s"\n' "$PWD" "$0" "$(env | grep ^CNB_)" >&3; echo said; echo warned >&2`)
	i.write("layers/b/tool/exec.d/2", "#!/bin/sh\nprintf 'B = \"%s2\"\\nPATH = \"%s\"' $A \"$PATH\" >&3")
	i.write("layers/b/tool/exec.d/web/3", "#!/bin/sh\necho 'C = \"3\"' >&3")
	i.write("layers/b/tool/exec.d/other/4", "#!/bin/sh\necho 'D = \"4\"' >&3")
	i.write("layers/older/tool/exec.d/5", "#!/bin/sh\necho 'E = \"5\"' >&3")

	out := i.run("web")
	said, text, _ := strings.Cut(out.stdout, "\n")
	if said != "said" || out.stderr != "warned\n" {
		t.Errorf("exec.d printed %q and %q", said, out.stderr)
	}
	var got started
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(out)
	}
	want := []string{"A=1", "B=12", "C=3", "CNB=", "DIR=" + i.path("app"),
		"PATH=" + i.path("layers/b/tool/bin") + ":/usr/bin:/bin", "SELF=" + i.path("layers/b/tool/exec.d/1")}
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

func TestOrderOfExecD(t *testing.T) {
	i := newImage(t)
	i.buildpack("two", "0.10", launch.Process{Type: "web", Command: launch.Command{"printenv", "ORDER"}, Direct: true})
	i.buildpack("one", "0.10")
	var want string
	for _, name := range []string{"two/a/exec.d/1", "two/a/exec.d/2", "two/a/exec.d/web/0", "two/b/exec.d/0", "two/b/exec.d/web/0", "one/a/exec.d/0"} {
		i.write("layers/"+name, "#!/bin/sh\necho \"ORDER = '$ORDER "+name+"'\" >&3")
		want += " " + name
	}
	if got := i.run("web"); got.stdout != want+"\n" {
		t.Errorf("got %+v, want %q", got, want)
	}
}

// The variable chose the process before Platform API 0.4.
func TestTheProcessTypeVariableChoosesNothing(t *testing.T) {
	i := newImage(t)
	i.env = append(i.env, "CNB_PROCESS_TYPE=other")
	i.buildpack("b", "0.10",
		launch.Process{Type: "web", Command: launch.Command{"sh", "-c", "echo web $CNB_PROCESS_TYPE"}, Direct: true},
		launch.Process{Type: "other", Command: launch.Command{"echo", "other"}, Direct: true})
	want := "launcher: CNB_PROCESS_TYPE chooses no process since Platform API 0.4: to start \"other\" make it the entrypoint\n"
	if got := i.run("web"); got != (outcome{0, "web\n", want}) {
		t.Errorf("got %+v", got)
	}
	if got := i.run("launcher"); got.code != 82 || !strings.HasPrefix(got.stderr, want) {
		t.Errorf("without command: got %+v", got)
	}
}

func TestPathLosesTheFoldersOfTheLauncherWhereverTheyStand(t *testing.T) {
	for before, after := range map[string]string{
		"/cnb/process:/cnb/lifecycle:/bin":            "/bin",
		"/bin:/cnb/process:/usr/bin:/cnb/process":     "/bin:/usr/bin",
		"/cnb/process/x:/cnb:/cnb/lifecycle:/bin/env": "/cnb/process/x:/cnb:/bin/env",
		"/cnb/process": "",
	} {
		i := newImage(t)
		i.env = append(i.env, "PATH="+before)
		i.buildpack("b", "0.10", launch.Process{Type: "web", Command: launch.Command{reportBinary}, Direct: true})
		if got := i.report("web").get("PATH"); got != after {
			t.Errorf("of %q %q is left, want %q", before, got, after)
		}
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
	i.mkdir("app/sub/deep")
	i.copy(reportBinary, "app/sub/deep/report")
	i.buildpack("c", "0.10",
		launch.Process{Type: "both", Command: launch.Command{"./report"}, Direct: true, WorkingDir: "both"},
		launch.Process{Type: "there", Command: launch.Command{"deep/report"}, Direct: true, WorkingDir: i.path("app/sub")})
	i.write("app/both/report", "#!/bin/sh\necho in the working folder")
	if got := i.run("both"); got.stdout != "in the working folder\n" {
		t.Errorf("a relative program is not that of the working folder: %+v", got)
	}
	if got := i.report("there"); got.Dir != i.path("app/sub") {
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
		launch.Process{Type: "line", Command: launch.Command{`echo "$0/$1/$2" "$FROM" "$PWD" "$(env | grep ^CNB_)" && :`}},
		launch.Process{Type: "words", Command: launch.Command{"printf"}, Args: []string{"%s.", "$NAME", "$(echo sub)", "it's"}, WorkingDir: "/"},
		launch.Process{Type: "word", Command: launch.Command{"$PROGRAM"}},
		launch.Process{Type: "pid", Command: launch.Command{"echo $$; kill -TERM $$"}},
		launch.Process{Type: "lost", Command: launch.Command{"true"}, WorkingDir: "/none"})
	i.mkdir("layers/old/a/profile.d/dir")
	i.write("layers/old/a/profile.d/it's 1.sh", "export FROM=layer:$(env | grep ^CNB_):$0; HIDDEN=1")
	i.write("layers/old/a/profile.d/line/1.sh", "export FROM=$FROM:type:$PWD")
	i.write("layers/old/a/profile.d/words/1.sh", "FROM=never")
	i.write("app/.profile", "export FROM=$FROM:app PROGRAM=echo")

	for _, test := range []struct {
		name, run string
		args      []string
		want      string
	}{
		{"profile scripts of layer, type and app come before a line, which is run in the app folder", "line", nil,
			"bash// layer::/cnb/process/line:type:APP:app APP \n"},
		{"arguments of the user are positional parameters of a line", "line", []string{"x y", "$NAME"},
			"bash/x y/$NAME layer::/cnb/process/line:type:APP:app APP \n"},
		{"a line of one word is a program that gets them", "word", []string{"$NAME", "b"}, "v  w b\n"},
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
	t.Run("launcher and bash are replaced by the process, which gets the signals", func(t *testing.T) {
		i.run("pid") // writes metadata.toml
		cmd := exec.Command(launcherBinary)
		cmd.Args[0], cmd.Env = "pid", i.env
		out, err := cmd.Output()
		killed, ok := errors.AsType[*exec.ExitError](err)
		if !ok || killed.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM || string(out) != fmt.Sprintln(cmd.Process.Pid) {
			t.Errorf("got %s and %v, want process %d to be killed", out, err, cmd.Process.Pid)
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
			`command runs "./none", which does not exist (relative paths start at the working folder or at `},
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
		{"no command", metadata, "launcher", nil, 82, `there is no process type "launcher", and no command was given`},
		{"no command after --", metadata, "launcher", []string{"--"}, 82, "no command was given after --"},
		{"a process type where a command stands", metadata, "launcher", []string{"--", "web"}, 82, `command runs "web", which is not on PATH`},
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
