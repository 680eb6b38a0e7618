package run

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/step"
)

func TestWhatAScriptLeavesIsTheResult(t *testing.T) {
	for _, kind := range []step.Kind{step.KindRequire, step.KindTest, step.KindRun} {
		t.Run(string(kind), func(t *testing.T) {
			b := newBox(t, kind).script(`
				cat $MD/version
				printf '%s\n' "$(cat $MD/version)1" > $MD/version
				mkdir $MD/table $MD/empty
				echo private > $MD/.hidden
				printf ' two\n\n' > $MD/table/lines`)
			b.spec.Metadata = metadata.Table{"version": "1.", "static": metadata.Table{"a": "x"}}
			out := b.succeed()
			want := &step.Result{Metadata: metadata.Table{
				"version": "1.1",
				"static":  metadata.Table{"a": "x"},
				"table":   metadata.Table{"lines": " two\n"},
				"empty":   metadata.Table{},
			}}
			if diff := cmp.Diff(want, out.result); diff != "" {
				t.Error(diff)
			}
			if out.stdout != "1." {
				t.Errorf("the script read version %q", out.stdout)
			}
		})
	}
}

func TestAStepWithoutScriptKeepsItsMetadata(t *testing.T) {
	b := newBox(t, step.KindRun)
	b.spec.Metadata = metadata.Table{"version": "1"}
	if diff := cmp.Diff(&step.Result{Metadata: b.spec.Metadata}, b.succeed().result); diff != "" {
		t.Error(diff)
	}
}

