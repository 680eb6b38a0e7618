package run

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/moby/sys/user"
	"golang.org/x/sys/unix"

	"github.com/packfile/frontend/step"
)

// A run step is several processes. The first runs as root: it has the secrets and agents of the step, and makes a layer
// of what the others leave, when no process is left that could change it. A second one, as the user of steps, does
// everything else, above all scripts: whatever scripts put in our way, we read and write nothing that they could not read
// or write themselves. If there are caches to set up, another process runs before it: a cache outlives the step, so its
// setup script must not find secrets that are for the step's own script.

// Arguments that tell each process after the first what to do.
const (
	asUser      = "as-user"
	asUserSetup = "as-user-setup"
)

// fillAndSeal runs the first process.
func (f *filler) fillAndSeal() error {
	layer, err := ownFolderAt(f.layerDir)
	if err != nil {
		return err
	}
	sealed, err := ownFolderAt(f.sealed)
	if err != nil {
		return err
	}
	user := f.task.User
	giveOutputTo(user)
	if err := f.giveDepsTo(user); err != nil {
		return err
	}
	environ := f.userEnviron()
	if len(f.task.Setups) > 0 {
		if err := f.startSecond(asUserSetup, f.withoutAgents(environ)); err != nil {
			return err
		}
		if err := errors.Join(layer.empty(), sealed.empty(), f.output.empty()); err != nil {
			return err
		}
	}
	variables, err := f.revealSecrets(user.UID, user.GID)
	if err != nil {
		return err
	}
	if err := f.giveAgents(user.UID, user.GID); err != nil {
		return err
	}
	if err := f.startSecond(asUser, append(environ, variables...)); err != nil {
		return err
	}
	if err := errors.Join(layer.check(), sealed.empty(), f.output.check()); err != nil {
		return err
	}
	return f.sealLayer()
}

// startSecond runs a process as the user of steps.
func (f *filler) startSecond(as string, environ []string) error {
	status, err := f.start(program{
		path: filepath.Join(f.bin, step.StepBinary), words: []string{f.args[0], "", as}, environ: environ, as: credential(f.task.User),
	})
	switch {
	case err != nil:
		return tooLarge(err)
	case status.Signaled():
		return &scriptError{text: "the step was killed: " + status.Signal().String(), code: 128 + int(status.Signal())}
	case status.ExitStatus() != 0:
		return &saidError{status.ExitStatus()}
	}
	return nil
}

// saidError is a failure that the second process has printed already.
type saidError struct{ code int }

func (e *saidError) Error() string { return "exit code " + strconv.Itoa(e.code) }

// credential returns what starts a process as a user; nil for our own user, which takes no privilege.
func credential(u step.User) *syscall.Credential {
	if u.UID == os.Getuid() && u.GID == os.Getgid() {
		return nil
	}
	gid := uint32(u.GID)
	return &syscall.Credential{Uid: uint32(u.UID), Gid: gid, Groups: []uint32{gid}} // as BuildKit has it
}

// giveOutputTo lets a user open /dev/stdout and /dev/stderr, as container runtimes do for the first process. Like them it
// ignores errors.
func giveOutputTo(u step.User) {
	for _, fd := range []int{1, 2} {
		unix.Fchown(fd, u.UID, u.GID)
	}
}

// giveDepsTo lets a user move and remove the files of deps, which belong to the user already. Only this step sees the
// changes. Deps that are folders are read-only.
func (f *filler) giveDepsTo(u step.User) error {
	folders, err := os.ReadDir(f.deps)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	readOnly := map[string]bool{}
	for _, dep := range f.task.Deps {
		if dep.IsFolder() {
			readOnly[filepath.Base(dep.File)] = true
		}
	}
	for _, folder := range folders {
		if readOnly[folder.Name()] {
			continue
		}
		if err := os.Chown(filepath.Join(f.deps, folder.Name()), u.UID, u.GID); err != nil {
			return err
		}
	}
	return nil
}

// userEnviron returns the environment with the user's HOME in place of root's: that of the image, else that of its
// /etc/passwd, as container runtimes do for the first process.
func (f *filler) userEnviron() []string {
	home := f.task.User.Home
	if home == "" {
		home = "/"
		if found, err := user.LookupUid(f.task.User.UID); err == nil && found.Home != "" {
			home = found.Home
		}
	}
	environ := []string{"HOME=" + home}
	for _, v := range f.environ {
		if !strings.HasPrefix(v, "HOME=") {
			environ = append(environ, v)
		}
	}
	return environ
}
