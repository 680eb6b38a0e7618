package launch

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packfile/frontend/cnb/api"
)

func TestWhichProcessIsChosen(t *testing.T) {
	metadata := Metadata{Processes: []Process{
		{Type: "new", Command: Command{"node", "server.js"}, Args: []string{"--port", "80"}, Direct: true, Buildpack: "new"},
		{Type: "new-bare", Command: Command{"node"}, Args: []string{"--port"}, Direct: true, Buildpack: "new", WorkingDir: "/web"},
		{Type: "old", Command: Command{"node"}, Args: []string{"server.js"}, Direct: true, Buildpack: "old"},
		{Type: "old-line", Command: Command{`node server.js "$@"`}, Buildpack: "old"},
		{Type: "old-words", Command: Command{"node"}, Args: []string{"$SCRIPT"}, Buildpack: "old"},
		{Type: "oldest-words", Command: Command{`node "$0"`}, Args: []string{"a"}, Buildpack: "oldest"},
		{Type: "new-line", Command: Command{`node "$@"`}, Buildpack: "new"},
		{Type: "old-word", Command: Command{"$RUNTIME"}, Buildpack: "old"},
		{Type: "oldest-word", Command: Command{"node"}, Buildpack: "oldest"},
		{Type: "test-only", Command: Command{"go"}, Direct: true, Buildpack: "new", ExecEnv: []string{"test", "ci"}},
		{Type: "anywhere", Command: Command{"go"}, Direct: true, Buildpack: "new", ExecEnv: []string{"*"}},
		{Type: "lost", Command: Command{"node"}, Direct: true, Buildpack: "none"},
	}}
	apis := map[string]api.Version{"oldest": {Minor: 3}, "old": {Minor: 8}, "new": {Minor: 9}}

	for _, test := range []struct {
		name     string
		platform api.Version
		execEnv  string
		run      string
		args     []string
		want     process
	}{
		{
			name: "a process gets its own arguments when the user gives none",
			run:  "new",
			want: process{kind: "new", direct: true, words: []string{"node", "server.js", "--port", "80"}},
		},
		{
			name: "arguments of the user replace args and leave the command's tail",
			run:  "new", args: []string{"-x"},
			want: process{kind: "new", direct: true, words: []string{"node", "server.js", "-x"}},
		},
		{
			name: "arguments of the user replace args of a command without tail",
			run:  "new-bare", args: []string{"-x"},
			want: process{kind: "new-bare", direct: true, dir: "/web", words: []string{"node", "-x"}},
		},
		{
			name:     "before Platform API 0.10 arguments of the user are appended",
			platform: api.Version{Minor: 9},
			run:      "new", args: []string{"-x"},
			want: process{kind: "new", direct: true, words: []string{"node", "server.js", "--port", "80", "-x"}},
		},
		{
			name: "before Buildpack API 0.9 arguments of the user are appended",
			run:  "old", args: []string{"-x"},
			want: process{kind: "old", direct: true, words: []string{"node", "server.js", "-x"}},
		},
		{
			name: "a line for bash stays a script",
			run:  "old-line",
			want: process{kind: "old-line", script: true, words: []string{`node server.js "$@"`}},
		},
		{
			name: "arguments of the user are positional parameters of a line for bash",
			run:  "old-line", args: []string{"a", "b"},
			want: process{kind: "old-line", script: true, words: []string{`node server.js "$@"`, "bash", "a", "b"}},
		},
		{
			name: "so they are of a line of a newer buildpack",
			run:  "new-line", args: []string{"a"},
			want: process{kind: "new-line", script: true, words: []string{`node "$@"`, "bash", "a"}},
		},
		{
			name: "a line of one word is a program that gets them",
			run:  "old-word", args: []string{"a", "b c"},
			want: process{kind: "old-word", words: []string{"$RUNTIME", "a", "b c"}},
		},
		{
			name: "which without them is a script like any line",
			run:  "old-word",
			want: process{kind: "old-word", script: true, words: []string{"$RUNTIME"}},
		},
		{
			name: "and before Buildpack API 0.4 is one always",
			run:  "oldest-word", args: []string{"a"},
			want: process{kind: "oldest-word", script: true, words: []string{"node", "a"}},
		},
		{
			name:    "a process for some environments runs in these",
			execEnv: "test",
			run:     "test-only",
			want:    process{kind: "test-only", direct: true, words: []string{"go"}},
		},
		{
			name: "a process for all environments runs in any",
			run:  "anywhere",
			want: process{kind: "anywhere", direct: true, words: []string{"go"}},
		},
		{
			name:     "before Platform API 0.15 there are no environments",
			platform: api.Version{Minor: 14},
			run:      "test-only",
			want:     process{kind: "test-only", direct: true, words: []string{"go"}},
		},
		{
			name: "a shell process with arguments is a list of words",
			run:  "old-words", args: []string{"a"},
			want: process{kind: "old-words", words: []string{"node", "$SCRIPT", "a"}},
		},
		{
			name: "before Buildpack API 0.4 it is a script with parameters",
			run:  "oldest-words", args: []string{"b"},
			want: process{kind: "oldest-words", script: true, words: []string{`node "$0"`, "a", "b"}},
		},
		{
			name: "a process without arguments needs no buildpack",
			run:  "lost",
			want: process{kind: "lost", direct: true, words: []string{"node"}},
		},
		{
			name: "under another name one word is a line for bash",
			run:  "launcher", args: []string{"echo $HOME && ls"},
			want: process{script: true, words: []string{"echo $HOME && ls"}},
		},
		{
			name: "under another name several words are words for bash",
			run:  "launcher", args: []string{"echo", "$HOME"},
			want: process{words: []string{"echo", "$HOME"}},
		},
		{
			name: "words after -- are a command without shell",
			run:  "launcher", args: []string{"--", "new", "$HOME"},
			want: process{direct: true, words: []string{"new", "$HOME"}},
		},
		{
			name: "a process type as first word is no process type",
			run:  "launcher", args: []string{"new"},
			want: process{script: true, words: []string{"new"}},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := &launcher{platform: test.platform, execEnv: test.execEnv, metadata: metadata, apis: apis}
			if l.platform == (api.Version{}) {
				l.platform = platformNewest
			}
			got, err := l.choose(test.run, test.args)
			if err != nil {
				t.Fatal(err)
			}
			got.what = ""
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(process{})); diff != "" {
				t.Error(diff)
			}
		})
	}

	for _, test := range []struct {
		name, run string
		args      []string
		want      string
	}{
		{"no process type and no command", "wep", nil, `there is no process type "wep", and no command was given`},
		{"-- without a command", "launcher", []string{"--"}, "no command was given after --"},
		{"a process for other environments", "test-only", nil,
			`process type "test-only" is not for the environment "production": its exec-env is ["test" "ci"]`},
		{"arguments for a process of an unknown buildpack", "lost", []string{"a"}, `process type "lost" is of buildpack "none"`},
	} {
		t.Run(test.name+" is an error", func(t *testing.T) {
			l := &launcher{platform: platformNewest, execEnv: "production", metadata: metadata, apis: apis}
			_, err := l.choose(test.run, test.args)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want one with %q", err, test.want)
			}
		})
	}
}