func TestExitCodes(t *testing.T) {
	for _, test := range []struct {
		name   string
		kind   step.Kind
		script string
		code   int
		want   string
	}{
		{"a script that fails", step.KindRun, "exit 7", 7, `packfile-step: layer "modules": run script failed with exit code 7`},
		{"100 is a failure of a run script", step.KindRun, "exit 100", 100, "run script failed with exit code 100"},
		{"a script that is killed", step.KindTest, "kill -KILL $$", 137, `layer "modules": test script was killed by signal 9 (killed)`},
		{"a require script that fails", step.KindRequire, "exit 1", 1, "require script failed with exit code 1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			newBox(t, test.kind).script(test.script).fail(test.code, test.want)
		})
	}
	for _, kind := range []step.Kind{step.KindRequire, step.KindTest} {
		t.Run("100 means not wanted for a "+string(kind)+" script", func(t *testing.T) {
			b := newBox(t, kind).script("echo 1 > $MD/version; ln -s / $MD/bad; exit 100")
			if diff := cmp.Diff(&step.Result{Asked: step.Asked{NotWanted: true}}, b.succeed().result); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhereAndHowAScriptRuns(t *testing.T) {
	for _, test := range []struct {
		name, script, want string
		change             func(b *box)
	}{
		{name: "in the app folder", script: "pwd", want: "ROOT/workspace\n"},
		{name: "in LAYER if its form says so", script: "pwd", want: "ROOT/layers/app/modules\n",
			change: func(b *box) { b.spec.Script.InLayer = true }},
		{name: "given to the shell as last argument", script: "echo $0", want: "ROOT/packfile/step/script\n"},
		{name: "with nothing to read", script: "cat; echo end", want: "end\n"},
		{name: "with umask 022", script: "umask", want: "0022\n"},
		{name: "with an argument of the shell", script: "set -- $-; case $1 in *e*) echo errexit;; esac", want: "errexit\n",
			change: func(b *box) { b.spec.Script.Shell = []string{"/bin/sh", "-e"} }},
		{name: "through env", script: "echo $0", want: "ROOT/packfile/step/script\n",
			change: func(b *box) { b.spec.Script.Shell = []string{"/usr/bin/env", "sh"} }},
		{name: "with a shell from PATH", script: "echo $0", want: "ROOT/packfile/step/script\n",
			change: func(b *box) { b.spec.Script.Shell = []string{"sh"} }},
	} {
		t.Run(test.name, func(t *testing.T) {
			old := syscall.Umask(0o077)
			defer syscall.Umask(old)
			b := newBox(t, step.KindRun).script(test.script)
			if test.change != nil {
				test.change(b)
			}
			want := strings.ReplaceAll(test.want, "ROOT", b.root)
			if got := b.succeed().stdout; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestAShellThatIsNotThere(t *testing.T) {
	for _, test := range []struct {
		name  string
		shell []string
		make  func(b *box)
		want  string
	}{
		{name: "no such file", shell: []string{"/none/bash"},
			want: `layer "modules": run script: the build image has no /none/bash; set shell = "/bin/sh" or`},
		{name: "env, and no such program", shell: []string{"/usr/bin/env", "nosh"},
			want: `the build image has /usr/bin/env, but no program "nosh" on PATH for it; set shell = `},
		{name: "no such program on PATH", shell: []string{"nosh"}, want: "the build image has no nosh; set shell ="},
		{name: "a file that is no program", shell: []string{"/etc/passwd"}, want: "the shell /etc/passwd may not be executed"},
		{name: "a shell whose loader is missing", shell: []string{"sh2"}, want: "the dynamic loader or interpreter of ",
			make: func(b *box) {
				b.write("/bin/sh2", "#!/none\n")
				b.must(os.Chmod(b.path("/bin/sh2"), 0o755))
				b.env = append(b.env, "PATH="+b.path("/bin"))
			}},
		{name: "no shell at all", want: "it has no shell"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBox(t, step.KindRun).script("true")
			b.spec.Script.Shell = test.shell
			if test.make != nil {
				test.make(b)
			}
			b.fail(127, test.want)
		})
	}
	t.Run("is told from a script that ends with 127", func(t *testing.T) {
		b := newBox(t, step.KindRun).script("nosuchcommand 2>/dev/null")
		b.spec.Script.Shell = []string{"/usr/bin/env", "sh"}
		b.fail(127, "run script failed with exit code 127")
	})
}

func TestSignalsReachTheScript(t *testing.T) {
	b := newBox(t, step.KindRun).script(`trap 'echo stopped; exit 3' TERM; echo ready; sleep 1000 & wait`)
	cmd := b.command()
	out, err := cmd.StdoutPipe()
	b.must(err)
	b.must(cmd.Start())
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "ready" {
		t.Fatalf("the script said %q", lines.Text())
	}
	b.must(cmd.Process.Signal(syscall.SIGTERM))
	if !lines.Scan() || lines.Text() != "stopped" {
		t.Errorf("the script said %q", lines.Text())
	}
	if cmd.Wait(); cmd.ProcessState.ExitCode() != 3 {
		t.Errorf("exit code %d", cmd.ProcessState.ExitCode())
	}
}

func TestWhatAScriptLeavesRunningEndsWithIt(t *testing.T) {
	b := newBox(t, step.KindRun).script(`sleep 1000 & echo $! > $MD/pid`)
	out := b.succeed() // would fail on WaitDelay
	var pid int
	fmt.Sscan(out.result.Metadata["pid"].(string), &pid)
	// The kernel ends it when it gets round to it; whoever it was left to reaps it.
	for range 100 {
		state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil || strings.Contains(string(state), ") Z ") {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("process %d is alive", pid)
}

func TestNothingIsLeftInOutDirBesidesResultAndMetadata(t *testing.T) {
	b := newBox(t, step.KindRun).script(`
		cd ${MD%/*}; mkdir -p junk/deep; echo > junk/deep/file; chmod 500 junk/deep junk
		ln -s "$APP/file" result.json; mkdir "$LAYER/keep"; ln -s "$LAYER" link
		test -d "$TOOL" && test "$(cat "$TOOL/version")" = 2 && chmod 500 "$TOOL"`)
	b.write(step.AppDir+"/file", "the app's")
	b.spec.Links = []step.Link{{Name: "tool", MetadataAs: "TOOL", Metadata: metadata.Table{"version": "2"}}}
	b.succeed()
	entries, err := os.ReadDir(b.path(step.OutDir))
	b.must(err)
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name()+" "+entry.Type().String())
	}
	if diff := cmp.Diff([]string{"md d---------", "result.json ----------"}, names); diff != "" {
		t.Error(diff)
	}
	if !b.exists(layerDir+"/keep") || b.read(step.AppDir+"/file") != "the app's" {
		t.Error("a link was followed")
	}
	info, err := os.Stat(b.path(step.OutDir + "/" + step.ResultFile))
	b.must(err)
	if info.Mode() != 0o644 {
		t.Error("the result has mode", info.Mode())
	}
}

func TestSpecsThatAreNotForThisProgram(t *testing.T) {
	for _, test := range []struct{ name, spec, want string }{
		{"another contract", `{"contract": 99, "kind": "run", "layer": "x"}`, "is of contract 99, this is packfile-step of contract"},
		{"an unknown field", fmt.Sprintf(`{"contract": %d, "kind": "test", "layer": "x", "more": 1}`, step.Contract), `unknown field "more"`},
		{"an unknown field of its kind", fmt.Sprintf(`{"contract": %d, "kind": "test", "layer": "x", "task": {"time": 1}}`, step.Contract), `test: json: unknown field "time"`},
		{"no task", fmt.Sprintf(`{"contract": %d, "kind": "test", "layer": "x"}`, step.Contract), "test: EOF"},
		{"an unknown kind", fmt.Sprintf(`{"contract": %d, "kind": "walk", "layer": "x"}`, step.Contract), `unknown kind of step "walk"`},
		{"a run without layer", fmt.Sprintf(`{"contract": %d, "kind": "run", "layer": "x", "task": {}}`, step.Contract), "a run step has no layerDir"},
		{"no JSON", `{`, "spec.json: unexpected end of JSON input"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBox(t, step.KindTest)
			cmd := b.command()
			b.write(step.SpecDir+"/"+step.SpecFile, test.spec)
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), test.want) {
				t.Errorf("got %v with %s, want %q", err, out, test.want)
			}
		})
	}
	t.Run("no spec", func(t *testing.T) {
		b := newBox(t, step.KindTest)
		cmd := b.command()
		b.must(os.Remove(b.path(step.SpecDir + "/" + step.SpecFile)))
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "spec.json: no such file") {
			t.Errorf("got %v with %s", err, out)
		}
	})
	t.Run("arguments", func(t *testing.T) {
		cmd := newBox(t, step.KindTest).command()
		cmd.Args = append(cmd.Args, "name", "--help")
		if out, _ := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != 2 || !strings.Contains(string(out), "takes no arguments") {
			t.Errorf("got %s", out)
		}
	})
	t.Run("a script that is not there", func(t *testing.T) {
		b := newBox(t, step.KindRun).script("")
		b.spec.Script.File = "none"
		b.fail(1, "packfile/step/none: no such file")
	})
	t.Run("an app that is not there", func(t *testing.T) {
		b := newBox(t, step.KindRun).script("")
		b.must(os.Remove(b.path(step.AppDir)))
		b.fail(1, "run script: stat "+b.path(step.AppDir))
	})
}
