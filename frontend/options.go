package frontend

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/moby/buildkit/client/llb"
	gw "github.com/moby/buildkit/frontend/gateway/client"

	"github.com/packfile/frontend/convert"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/step"
)

// options are the build's options that dockerui knows nothing of.
type options struct {
	platformEnv []step.Variable // sorted by name
	proxy       llb.ProxyEnv
	appID       string // PACKFILE_APP
	epoch       string // SOURCE_DATE_EPOCH
	requestID   string // what is asked instead of a build
	keepGitDir  bool   // BUILDKIT_CONTEXT_KEEP_GIT_DIR
	vcsSource   string // Git repository that the client's folders are in
}

const buildArg = "build-arg:"

// parseOptions sorts the build args: those of BuildKit and ours are options, proxies are for steps but no part of what
// they are, and the others are the platform environment.
func parseOptions(opts map[string]string) (options, error) {
	o := options{requestID: opts["requestid"], vcsSource: opts["vcs:source"]}
	for k, v := range opts {
		if err := checkLabel(k); err != nil {
			return o, err
		}
		name, ok := strings.CutPrefix(k, buildArg)
		if !ok {
			continue
		}
		switch {
		case name == "PACKFILE_APP":
			o.appID = v
		case name == "SOURCE_DATE_EPOCH":
			o.epoch = v
		case strings.HasPrefix(name, "PACKFILE_"):
			return o, fmt.Errorf("unknown build argument %s: names that begin with PACKFILE_ are options of the packfile frontend, and there is only PACKFILE_APP", name)
		case name == "BUILDKIT_CONTEXT_KEEP_GIT_DIR":
			o.keepGitDir, _ = strconv.ParseBool(v) // dockerui takes what is no boolean for false, too
		case strings.HasPrefix(name, "BUILDKIT_"):
		case name == "" || strings.ContainsAny(name, "=\x00") || strings.Contains(v, "\x00"):
			// A proxy's address may have a password, and container runtimes print variables that they refuse.
			return o, fmt.Errorf("build argument %q cannot be an environment variable", name)
		case o.setProxy(name, v):
		default:
			o.platformEnv = append(o.platformEnv, step.Variable{Name: name, Value: v})
		}
	}
	sortVariables(o.platformEnv)
	return o, nil
}

// checkLabel refuses a label that the build writes itself, and that others rely on.
func checkLabel(option string) error {
	name, ok := strings.CutPrefix(option, "label:")
	for _, prefix := range packfile.ReservedLabels {
		if ok && strings.HasPrefix(name, prefix) {
			return fmt.Errorf("label %q is written by the build: names that begin with %s are reserved", name, prefix)
		}
	}
	return nil
}

func (o *options) setProxy(name, v string) bool {
	switch strings.ToUpper(name) {
	case "HTTP_PROXY":
		o.proxy.HTTPProxy = v
	case "HTTPS_PROXY":
		o.proxy.HTTPSProxy = v
	case "FTP_PROXY":
		o.proxy.FTPProxy = v
	case "NO_PROXY":
		o.proxy.NoProxy = v
	case "ALL_PROXY":
		o.proxy.AllProxy = v
	default:
		return false
	}
	return true
}

// sourceDateEpoch is the time of every file in the image.
func (b *build) sourceDateEpoch(ctx context.Context) (time.Time, error) {
	switch b.opts.epoch {
	case "":
		return convert.DefaultTime, nil
	case "context":
		t, err := b.ui.ResolveMainContextSourceDateEpoch(ctx)
		if err != nil {
			return time.Time{}, err
		}
		if t == nil {
			return convert.DefaultTime, nil
		}
		return checkEpoch(t.Unix())
	}
	sec, err := strconv.ParseUint(b.opts.epoch, 10, 63)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH %q is neither a number of seconds since 1970 nor \"context\"", b.opts.epoch)
	}
	return checkEpoch(int64(sec))
}

// maxEpoch is the last second that the header of a tar file has room for. Not much later BuildKit and file systems have none
// either, and files would get some other time.
const maxEpoch = 1<<33 - 1

func checkEpoch(sec int64) (time.Time, error) {
	t := time.Unix(sec, 0).UTC()
	if sec < 0 || sec > maxEpoch {
		return t, fmt.Errorf("SOURCE_DATE_EPOCH is not between 1970 and %s, the last time that files in an image can have",
			time.Unix(maxEpoch, 0).UTC().Format(time.DateOnly))
	}
	return t, nil
}

// withDefaultFilename makes packfile.toml the file that is read when the client names none.
func withDefaultFilename(c gw.Client) gw.Client {
	opts := c.BuildOpts()
	if opts.Opts["filename"] != "" {
		return c
	}
	opts.Opts["filename"] = "packfile.toml"
	return &clientWithOpts{Client: c, opts: opts}
}

type clientWithOpts struct {
	gw.Client
	opts gw.BuildOpts
}

func (c *clientWithOpts) BuildOpts() gw.BuildOpts { return c.opts }

// platformEnv is the platform environment: build args, and before them what a project descriptor sets.
func (b *build) platformEnv() []step.Variable {
	if b.project == nil {
		return b.opts.platformEnv
	}
	vars := slices.Clone(b.opts.platformEnv)
	for _, v := range b.project.Env {
		given := func(arg step.Variable) bool { return arg.Name == v.Name }
		if !slices.ContainsFunc(vars, given) {
			vars = append(vars, step.Variable{Name: v.Name, Value: v.Value})
		}
	}
	sortVariables(vars)
	return vars
}

func sortVariables(vars []step.Variable) {
	slices.SortFunc(vars, func(a, b step.Variable) int { return strings.Compare(a.Name, b.Name) })
}
