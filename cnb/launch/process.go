package launch

import (
	"fmt"
	"slices"
	"strings"
)

// process is a process to start, with the user's arguments in place.
type process struct {
	what   string // for messages
	kind   string // process type; "" for a command of the user
	direct bool
	dir    string // working folder, "" for the app folder

	// words are program and arguments. Without direct, bash expands them one by one, unless script is set: then the first is
	// a line for bash, and the others are $0, $1, … of that line.
	words  []string
	script bool
}

// choose returns the process for the name that the launcher was run as and its arguments (platform specification,
// "launcher": inputs).
func (l *launcher) choose(name string, args []string) (process, error) {
	for _, p := range l.metadata.Processes {
		if p.Type == name {
			if !l.allowed(p) {
				return process{}, fmt.Errorf("process type %q is not for the environment %q: its exec-env is %q", p.Type, l.execEnv, p.ExecEnv)
			}
			return l.withArgs(p, args)
		}
	}
	switch {
	case len(args) == 0:
		return process{}, fmt.Errorf("there is no process type %q, and no command was given", name)
	case args[0] != "--":
		words, script := args, len(args) == 1
		return process{what: "command", words: words, script: script}, nil
	case len(args) == 1:
		return process{}, fmt.Errorf("no command was given after --")
	}
	return process{what: "command", direct: true, words: args[1:]}, nil
}

// allowed reports whether a process may run in the kind of environment that the container is in.
func (l *launcher) allowed(p Process) bool {
	return len(p.ExecEnv) == 0 || !l.platform.AtLeast(platformEnvs) ||
		slices.Contains(p.ExecEnv, "*") || slices.Contains(p.ExecEnv, l.execEnv)
}

// withArgs returns a process of the image with the user's arguments. With buildpacks before API 0.9, and platforms before
// 0.10, they come after args; later they replace args.
func (l *launcher) withArgs(p Process, user []string) (process, error) {
	result := process{
		what:   fmt.Sprintf("process type %q", p.Type),
		kind:   p.Type,
		direct: p.Direct,
		dir:    p.WorkingDir,
	}
	always, args := p.Command, p.Args
	// A line of one word is a program, which can take arguments. The lifecycle takes longer lines for a program as well, and
	// then does not find it.
	program := len(user) > 0 && len(always) == 1 && !strings.ContainsAny(always[0], " \t\n")
	line := !p.Direct && len(always) == 1 && len(args) == 0 && !program
	result.script = line
	if len(user) > 0 || !p.Direct && !line {
		speaks, known := l.apis[p.Buildpack]
		if !known {
			return process{}, fmt.Errorf("%s is of buildpack %q, which is not in %s", result.what, p.Buildpack, MetadataFile)
		}
		// Only buildpacks of API 0.9 and later can write a command of several words, whatever API the file gives them.
		replace := l.platform.AtLeast(platformArgs) && (len(always) > 1 || speaks.AtLeast(buildpackOverride))
		result.script = line || !p.Direct && !speaks.AtLeast(buildpackArgs)
		switch {
		case line:
			// $0 is bash, as without arguments, so that the user's arguments start at $1, and "$@" is all of them.
			args = append([]string{"bash"}, user...)
		case replace && len(user) > 0:
			args = user
		default:
			args = append(args[:len(args):len(args)], user...)
		}
	}
	result.words = append(always[:len(always):len(always)], args...)
	return result, nil
}
