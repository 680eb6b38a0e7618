package e2e

import (
	"strings"
	"testing"

	"github.com/packfile/frontend/internal/testbed"
)

// How the app in an image is started.

// showing is a process that shows its words and what it sees.
func showing(kind string) testbed.ProcessTable {
	return testbed.Process(kind, "sh", "-c", `echo "$0" "$@"; pwd`, kind)
}

func TestProcessesAreStartedByName(t *testing.T) {
	t.Parallel()
	image := request{runImg: env.busybox, dir: files(t, map[string]string{"sub/x": "", "packfile.toml": testbed.Packfile(
		showing("web").With("args", []string{"default $HOME", "args"}),
		showing("worker").With("working-dir", "sub"),
		showing("clock").With("working-dir", "/tmp"),
	)})}.push(t)
	for name, test := range map[string]struct {
		entrypoint string
		args       []string
		want       string
	}{
		"the default process with its args":       {"", nil, "web default $HOME args\n/workspace\n"},
		"the user's arguments replace them":       {"", []string{"a  b", "$c"}, "web a  b $c\n/workspace\n"},
		"a process by its path":                   {"/cnb/process/worker", []string{"x"}, "worker x\n/workspace/sub\n"},
		"a process by its name, which is on PATH": {"worker", nil, "worker\n/workspace/sub\n"},
		"a working folder outside of the app":     {"clock", nil, "clock\n/tmp\n"},
		"a command of the user":                   {"launcher", []string{"--", "sh", "-c", "echo own; pwd"}, "own\n/workspace\n"},
		"the same by the launcher's path":         {"/cnb/lifecycle/launcher", []string{"--", "echo", "$HOME", "a  b"}, "$HOME a  b\n"},
		"without the launcher":                    {"echo", []string{"plain"}, "plain\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var options []string
			if test.entrypoint != "" {
				options = []string{"--entrypoint", test.entrypoint}
			}
			equal(t, "output", container(t, image, options, test.args...), test.want)
		})
	}
}

func TestLaunchEnvironment(t *testing.T) {
	t.Parallel()
	image := request{runImg: env.busybox, dir: files(t, map[string]string{"packfile.toml": testbed.Packfile(
		testbed.Process("web", "env"),
		testbed.Layer("a").Export().Run(`
mkdir $LAYER/bin $LAYER/lib $LAYER/include
`).
			Env("both", "BOTH", "both").Env("both", "APP_DIR", "{{.App}}").Env("build", "AT_BUILD", "x").
			Env("launch", "OVER", "{{.Layer}}").Env("launch", "BOTH", "launch").
			Env("launch", "APPENDED", "a", "op", "append", "delim", ":").
			Env("launch", "PREPENDED", "a", "op", "prepend", "delim", ":").
			Env("launch", "DEFAULT", "a", "op", "default").Env("launch", "GIVEN", "a", "op", "default"),
		testbed.Layer("b").Export().Run("mkdir $LAYER/bin $LAYER/lib").Env("launch", "OVER", "b", "op", "override").
			Env("launch", "APPENDED", "b", "op", "append", "delim", ":").
			Env("launch", "PREPENDED", "b", "op", "prepend").Env("launch", "DEFAULT", "b", "op", "default").
			Env("launch", "TEXT", `two words, "quoted" $HOME`),
		testbed.Layer("hidden").Expose().Run("mkdir $LAYER/bin").Env("launch", "HIDDEN", "x"),
	)})}.push(t)
	got := map[string]string{}
	for _, line := range strings.Split(container(t, image, []string{"-e", "GIVEN=user", "-e", "APPENDED=user", "-e", "OVER=user"}), "\n") {
		name, value, _ := strings.Cut(line, "=")
		got[name] = value
	}
	for _, noise := range []string{"", "HOME", "HOSTNAME", "TERM", "container"} {
		delete(got, noise)
	}
	a, b := "/layers/packfile/a", "/layers/packfile/b"
	equal(t, "environment", got, map[string]string{
		"PATH":            b + "/bin:" + a + "/bin:/bin",
		"LD_LIBRARY_PATH": b + "/lib:" + a + "/lib",
		"OVER":            "b",
		"BOTH":            "launch",
		"APP_DIR":         "/workspace",
		"APPENDED":        "user:a:b",
		"PREPENDED":       "ba",
		"DEFAULT":         "a",
		"GIVEN":           "user",
		"TEXT":            `two words, "quoted" $HOME`,
		"CNB_USER_ID":     "1000",
		"CNB_GROUP_ID":    "1000",
	})
}

