package run

import (
	"fmt"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packfile/frontend/step"
)

const testBuildpack = step.Buildpacks + "/a_b/1"

// newDetectBox is a container with a buildpack whose bin/detect is a shell script.
func newDetectBox(t *testing.T, script string) *box {
	t.Helper()
	b := newBox(t, step.KindDetect)
	b.spec.Layer = ""
	b.spec.Program = step.Program{Dir: b.path(testBuildpack)}
	b.mkdir(step.PlatformDir)
	b.program("#!/bin/sh\n" + script)
	return b
}

// program writes bin/detect.
func (b *box) program(text string) {
	b.t.Helper()
	file := testBuildpack + "/bin/detect"
	b.write(file, text)
	b.must(os.Chmod(b.path(file), 0o755))
}

// answer is the result of a step that leaves nothing else. It may say why on standard error.
func (b *box) answer() step.Detected {
	b.t.Helper()
	out := b.run()
	if out.code != 0 || out.result == nil {
		b.t.Fatalf("exit code %d\n%s%s", out.code, out.stdout, out.stderr)
	}
	entries, err := os.ReadDir(b.path(step.OutDir))
	b.must(err)
	for _, e := range entries {
		if e.Name() != step.ResultFile && e.Name() != step.MetadataDir {
			b.t.Errorf("%s is left", e.Name())
		}
	}
	if failed := out.result.Failed; failed != "" && !strings.Contains(out.stderr, step.StepBinary+": "+failed+"\n") {
		b.t.Errorf("%q is not in the log:\n%s", failed, out.stderr)
	}
	return out.result.Detected
}

