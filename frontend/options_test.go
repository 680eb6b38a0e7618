package frontend

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"

	"github.com/packfile/frontend/cnb/project"
	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/source"
	"github.com/packfile/frontend/step"
)

func TestABuildArgumentThatNoVariableCanHoldIsAnErrorWithoutItsValue(t *testing.T) {
	for _, name := range []string{"ARG", "HTTP_PROXY", "https_proxy", "NO_PROXY"} {
		_, err := parseOptions(map[string]string{"build-arg:" + name: "http://user:hunter2\x00@proxy"})
		if err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got error %v", name, err)
		}
	}
}

func TestEachOptionGoesToItsPlace(t *testing.T) {
	for option, want := range map[string]options{
		"requestid":                      {requestID: "x"},
		"vcs:source":                     {vcsSource: "x"},
		"build-arg:PACKFILE_APP":         {appID: "x"},
		"build-arg:SOURCE_DATE_EPOCH":    {epoch: "x"},
		"build-arg:PACKFILE_APP_TIME":    {appTime: "x"},
		"build-arg:HTTP_PROXY":           {proxy: llb.ProxyEnv{HTTPProxy: "x"}},
		"build-arg:https_proxy":          {proxy: llb.ProxyEnv{HTTPSProxy: "x"}},
		"build-arg:Ftp_Proxy":            {proxy: llb.ProxyEnv{FTPProxy: "x"}},
		"build-arg:NO_PROXY":             {proxy: llb.ProxyEnv{NoProxy: "x"}},
		"build-arg:all_proxy":            {proxy: llb.ProxyEnv{AllProxy: "x"}},
		"build-arg:packfile_app":         {args: []step.Variable{{Name: "packfile_app", Value: "x"}}},
		"build-arg:NODE_ENV":             {args: []step.Variable{{Name: "NODE_ENV", Value: "x"}}},
		"build-arg:MY_HTTP_PROXY":        {args: []step.Variable{{Name: "MY_HTTP_PROXY", Value: "x"}}},
		"build-arg:BUILDKIT_SYNTAX":      {},
		"build-arg:BUILDKIT_NEWS":        {},
		"label:com.example":              {},
		"filename":                       {},
		"context:previous":               {},
		"build-arg-of-another-kind:NAME": {},
	} {
		got, err := parseOptions(map[string]string{option: "x"})
		if err != nil {
			t.Errorf("%s: %v", option, err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(options{})); diff != "" {
			t.Errorf("%s: %s", option, diff)
		}
	}
}

func TestGitFoldersAreKeptForWhatDockeruiTakesForTrue(t *testing.T) {
	for value, want := range map[string]bool{"1": true, "t": true, "true": true, "TRUE": true, "0": false, "": false, "yes": false, "2": false} {
		got, err := parseOptions(map[string]string{"build-arg:BUILDKIT_CONTEXT_KEEP_GIT_DIR": value})
		if err != nil || got.keepGitDir != want {
			t.Errorf("%q: %t, %v", value, got.keepGitDir, err)
		}
	}
}

func TestAnOptionThatCannotBeMeantIsAnError(t *testing.T) {
	for option, want := range map[string]string{
		"build-arg:PACKFILE_AP":        "unknown build argument PACKFILE_AP: names that begin with PACKFILE_ are options of the packfile frontend, and there are only PACKFILE_APP, PACKFILE_APP_TIME",
		"build-arg:PACKFILE_":          "unknown build argument PACKFILE_:",
		"build-arg:":                   `build argument "" cannot be an environment variable`,
		"build-arg:A=B":                `build argument "A=B" cannot be an environment variable`,
		"build-arg:A\x00":              `build argument "A\x00" cannot be an environment variable`,
		"label:io.buildpacks.build.x":  `label "io.buildpacks.build.x" is written by the build: names that begin with io.buildpacks. are reserved`,
		"label:io.packfile.layers":     `label "io.packfile.layers" is written by the build`,
		"label:io.buildpacks.stack.id": "are reserved",
	} {
		if _, err := parseOptions(map[string]string{option: "x"}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got error %v, want %s", option, err, want)
		}
	}
}

func TestOfSeveralWrongOptionsTheFirstByNameIsTold(t *testing.T) {
	for range 20 {
		_, err := parseOptions(map[string]string{"build-arg:PACKFILE_B": "", "build-arg:PACKFILE_A": "", "build-arg:PACKFILE_C": ""})
		if err == nil || !strings.Contains(err.Error(), "PACKFILE_A:") {
			t.Fatal(err)
		}
	}
}

func TestABuildArgumentReplacesTheValueOfAVariableOfTheProject(t *testing.T) {
	o, err := parseOptions(map[string]string{"build-arg:B": "arg", "build-arg:D": "", "build-arg:A": "arg"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]step.Variable{{Name: "A", Value: "arg"}, {Name: "B", Value: "arg"}, {Name: "D"}}, o.args); diff != "" {
		t.Error(diff)
	}
	project := &project.Project{Env: []packfile.Variable{{Name: "D", Value: "project"}, {Name: "C", Value: "project"}}}
	if diff := cmp.Diff([]step.Variable{{Name: "D"}, {Name: "C", Value: "project"}}, o.projectEnv(project)); diff != "" {
		t.Error(diff)
	}
	if vars := o.projectEnv(nil); vars != nil {
		t.Error(vars)
	}
}

func TestTheTimeOfFiles(t *testing.T) {
	commit := func(sec int64) func(context.Context) (*time.Time, error) {
		return func(context.Context) (*time.Time, error) {
			at := time.Unix(sec, 0)
			return &at, nil
		}
	}
	none := func(context.Context) (*time.Time, error) { return nil, nil }
	failing := func(context.Context) (*time.Time, error) { return nil, errors.New("no commit") }
	unasked := func(context.Context) (*time.Time, error) {
		t.Error("the commit was asked for")
		return nil, nil
	}
	for name, test := range map[string]struct {
		epoch  string
		commit func(context.Context) (*time.Time, error)
		want   time.Time
		err    string
	}{
		"is the default when nobody says":       {"", unasked, container.DefaultTime, ""},
		"is that in seconds":                    {"86400", unasked, time.Unix(86400, 0), ""},
		"can be the first second":               {"0", unasked, time.Unix(0, 0), ""},
		"can be the last second of a tar file":  {"8589934591", unasked, time.Unix(8589934591, 0), ""},
		"cannot be later":                       {"8589934592", unasked, time.Time{}, "not between 1970 and 2242-03-16"},
		"cannot be more than a number can be":   {strings.Repeat("9", 40), unasked, time.Time{}, "not between 1970 and 2242-03-16"},
		"cannot be before 1970":                 {"-1", unasked, time.Time{}, "neither a number of seconds"},
		"cannot be a date":                      {"2020-01-01", unasked, time.Time{}, `SOURCE_DATE_EPOCH "2020-01-01" is neither`},
		"is that of the commit":                 {"context", commit(5), time.Unix(5, 0), ""},
		"is the default without a commit":       {"context", none, container.DefaultTime, ""},
		"is an error if the commit has none":    {"context", failing, time.Time{}, "no commit"},
		"cannot be that of a commit after 2242": {"context", commit(1 << 33), time.Time{}, "not between 1970"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := options{epoch: test.epoch}.times(t.Context(), test.commit)
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("got error %v", err)
				}
			} else if err != nil || !got.other.Equal(test.want) || !got.app.Equal(test.want) {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
}

func TestTheTimeOfTheAppsFiles(t *testing.T) {
	at := func(sec int64) time.Time { return time.Unix(sec, 0).UTC() }
	committed := at(5)
	for name, test := range map[string]struct {
		epoch, app string
		commit     *time.Time
		want       times
		err        string
	}{
		"is that in seconds, and no other file has it": {"", "86400", nil, times{at(86400), container.DefaultTime}, ""},
		"wins over SOURCE_DATE_EPOCH":                  {"7", "86400", nil, times{at(86400), at(7)}, ""},
		"can be the default":                           {"7", fmt.Sprint(step.DefaultTime), nil, times{container.DefaultTime, at(7)}, ""},
		"is that of the commit":                        {"", "context", &committed, times{committed, container.DefaultTime}, ""},
		"is that of the commit and so are all others":  {"context", "context", &committed, times{committed, committed}, ""},
		"is another than that of the commit":           {"context", "86400", &committed, times{at(86400), committed}, ""},
		"cannot be that of a context without a commit": {"context", "context", nil, times{}, "PACKFILE_APP_TIME is \"context\", and the context is not the address of " +
			"a Git repository. Give the seconds; those of the commit in a folder are: --build-arg PACKFILE_APP_TIME=$(git log -1 --format=%ct)"},
		"cannot be a date":      {"", "2020-01-01", nil, times{}, `PACKFILE_APP_TIME "2020-01-01" is neither a number of seconds since 1970 nor "context"`},
		"cannot be after 2242":  {"", "8589934592", nil, times{}, "PACKFILE_APP_TIME is not between 1970 and 2242-03-16"},
		"cannot be before 1970": {"", "-1", nil, times{}, `PACKFILE_APP_TIME "-1" is neither`},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			got, err := options{epoch: test.epoch, appTime: test.app}.times(t.Context(), func(context.Context) (*time.Time, error) {
				asked++
				return test.commit, nil
			})
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("got error %v", err)
				}
			} else if err != nil || got != test.want {
				t.Errorf("%v, %v", got, err)
			}
			if asked > 1 {
				t.Errorf("the context was asked for its time %d times", asked)
			}
		})
	}
}

