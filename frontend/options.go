package frontend

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
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
	args       []step.Variable // build arguments that steps and templates may see, sorted by name
	proxy      llb.ProxyEnv
	appID      string // PACKFILE_APP
	epoch      string // SOURCE_DATE_EPOCH
	appTime    string // PACKFILE_APP_TIME
	requestID  string // the subrequest in place of a build, "" for a build
	keepGitDir bool   // BUILDKIT_CONTEXT_KEEP_GIT_DIR
	vcsSource  string // Git repository that the client's folders are in
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

// times are the times of files in an image.
type times struct {
	app   time.Time // of the app's files
	other time.Time // of all other files, and of config and history
}

// times returns the times of files in the image. It asks for the time of the context only if the user wants that; the answer is nil
// when the context has none.
func (o options) times(ctx context.Context, ofContext func(context.Context) (*time.Time, error)) (t times, err error) {
	once := sync.OnceValues(func() (*time.Time, error) { return ofContext(ctx) })
	said, err := fileTime("SOURCE_DATE_EPOCH", o.epoch, once)
	if err != nil {
		return t, err
	}
	t.other = container.DefaultTime
	if said != nil {
		t.other = *said
	}
	if said, err = fileTime(appTimeArg, o.appTime, once); err != nil {
		return t, err
	}
	switch t.app = t.other; {
	case said != nil:
		t.app = *said
	case o.appTime == timeOfContext:
		return t, noContextTime("the context is not the address of a Git repository")
	}
	return t, nil
}

// appTimeArg is the build argument with the time of the app's files.
const appTimeArg = "PACKFILE_APP_TIME"

// timeOfContext is the value of a build argument that asks for the time of the context's Git commit.
const timeOfContext = "context"

// noContextTime returns the error for an app whose files cannot have the time of the context, and says what to write instead.
func noContextTime(why string) error {
	return fmt.Errorf("%s is \"context\", and %s. Give the seconds; those of the commit in a folder are: --build-arg %s=$(git log -1 --format=%%ct)",
		appTimeArg, why, appTimeArg)
}

// fileTime returns the time that the build argument of a name gives files. It returns nil when the argument is not given, and when
// the context has no time.
func fileTime(name, value string, ofContext func() (*time.Time, error)) (*time.Time, error) {
	var sec int64
	switch value {
	case "":
		return nil, nil
	case timeOfContext:
		t, err := ofContext()
		if t == nil || err != nil {
			return nil, err
		}
		sec = t.Unix()
	default:
		given, err := strconv.ParseUint(value, 10, 63)
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			return nil, fmt.Errorf("%s %q is neither a number of seconds since 1970 nor %q", name, value, timeOfContext)
		}
		sec = int64(given)
	}
	if sec < 0 || sec > maxEpoch {
		return nil, fmt.Errorf("%s is not between 1970 and %s, the last time that files in an image can have",
			name, time.Unix(maxEpoch, 0).UTC().Format(time.DateOnly))
	}
	t := time.Unix(sec, 0).UTC()
	return &t, nil
}

// maxEpoch is the last second that fits in the header of a tar file. BuildKit and file systems end not much later, and files
// would get some other time.
const maxEpoch = 1<<33 - 1

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

// projectEnv returns the variables that a project descriptor, which may be nil, gives every step. A build argument of the name of
// one gives it another value.
func (o options) projectEnv(project *project.Project) (vars []step.Variable) {
	if project == nil {
		return nil
	}
	for _, v := range project.Env {
		value := v.Value
		for _, arg := range o.args {
			if arg.Name == v.Name {
				value = arg.Value
			}
		}
		vars = append(vars, step.Variable{Name: v.Name, Value: value})
	}
	return vars
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

// findTimes returns the times of files in the image. It may ask the server of the main context.
func (b *build) findTimes(ctx context.Context) (times, error) {
	for _, p := range b.platforms() {
		if b.opts.appTime == timeOfContext && b.givenName(source.AppContext, p) != "" {
			return times{}, noContextTime(fmt.Sprintf("the app is the named context %q, of which BuildKit tells no time", source.AppContext))
		}
	}
	return b.opts.times(ctx, func(ctx context.Context) (*time.Time, error) {
		_, is, err := b.sources.Resolve(ctx, source.AppTime{})
		return is.Time, err
	})
}