func TestWhatBinDetectSays(t *testing.T) {
	for _, test := range []struct {
		name, script string
		want         step.Detected
	}{
		{"yes, without a plan", "", step.Detected{}},
		{"yes, with a plan", `printf '[[provides]]\nname = "<a>\\u001b"\n' >"$CNB_BUILD_PLAN_PATH"`,
			step.Detected{Plan: "[[provides]]\nname = \"<a>\\u001b\"\n"}},
		{"a plan in the place of the one that was there", `printf 'a = 1' >"$2.new"; mv "$2.new" "$2"`, step.Detected{Plan: "a = 1"}},
		{"a plan that is as large as it may be", `head -c 1048576 /dev/zero | tr '\0' '#' >"$2"`, step.Detected{Plan: strings.Repeat("#", step.MaxPlan)}},
		{"no", `echo 'a = 1' >"$2"; exit 100`, step.Detected{ExitCode: 100}},
		{"that it cannot say", `echo 'a = 1' >"$2"; exit 1`, step.Detected{ExitCode: 1}},
		{"nothing, as it was killed", `kill -9 $$`, step.Detected{Failed: "bin/detect was killed by signal 9 (killed)"}},
		{"a plan that is too large", `head -c 1048577 /dev/zero >"$2"`,
			step.Detected{Failed: "build plan has 1048577 bytes, more than the 1048576 that it may have"}},
		{"a plan that is no text", `printf 'a = 1\nb = "\360"\n' >"$2"`, step.Detected{Failed: "build plan is not valid UTF-8 on line 2"}},
		{"a plan that is gone", `rm "$2"`, step.Detected{Failed: "build plan is gone"}},
		{"a plan that is a folder", `rm "$2"; mkdir "$2"`, step.Detected{Failed: "build plan is a folder"}},
		{"a plan that is elsewhere", `rm "$2"; ln -s /etc/passwd "$2"`, step.Detected{Failed: "build plan is a symlink"}},
		{"a plan that never ends", `rm "$2"; mkfifo "$2"`, step.Detected{Failed: "build plan is a fifo"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newDetectBox(t, test.script)
			if diff := cmp.Diff(test.want, b.answer()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAPlanOfManyGigabytesIsNotRead(t *testing.T) {
	b := newDetectBox(t, `truncate -s 1T "$2"`)
	want := step.Detected{Failed: "build plan has 1099511627776 bytes, more than the 1048576 that it may have"}
	if diff := cmp.Diff(want, b.answer()); diff != "" {
		t.Error(diff)
	}
}

func TestABinDetectThatCannotBeRunIsAnAnswer(t *testing.T) {
	for _, test := range []struct {
		name, want string
		change     func(*box)
	}{
		{"it is not there", "bin/detect is not there", func(b *box) { b.must(os.Remove(b.path(testBuildpack + "/bin/detect"))) }},
		{"its link leads nowhere", "bin/detect is not there", func(b *box) {
			b.must(os.Remove(b.path(testBuildpack + "/bin/detect")))
			b.symlink("build", testBuildpack+"/bin/detect")
		}},
		{"nobody may execute it", "bin/detect cannot be run: permission denied", func(b *box) {
			b.must(os.Chmod(b.path(testBuildpack+"/bin/detect"), 0o644))
		}},
		{"it is no program", "bin/detect cannot be run: exec format error", func(b *box) { b.program("echo") }},
		{"its interpreter is not there", "bin/detect has an interpreter or dynamic loader that is not in the build image",
			func(b *box) { b.program("#!/nowhere/bash\n") }},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newDetectBox(t, "")
			test.change(b)
			if diff := cmp.Diff(step.Detected{Failed: test.want}, b.answer()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBinDetectMayBeALink(t *testing.T) {
	b := newDetectBox(t, `echo "# $(basename "$0")" >"$2"`)
	b.must(os.Rename(b.path(testBuildpack+"/bin/detect"), b.path(testBuildpack+"/bin/run")))
	b.symlink("run", testBuildpack+"/bin/detect")
	if got := b.answer().Plan; got != "# detect\n" {
		t.Errorf("it was run as %q", got)
	}
}

// environment is what bin/detect sees, as variables and below env of the platform folder.
func (b *box) environment() (vars, files map[string]string, dir string) {
	b.t.Helper()
	b.program("#!/bin/sh\npwd >\"$2\"; tail -n +1 \"$1\"/env/* >\"$2.files\" 2>&1; cat \"$2.files\" >>\"$2\"; echo >>\"$2\"; echo ==== >>\"$2\"; env -0 | tr '\\n\\0' ' \\n' >>\"$2\"\n")
	text := b.answer().Plan
	head, tail, _ := strings.Cut(text, "\n====\n")
	dir, head, _ = strings.Cut(head, "\n")
	files, vars = map[string]string{}, map[string]string{}
	for part := range strings.SplitSeq("\n"+head, "\n==> ") {
		if name, value, ok := strings.Cut(part, " <==\n"); ok {
			files[path.Base(name)] = strings.TrimSuffix(value, "\n")
		}
	}
	for line := range strings.Lines(tail) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		vars[name] = value
	}
	return vars, files, dir
}

func TestTheEnvironmentOfBinDetect(t *testing.T) {
	platform := []step.Variable{{Name: "BP_A", Value: "1"}, {Name: "CNB_BUILDPACK_DIR", Value: "/hostile"}, {Name: "PATH", Value: "/mine"},
		{Name: "a/../../b", Value: "x"}, {Name: strings.Repeat("n", 256), Value: "x"}}
	for _, test := range []struct {
		name  string
		clear bool
		want  map[string]string
	}{
		{"has the platform's variables", false, map[string]string{"BP_A": "1", "PATH": "/mine:/usr/bin:/bin"}},
		{"has none of them when the buildpack wants so", true, map[string]string{"BP_A": "", "PATH": "/usr/bin:/bin"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newDetectBox(t, "")
			b.env = []string{testRoot + "=" + b.root, "PATH=/usr/bin:/bin", "GOFLAGS=-mod=vendor", "CNB_TARGET_DISTRO_NAME=of-the-image",
				"CNB_PLATFORM_DIR=of-the-image", "TRACEPARENT=t", "CNB_STACK_ID=stack", "no_proxy=n", "HTTPS_PROXY=p", "HOSTNAME=h",
				"LD_LIBRARY_PATH=/l", "CPATH=/c", "HTTP_PROXYX=x", "CNB_USER_ID=1"}
			b.spec.Platform = platform
			b.spec.Program.ClearEnv = test.clear
			b.spec.Program.Env = []step.Variable{{Name: "CNB_TARGET_OS", Value: "linux"}, {Name: "CNB_TARGET_DISTRO_NAME"}}
			vars, files, dir := b.environment()
			want := map[string]string{
				"CNB_TARGET_OS": "linux", "HOME": b.path("/tmp/home"), "CNB_STACK_ID": "stack", "no_proxy": "n", "HTTPS_PROXY": "p",
				"HOSTNAME": "h", "LD_LIBRARY_PATH": "/l", "CPATH": "/c",
				"CNB_BUILDPACK_DIR": b.path(testBuildpack), "CNB_PLATFORM_DIR": b.path(step.PlatformDir),
				"CNB_BUILD_PLAN_PATH": b.path(step.OutDir + "/plan.toml"),
			}
			for name, value := range test.want {
				want[name] = value
			}
			for name, value := range want {
				if vars[name] != value {
					t.Errorf("%s is %q, want %q", name, vars[name], value)
				}
			}
			for _, name := range []string{"APP", "MD", "LAYER", "CNB_TARGET_DISTRO_NAME", "GOFLAGS", "TRACEPARENT", "HTTP_PROXYX", "CNB_USER_ID"} {
				if value, ok := vars[name]; ok {
					t.Errorf("%s is set, to %q", name, value)
				}
			}
			if dir != b.path(step.AppDir) {
				t.Errorf("it works in %s", dir)
			}
			if diff := cmp.Diff(map[string]string{"BP_A": "1", "CNB_BUILDPACK_DIR": "/hostile", "PATH": "/mine"}, files); diff != "" {
				t.Errorf("platform folder: %s", diff)
			}
		})
	}
}

func TestTheOperatorOfTheBuildImageSetsVariablesOfBinDetect(t *testing.T) {
	for _, clear := range []bool{false, true} {
		t.Run(fmt.Sprintf("clear-env = %t", clear), func(t *testing.T) {
			b := newDetectBox(t, "")
			b.env = []string{testRoot + "=" + b.root, "PATH=/usr/bin:/bin"}
			b.spec.Platform = []step.Variable{{Name: "BP_A", Value: "platform"}, {Name: "BP_B", Value: "platform"}}
			b.spec.Program.ClearEnv = clear
			b.spec.Program.Env = []step.Variable{{Name: "CNB_TARGET_OS", Value: "linux"}}
			for name, value := range map[string]string{
				"BP_A": "operator", "BP_B.override": "operator", "BP_C": "operator", "PATH.append": "/operator", "PATH.delim": ":",
				"BP_D.": "operator", "CNB_TARGET_OS.override": "plan9",
			} {
				b.write(buildConfigEnv+"/"+name, value)
			}
			want := map[string]string{
				"BP_A": "platform", "BP_B": "operator", "BP_C": "operator", "BP_D": "operator", "PATH": "/usr/bin:/bin:/operator", "CNB_TARGET_OS": "linux",
			}
			if clear {
				want["BP_A"] = "operator"
			}
			vars, _, _ := b.environment()
			for name, value := range want {
				if vars[name] != value {
					t.Errorf("%s is %q, want %q", name, vars[name], value)
				}
			}
		})
	}
}

func TestADetectStepNeedsAProgram(t *testing.T) {
	b := newDetectBox(t, "")
	b.spec.Program = step.Program{}
	b.fail(1, "a detect step has no program")
}