func TestLimitsAreWhatTheUserAskedFor(t *testing.T) {
	exec := func(o options, c dockerui.Config) *llb.ExecInfo {
		info := &llb.ExecInfo{State: llb.Image("x")}
		for _, opt := range o.limits(&dockerui.Client{Config: c}) {
			opt.SetRunOption(info)
		}
		return info
	}
	plain := exec(options{}, dockerui.Config{})
	if plain.ProxyEnv != nil || len(plain.Mounts) > 0 {
		t.Errorf("without options there are %+v", plain)
	}
	limited := exec(options{proxy: llb.ProxyEnv{HTTPProxy: "http://proxy.example.com"}}, dockerui.Config{
		ShmSize: 1 << 20, Hostname: "here", CgroupParent: "parent", ExtraHosts: []llb.HostIP{{Host: "a"}},
	})
	if limited.ProxyEnv == nil || limited.ProxyEnv.HTTPProxy != "http://proxy.example.com" || len(limited.Mounts) != 1 || limited.Mounts[0].Target != "/dev/shm" {
		t.Errorf("with options there are %+v", limited)
	}
	if host, err := limited.State.GetHostname(t.Context()); err != nil || host != "here" {
		t.Errorf("host name %q, %v", host, err)
	}
}

// A packfile lists no argument that steps do not see, and any that they may.
func TestOnlyWhatTheFrontendPassesOnCanBeListedAsArgument(t *testing.T) {
	listed := func(name string) error {
		_, _, err := packfile.Parse("packfile.toml", []byte("config.args = ['"+name+"']"))
		return err
	}
	for _, row := range arguments() {
		names := row.names
		if row.prefix != "" {
			names = []string{row.prefix + "X"}
		}
		for _, name := range names {
			if listed(name) == nil || row.anyCase && listed(strings.ToLower(name)) == nil {
				t.Errorf("%s can be listed", name)
			}
		}
	}
	for _, name := range []string{"NODE_ENV", "packfile_app", "MY_HTTP_PROXY"} {
		if err := listed(name); err != nil {
			t.Error(err)
		}
	}
}

