package frontend

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/step"
)

// buildArg is the prefix of the options that hold build arguments.
const buildArg = "build-arg:"

// argument is a row of the table of build arguments: what the arguments of some names mean. The reference has the same rows, and
// a test compares them.
type argument struct {
	names   []string // names it is about
	anyCase bool     // also the same names in lower or mixed case
	prefix  string   // when names is empty: all names that begin with it and are in no row above
	what    string   // what the reference says it does
	set     func(o *options, name, value string) error
}

// arguments returns the table. The first row with a name decides, and every name has one.
func arguments() []argument {
	return []argument{
		{
			names: []string{"PACKFILE_APP"},
			what: "what tells this app from others on the same builder; any text. Default: the Git repository and the folder in it, " +
				"which buildx reports of a folder, and which the address of a Git context says; else what the packfile means",
			set: func(o *options, _, value string) error { o.appID = value; return nil },
		},
		{
			names: []string{appTimeArg},
			what: "[time of the app's files](image.md#times-of-files) in the image: seconds, or `context`, as for `SOURCE_DATE_EPOCH`, " +
				"which it overrides for them. No layer of the packfile changes. `context` is an error when the context is no Git repository",
			set: func(o *options, _, value string) error { o.appTime = value; return nil },
		},
		{
			names: []string{"SOURCE_DATE_EPOCH"},
			what: "time of every file in the image, in seconds since 1970 and not after 2242-03-16, or `context` for the time of the " +
				"Git commit that is built. Before BuildKit 0.30 `context` is an error",
			set: func(o *options, _, value string) error { o.epoch = value; return nil },
		},
		{
			names: packfile.ProxyArgs, anyCase: true,
			what: "proxies of steps, in either case. They are no part of any key",
			set:  (*options).setProxy,
		},
		{
			names: []string{"BUILDKIT_SYNTAX"},
			what:  "the frontend, for a packfile whose first line names none",
			set:   readByBuildKit,
		},
		{
			names: []string{"BUILDKIT_CACHE_MOUNT_NS"},
			what:  "keeps caches apart that would be the same",
			set:   readByBuildKit,
		},
		{
			names: []string{"BUILDKIT_SANDBOX_HOSTNAME"},
			what:  "host name that steps see",
			set:   readByBuildKit,
		},
		{
			names: []string{"BUILDKIT_MULTI_PLATFORM"},
			what:  "`1`: a result for several platforms even if there is only one",
			set:   readByBuildKit,
		},
		{
			names: []string{"BUILDKIT_CONTEXT_KEEP_GIT_DIR"},
			what: "`1`, `t` or `true`: `.git` is part of [the app](#the-app), whatever kind of context that is. In the address of a Git " +
				"context `?keep-git-dir=1` says the same",
			set: func(o *options, _, value string) error {
				o.keepGitDir, _ = strconv.ParseBool(value) // dockerui also reads a value that is no boolean as false
				return nil
			},
		},
		{prefix: ownPrefix, what: "an error", set: refuseUnknown},
		{prefix: "BUILDKIT_", what: "no effect here", set: readByBuildKit},
		{what: "a variable of the steps that [see it](#args), and part of the keys of their layers", set: (*options).setVariable},
	}
}

// ownPrefix begins the names of the frontend's own options.
const ownPrefix = "PACKFILE_"

// is reports whether the row is about a name.
func (a argument) is(name string) bool {
	if len(a.names) == 0 {
		return strings.HasPrefix(name, a.prefix)
	}
	return slices.Contains(a.names, name) || a.anyCase && slices.Contains(a.names, strings.ToUpper(name))
}

// readByBuildKit does nothing: dockerui and the daemon read the argument from the build's options.
func readByBuildKit(*options, string, string) error { return nil }

// refuseUnknown returns an error that names the known options.
func refuseUnknown(_ *options, name, _ string) error {
	var known []string
	for _, a := range arguments() {
		for _, n := range a.names {
			if strings.HasPrefix(n, ownPrefix) {
				known = append(known, n)
			}
		}
	}
	return fmt.Errorf("unknown build argument %s: names that begin with %s are options of the packfile frontend, and there are only %s",
		name, ownPrefix, strings.Join(known, ", "))
}

// setProxy keeps a proxy for steps.
func (o *options) setProxy(name, value string) error {
	if err := checkVariable(name, value); err != nil {
		return err
	}
	switch strings.ToUpper(name) {
	case "HTTP_PROXY":
		o.proxy.HTTPProxy = value
	case "HTTPS_PROXY":
		o.proxy.HTTPSProxy = value
	case "FTP_PROXY":
		o.proxy.FTPProxy = value
	case "NO_PROXY":
		o.proxy.NoProxy = value
	case "ALL_PROXY":
		o.proxy.AllProxy = value
	}
	return nil
}

// setVariable adds a variable for steps and templates.
func (o *options) setVariable(name, value string) error {
	if err := checkVariable(name, value); err != nil {
		return err
	}
	o.args = append(o.args, step.Variable{Name: name, Value: value})
	return nil
}

// checkVariable fails for what cannot be an environment variable. The error leaves the value out: a proxy's address may hold a
// password, and container runtimes print variables that they refuse.
func checkVariable(name, value string) error {
	if name == "" || strings.ContainsAny(name, "=\x00") || strings.Contains(value, "\x00") {
		return fmt.Errorf("build argument %q cannot be an environment variable", name)
	}
	return nil
}

// warnAboutArgs warns about each build argument that no module which may take part sees.
func (b *build) warnAboutArgs(ctx context.Context) {
	var unseen, known []string
	modules := b.modules.TakingPart()
	for _, m := range modules {
		for _, named := range m.Packfile.NamedArgs() {
			if m.HasArg(named.Name) {
				known = append(known, named.Name)
			}
		}
	}
	for _, arg := range b.opts.args {
		seen := slices.ContainsFunc(modules, func(m *module.Module) bool { return m.SeesArg(arg.Name) })
		if b.project != nil {
			seen = seen || slices.ContainsFunc(b.project.Env, func(v packfile.Variable) bool { return v.Name == arg.Name })
		}
		if !seen {
			unseen = append(unseen, arg.Name)
		}
	}
	slices.Sort(known)
	b.warnUnseenArgs(ctx, unseen, slices.Compact(known))
}