func TestShellProcessesReadProfileScripts(t *testing.T) {
	t.Parallel()
	parts := []testbed.Part{
		testbed.ShellProcess("web", `echo "$LOG" && echo "$0 $@" && pwd`),
		testbed.Process("direct", "printenv", "LOG").With("direct", true),
		testbed.ShellProcess("word", "echo"),
		testbed.ShellProcess("sub", "pwd").With("working-dir", "profile"),
	}
	contents := map[string]string{".profile": "export LOG=\"$LOG app\"\n"}
	for _, name := range []string{"b", "a"} {
		parts = append(parts, testbed.Layer(name).Export().Run("true", "shell", "/bin/sh").
			Profile(`export LOG="$LOG `+name+`1"`).ProfileFile("profile/"+name+".sh"))
		contents["profile/"+name+".sh"] = "LOG=\"$LOG " + name + "2\"\n"
	}
	contents["packfile.toml"] = testbed.Tables(parts...)
	image := request{runImg: env.runImage, dir: files(t, contents)}.push(t)
	set := []string{"-e", "LOG=start"}
	for name, test := range map[string]struct {
		options, args []string
		want          string
	}{
		"layers by name, scripts in file order, the app's own last": {set, nil, "start a1 a2 b1 b2 app\nbash \n/workspace\n"},
		"arguments of the user":                  {set, []string{"x  y", "$z"}, "start a1 a2 b1 b2 app\nbash x  y $z\n/workspace\n"},
		"a line of one word takes them itself":   {[]string{"--entrypoint", "word"}, []string{"x  y", "$((1+1))"}, "x  y 2\n"},
		"a direct process reads none":            {append([]string{"--entrypoint", "direct"}, set...), nil, "start\n"},
		"working-dir":                            {[]string{"--entrypoint", "sub"}, nil, "/workspace/profile\n"},
		"a command of the user is a shell's too": {append([]string{"--entrypoint", "launcher"}, set...), []string{"echo $LOG | tr a-z A-Z"}, "START A1 A2 B1 B2 APP\n"},
		"unless it follows --":                   {append([]string{"--entrypoint", "launcher"}, set...), []string{"--", "echo", "$LOG"}, "$LOG\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			equal(t, "output", container(t, image, test.options, test.args...), test.want)
		})
	}
}

func TestDirectProcessNeedsNothingInTheRunImage(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"app.txt": "from the app\n", "packfile.toml": testbed.Packfile(
		testbed.Process("web", "cat", "app.txt"),
		testbed.ShellProcess("line", "cat app.txt"),
		testbed.Layer("tools").Export().Run("mkdir $LAYER/bin; cp /bin/busybox $LAYER/bin/cat"),
	)})
	for _, base := range []string{env.empty, "scratch"} {
		t.Run(base[strings.LastIndexByte(base, '/')+1:], func(t *testing.T) {
			t.Parallel()
			image := request{dir: dir, runImg: base}.push(t)
			equal(t, "output", container(t, image, nil), "from the app\n")
			out, err := run(command(t, "../hack/run-image.sh", "--entrypoint", "line", image))
			if err == nil {
				t.Error("a shell process was started without a shell")
			}
			contains(t, out, `process type "line" needs bash, which is not in the image`)
		})
	}
}