func TestTheContextsOfTheFrontendAreKnownToThePackfile(t *testing.T) {
	own := append(slices.Clone(namedImages), source.AppContext, previousName)
	slices.Sort(own)
	if diff := cmp.Diff(own, packfile.ReservedContexts); diff != "" {
		t.Error(diff)
	}
}

func TestAnArgumentThatNothingUsesIsWarnedOf(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		env  []packfile.Variable // of a project descriptor
		want []string
	}{
		"a packfile that lists one": {"[config]\nargs = ['MODE']", nil, []string{"build argument OTHER is used by nothing: used are MODE"}},
		"a name that is like one":   {"[config]\nargs = ['MODE', 'REVISION', 'REV']\n", nil, []string{`build argument REVISOIN is used by nothing: did you mean "REVISION"?`}},
		"a packfile without steps":  {"", nil, []string{"build argument MODE is used by nothing", "build argument OTHER is used by nothing"}},
		"a step that sees all":      {"[[layers]]\nname = 'x'\nbuild = {}", nil, nil},
		"a project's variable":      {"", []packfile.Variable{{Name: "MODE"}}, []string{"build argument OTHER is used by nothing"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := buildOf(t, &fakeGateway{}, test.text)
			w, shown, _ := recorded(false)
			b.warner = warner{show: w.show, note: w.note}
			b.opts.args = []step.Variable{{Name: "MODE"}, {Name: "OTHER"}}
			if strings.Contains(test.text, "REVISION") {
				b.opts.args[1].Name = "REVISOIN"
			}
			if test.env != nil {
				b.project = &project.Project{Env: test.env}
			}
			b.warnAboutArgs(t.Context())
			if diff := cmp.Diff(test.want, shown()); diff != "" {
				t.Error(diff)
			}
		})
	}
}
