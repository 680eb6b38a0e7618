package run

import (
	"errors"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/packfile/frontend/step"
)

// A run step is two processes. The first is root's: it makes a layer of what the second leaves, once nothing is left running
// that could change it. All the rest, scripts first of all, is done by the second as the user of the build, so that whatever
// scripts put in our way, nothing is read or written that they could not read or write themselves.

// asUser is the argument by which the second knows that it is that.
const asUser = "as-user"

// fillAndSeal runs the first process.
func (r *runner) fillAndSeal() error {
	giveOutputTo(r.spec.User)
	if err := r.giveDepsTo(r.spec.User); err != nil {
		return err
	}
	status, err := r.start(program{
		path: filepath.Join(r.bin, step.StepBinary), words: []string{r.args[0], "", asUser}, environ: r.userEnviron(), as: credential(r.spec.User),
	})
	switch {
	case err != nil:
		return err
	case status.Signaled():
		return &scriptError{text: "the step was killed: " + status.Signal().String(), code: 128 + int(status.Signal())}
	case status.ExitStatus() != 0:
		return &saidError{status.ExitStatus()}
	}
	return r.sealLayer()
}

// saidError is a failure that the second process has told of.
type saidError struct{ code int }

func (e *saidError) Error() string { return "exit code " + strconv.Itoa(e.code) }

// credential is nil for who we are already, which takes no privilege.
func credential(u *step.User) *syscall.Credential {
	if u.UID == os.Getuid() && u.GID == os.Getgid() {
		return nil
	}
	gid := uint32(u.GID)
	return &syscall.Credential{Uid: uint32(u.UID), Gid: gid, Groups: []uint32{gid}} // as BuildKit has it
}

// giveOutputTo lets a user open /dev/stdout and /dev/stderr, as container runtimes do for the first process. Where that cannot
// be done they let it be too.
func giveOutputTo(u *step.User) {
	for _, fd := range []int{1, 2} {
		unix.Fchown(fd, u.UID, u.GID)
	}
}

// giveDepsTo lets a user move and remove the files of deps, which belong to the user already. What becomes of them is seen by this
// step alone.
func (r *runner) giveDepsTo(u *step.User) error {
	folders, err := os.ReadDir(r.deps)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, folder := range folders {
		if err := os.Chown(filepath.Join(r.deps, folder.Name()), u.UID, u.GID); err != nil {
			return err
		}
	}
	return nil
}

// userEnviron is the environment with HOME of the user in place of root's: that of the image, else that of its /etc/passwd, as
// container runtimes have it for the first process.
func (r *runner) userEnviron() []string {
	home := r.spec.User.Home
	if home == "" {
		home = "/"
		if found, err := user.LookupId(strconv.Itoa(r.spec.User.UID)); err == nil && found.HomeDir != "" {
			home = found.HomeDir
		}
	}
	environ := []string{"HOME=" + home}
	for _, v := range r.environ {
		if !strings.HasPrefix(v, "HOME=") {
			environ = append(environ, v)
		}
	}
	return environ
}
