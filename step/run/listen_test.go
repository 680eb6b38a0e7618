package run

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/packfile/frontend/step"
)

func TestProgramsThatAShellDoesNotFindAreNoted(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{"bash", "/packfile/step/a.test: line 3: node: command not found\n", []string{"node"}},
		{"dash", "/packfile/step/a.test: 3: node: not found\n", []string{"node"}},
		{"busybox", "/packfile/step/a.test: line 3: node: not found\n", []string{"node"}},
		{"env of coreutils", "env: 'node': No such file or directory\n", []string{"node"}},
		{"env of busybox", "env: can't execute 'node': No such file or directory\n", nil},
		{"several, each once", "x: 1: a: not found\nx: 2: b: not found\nx: 3: a: not found\n", []string{"a", "b"}},
		{"a last line without an end", "x: 1: a: not found", []string{"a"}},
		{"something else", "module not found\ncurl: (22) 404\nx: file not found here\n", nil},
		{"a long line", strings.Repeat("x", 100_000) + ": node: not found\n" + "x: 1: a: not found\n", []string{"a"}},
		{"what could mislead a terminal", "x: \x1b[31mnode: not found\n", nil},
		{"more than anyone reads", strings.Repeat("x: 1: a: not found\nx: 1: b: not found\n", 3) +
			"x: c: not found\nx: d: not found\nx: e: not found\nx: f: not found\nx: g: not found\nx: h: not found\nx: i: not found\nx: j: not found\nx: k: not found\n",
			strings.Split("abcdefghij", "")},
	} {
		t.Run(test.name, func(t *testing.T) {
			var passed bytes.Buffer
			l, err := listen(&passed)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(l.in, test.text); err != nil {
				t.Fatal(err)
			}
			if got := l.end(); !slices.Equal(got, test.want) {
				t.Errorf("noted %q, want %q", got, test.want)
			}
			if passed.String() != test.text {
				t.Errorf("passed on %q", passed.String())
			}
		})
	}
}

func TestABareTestSaysWhichProgramsItDidNotFind(t *testing.T) {
	for _, bare := range []bool{true, false} {
		b := newBox(t, step.KindTest).script("echo to-stderr >&2; echo \"$(no-such-program)\" > $MD/version")
		b.spec.Bare = bare
		out := b.run()
		if out.code != 0 || out.result == nil {
			t.Fatalf("exit code %d\n%s", out.code, out.stderr)
		}
		if !strings.Contains(out.stderr, "to-stderr\n") || !strings.Contains(out.stderr, "no-such-program: ") {
			t.Errorf("standard error is %q", out.stderr)
		}
		var want []string
		if bare {
			want = []string{"no-such-program"}
		}
		if !slices.Equal(out.result.NotFound, want) {
			t.Errorf("bare: %t: not found: %q", bare, out.result.NotFound)
		}
	}
}

func TestAProcessThatATestLeavesRunningDoesNotHoldItUp(t *testing.T) {
	b := newBox(t, step.KindTest).script("sleep 1000 & echo 1 > $MD/version")
	b.spec.Bare = true
	b.succeed()
}
