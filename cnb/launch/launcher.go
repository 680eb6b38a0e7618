package launch

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/packfile/frontend/cnb/api"
	"github.com/packfile/frontend/cnb/env"
)

// Exit codes of a launcher that could not start the process (platform specification, "launcher").
const (
	CodePlatformAPI  = 11
	CodeBuildpackAPI = 12
	CodeLaunch       = 82
)

type codeError struct {
	code int
	err  error
}

func (e *codeError) Error() string { return e.err.Error() }
func (e *codeError) Unwrap() error { return e.err }

// ExitCode returns the exit code for an error of Run.
func ExitCode(err error) int {
	if coded, ok := errors.AsType[*codeError](err); ok {
		return coded.code
	}
	return CodeLaunch
}

// Variables that the launcher reads from the container's environment and hides from the process: they are the launcher's,
// not the app's.
var hidden = []string{envLayers, envApp, envProcessType, envPlatformAPI, "CNB_DEPRECATION_MODE"}

const (
	envLayers      = "CNB_LAYERS_DIR"
	envApp         = "CNB_APP_DIR"
	envProcessType = "CNB_PROCESS_TYPE"
	envPlatformAPI = "CNB_PLATFORM_API"
	envExecEnv     = "CNB_EXEC_ENV"
)

// Folders that an app image has in PATH only for the launcher.
var launcherFolders = []string{"/cnb/process", "/cnb/lifecycle"}

// launcher is one launch.
type launcher struct {
	self     string // name that the launcher was run as
	layers   string
	app      string
	platform api.Version
	execEnv  string // kind of environment that the container runs in
	metadata Metadata
	apis     map[string]api.Version // by buildpack id
	env      *env.Env
}

// Run replaces the calling process by the process that the launcher's arguments choose; args[0] is the name that it was
// run as. It returns only if that fails; ExitCode turns the error into the exit code.
func Run(args, environ []string) error {
	l, err := newLauncher(args[0], env.New(environ))
	if err != nil {
		return err
	}
	p, err := l.choose(filepath.Base(l.self), args[1:])
	if err != nil {
		return err
	}
	// Programs of exec.d run in the app folder, and relative names start there.
	if err := os.Chdir(l.app); err != nil {
		return fmt.Errorf("app folder: %w", err)
	}
	layers, err := l.layerDirs()
	if err != nil {
		return err
	}
	if err := l.addLayers(layers, p.kind); err != nil {
		return err
	}
	if err := l.runExecD(layers, p.kind); err != nil {
		return err
	}
	if p.direct {
		return l.exec(p)
	}
	return l.execShell(p, layers)
}

func newLauncher(self string, e *env.Env) (*launcher, error) {
	l := &launcher{self: self, layers: e.Get(envLayers), app: e.Get(envApp), platform: platformNewest, execEnv: e.Get(envExecEnv), env: e}
	if l.layers == "" {
		l.layers = "/layers"
	}
	if l.app == "" {
		l.app = "/workspace"
	}
	if l.execEnv == "" {
		l.execEnv = "production"
	}
	if text := e.Get(envPlatformAPI); text != "" {
		var err error
		if l.platform, err = api.Parse(text); err == nil && !l.platform.Within(platformOldest, platformNewest) {
			err = errors.New("the launcher does not know this version")
		}
		if err != nil {
			return nil, &codeError{CodePlatformAPI, fmt.Errorf("%s=%s: %w", envPlatformAPI, text, err)}
		}
	}
	if kind := e.Get(envProcessType); kind != "" {
		fmt.Fprintf(os.Stderr, "launcher: %s chooses no process since Platform API 0.4: to start %q make it the entrypoint\n", envProcessType, kind)
	}
	for _, name := range hidden {
		e.Unset(name)
	}
	if e.Has("PATH") {
		folders := slices.DeleteFunc(filepath.SplitList(e.Get("PATH")), func(folder string) bool {
			return slices.Contains(launcherFolders, folder)
		})
		e.Set("PATH", strings.Join(folders, ":"))
	}

	var err error
	if l.metadata, err = readMetadata(l.layers); err != nil {
		return nil, err
	}
	l.apis = map[string]api.Version{}
	for _, bp := range l.metadata.Buildpacks {
		v, err := api.Parse(bp.API)
		if err == nil && !v.Within(api.Oldest, api.Newest) {
			err = errors.New("the launcher does not know this version")
		}
		if err != nil {
			return nil, &codeError{CodeBuildpackAPI, fmt.Errorf("api %q of buildpack %s: %w", bp.API, bp.ID, err)}
		}
		l.apis[bp.ID] = v
	}
	return l, nil
}