func TestAppRunsAsTheImagesUserInItsOwnFolder(t *testing.T) {
	t.Parallel()
	image := request{runImg: env.busybox, dir: files(t, map[string]string{"packfile.toml": testbed.Packfile(
		testbed.Process("web", "sh", "-c", "id -u; id -g; echo x > written && cat written; stat -c %u:%g . /layers/packfile/a; exit 3"),
		testbed.Layer("a").Export().Run("true"),
	)})}.push(t)
	out, err := run(command(t, "../hack/run-image.sh", image))
	if err == nil || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("the exit code of the process is lost: %v", err)
	}
	equal(t, "output", out, "1000\n1000\nx\n1000:1000\n1000:1000\n")
}

func TestSignalsReachTheProcess(t *testing.T) {
	t.Parallel()
	// The process is the first of the container, which gets no signal that it does not handle. Its child ends it.
	const stop = `trap 'echo stopped; exit 7' TERM; echo $$; (kill -TERM 1) & wait`
	image := request{runImg: env.runImage, dir: files(t, map[string]string{"packfile.toml": testbed.Tables(
		testbed.Process("direct", "sh", "-c", stop).With("direct", true),
		testbed.ShellProcess("shell", stop),
	)})}.push(t)
	for name, arguments := range map[string][]string{
		"a direct process":                  {"--entrypoint", "direct", image},
		"a shell process":                   {"--entrypoint", "shell", image},
		"a command of the user":             {"--entrypoint", "launcher", image, "--", "sh", "-c", stop},
		"a command of the user for a shell": {"--entrypoint", "launcher", image, stop},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := run(command(t, "../hack/run-image.sh", arguments...))
			if err == nil || err.Error() != "exit status 7" || out != "1\nstopped\n" {
				t.Errorf("the process was not stopped by its own hand: %v\n%s", err, out)
			}
		})
	}
}

func TestLayersChangeTheEnvironmentOfEachProcessType(t *testing.T) {
	t.Parallel()
	image := request{runImg: env.runImage, dir: files(t, map[string]string{"packfile.toml": testbed.Packfile(
		testbed.Process("web", "printenv", "ORDER", "OF_EXECD").With("direct", true),
		testbed.Process("worker", "printenv", "ORDER", "OF_EXECD").With("direct", true),
		testbed.ShellProcess("line", "echo $ORDER"),
		testbed.Layer("a").Export().Run(`
cd $LAYER
mkdir -p env env.launch/worker env.build exec.d/worker profile.d/worker profile.d/line
printf " env" > env/ORDER.append
printf " launch" > env.launch/ORDER.append
printf " worker" > env.launch/worker/ORDER.append
printf " build" > env.build/ORDER.append
for name in exec.d/2 exec.d/1 exec.d/worker/0; do
	printf '#!/bin/sh\necho "OF_EXECD = \\"$OF_EXECD %s\\"" >&3\n' $name > $name
	chmod 755 $name
done
echo 'export ORDER="$ORDER profile"' > profile.d/p.sh
echo 'export ORDER="$ORDER line"' > profile.d/line/p.sh
echo 'export ORDER="$ORDER never"' > profile.d/worker/p.sh
`),
	)})}.push(t)
	set := func(entrypoint string) []string {
		return []string{"-e", "ORDER=user", "-e", "CNB_PROCESS_TYPE=worker", "--entrypoint", entrypoint}
	}
	const warning = "launcher: CNB_PROCESS_TYPE chooses no process since Platform API 0.4: to start \"worker\" make it the entrypoint\n"
	for name, test := range map[string]struct {
		entrypoint string
		args       []string
		want       string
	}{
		"a process":             {"web", nil, "user env launch\n exec.d/1 exec.d/2\n"},
		"another one":           {"worker", nil, "user env launch worker\n exec.d/1 exec.d/2 exec.d/worker/0\n"},
		"a shell process":       {"line", nil, "user env launch profile line\n"},
		"a command of the user": {"launcher", []string{"--", "printenv", "ORDER"}, "user env launch\n"},
		"a line of the user":    {"launcher", []string{"echo $ORDER"}, "user env launch profile\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			equal(t, "output", container(t, image, set(test.entrypoint), test.args...), warning+test.want)
		})
	}
}
