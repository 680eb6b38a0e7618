package frontend

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	gw "github.com/moby/buildkit/frontend/gateway/client"

	"github.com/packfile/frontend/cnb/project"
	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/source"
	"github.com/packfile/frontend/step"
)

// options are the options of a build that dockerui does not know.
type options struct {
	platformEnv []step.Variable // sorted by name
	proxy       llb.ProxyEnv
	appID       string // PACKFILE_APP
	epoch       string // SOURCE_DATE_EPOCH
	requestID   string // the subrequest in place of a build, "" for a build
	keepGitDir  bool   // BUILDKIT_CONTEXT_KEEP_GIT_DIR
	vcsSource   string // Git repository that the client's folders are in
}

// requestOption is the option that names a subrequest.
const requestOption = "requestid"

// parseOptions reads the options that are not dockerui's. It checks labels, and gives build args the meaning that the table of
// arguments says. When several options are wrong, it returns the error of the first one by name.
func parseOptions(opts map[string]string) (options, error) {
	o := options{requestID: opts[requestOption], vcsSource: opts["vcs:source"]}
	rows := arguments()
	for _, option := range slices.Sorted(maps.Keys(opts)) {
		if err := checkLabel(option); err != nil {
			return o, err
		}
		name, ok := strings.CutPrefix(option, buildArg)
		if !ok {
			continue
		}
		row := rows[slices.IndexFunc(rows, func(a argument) bool { return a.is(name) })]
		if err := row.set(&o, name, opts[option]); err != nil {
			return o, err
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

// time returns the time of every file in the image. It asks for the time of the context's Git commit only if the user wants that.
func (o options) time(ctx context.Context, ofCommit func(context.Context) (*time.Time, error)) (time.Time, error) {
	switch o.epoch {
	case "":
		return container.DefaultTime, nil
	case "context":
		t, err := ofCommit(ctx)
		if err != nil {
			return time.Time{}, err
		}
		if t == nil {
			return container.DefaultTime, nil
		}
		return checkEpoch(t.Unix())
	}
	sec, err := strconv.ParseUint(o.epoch, 10, 63)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH %q is neither a number of seconds since 1970 nor \"context\"", o.epoch)
	}
	return checkEpoch(int64(sec))
}

// maxEpoch is the last second that fits in the header of a tar file. BuildKit and file systems end not much later, and files
// would get some other time.
const maxEpoch = 1<<33 - 1

func checkEpoch(sec int64) (time.Time, error) {
	t := time.Unix(sec, 0).UTC()
	if sec < 0 || sec > maxEpoch {
		return t, fmt.Errorf("SOURCE_DATE_EPOCH is not between 1970 and %s, the last time that files in an image can have",
			time.Unix(maxEpoch, 0).UTC().Format(time.DateOnly))
	}
	return t, nil
}

// withDefaultFilename makes packfile.toml the file to read when the client names none.
func withDefaultFilename(c gw.Client) gw.Client {
	opts := c.BuildOpts()
	if opts.Opts["filename"] != "" {
		return c
	}
	opts.Opts["filename"] = "packfile.toml"
	return &clientWithOpts{Client: c, opts: opts}
}

// clientWithOpts is a client with options in place of its own.
type clientWithOpts struct {
	gw.Client
	opts gw.BuildOpts
}

func (c *clientWithOpts) BuildOpts() gw.BuildOpts { return c.opts }

// environment returns the platform environment: build args, and the variables of a project descriptor, which may be nil.
func (o options) environment(project *project.Project) []step.Variable {
	if project == nil {
		return o.platformEnv
	}
	vars := slices.Clone(o.platformEnv)
	for _, v := range project.Env {
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

// limits returns the limits that the user set for every process of the build.
func (o options) limits(ui *dockerui.Client) []llb.RunOption {
	var opts []llb.RunOption
	for _, h := range ui.ExtraHosts {
		opts = append(opts, llb.AddExtraHost(h.Host, h.IP))
	}
	for _, u := range ui.Ulimits {
		opts = append(opts, llb.AddUlimit(llb.UlimitName(u.Name), u.Soft, u.Hard))
	}
	if ui.ShmSize > 0 {
		opts = append(opts, llb.AddMount("/dev/shm", llb.Scratch(), llb.Tmpfs(llb.TmpfsSize(ui.ShmSize))))
	}
	if ui.Hostname != "" {
		opts = append(opts, llb.With(llb.Hostname(ui.Hostname)))
	}
	if r := ui.LinuxResources; r != nil {
		opts = append(opts, llb.WithLinuxResources(llb.LinuxResources{
			Memory: r.Memory, MemorySwap: r.MemorySwap, CPUShares: r.CpuShares, CPUPeriod: r.CpuPeriod,
			CPUQuota: r.CpuQuota, CpusetCpus: r.CpusetCpus, CpusetMems: r.CpusetMems,
		}))
	}
	if ui.CgroupParent != "" {
		opts = append(opts, llb.WithCgroupParent(ui.CgroupParent))
	}
	if o.proxy != (llb.ProxyEnv{}) {
		opts = append(opts, llb.WithProxy(o.proxy))
	}
	return slices.Clip(opts)
}

// appTime returns when the app last changed, as its server or its commit says. It returns nil when neither says.
func (b *build) appTime(ctx context.Context) (*time.Time, error) {
	_, is, err := b.sources.Resolve(ctx, source.AppTime{})
	return is.Time, err
}
