package run

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/moby/sys/user"

	"github.com/packfile/frontend/step"
	"github.com/packfile/frontend/text"
)

// A test of an image has one process of ours, which is root: it starts the command as the image's user, and looks at files when no
// process of the command is left.

// imageTest is one run of a TestImage.
type imageTest struct {
	*runner
	step.TestImage
	failures []step.Failure
}

// errFailed is the error of a test whose failures are printed and reported.
var errFailed = &saidError{1}

// testImage runs a test. When the image fails it, testImage prints and reports the failures, and returns errFailed.
func (r *runner) testImage(task step.TestImage) error {
	t := &imageTest{runner: r, TestImage: task}
	if len(task.Words) > 0 {
		if err := t.run(); err != nil {
			return err
		}
	}
	for i, f := range task.Files {
		t.checkFile("files."+strconv.Itoa(i), f)
	}
	if len(t.failures) == 0 {
		return r.report(step.Result{})
	}
	for _, f := range t.failures {
		say(step.StepBinary, fmt.Sprintf("test %s: %s", text.Word(task.Name), f.Says))
	}
	if rest := len(t.failures) - step.MaxFailures; rest > 0 {
		t.failures = append(t.failures[:step.MaxFailures], step.Failure{Says: fmt.Sprintf("and %d more", rest)})
	}
	if err := r.report(step.Result{Tested: step.Tested{Failures: t.failures}}); err != nil {
		return err
	}
	return errFailed
}

// fail adds a failure.
func (t *imageTest) fail(key, format string, args ...any) {
	t.failures = append(t.failures, step.Failure{Key: key, Says: fmt.Sprintf(format, args...)})
}

// run runs the command and looks at what it printed and how it ended.
func (t *imageTest) run() error {
	as, home, err := t.imageUser()
	if err != nil {
		t.fail("", "%v", err)
		return nil
	}
	stdout, err := capture()
	if err != nil {
		return err
	}
	stderr, err := capture()
	if err != nil {
		stdout.end()
		return err
	}
	for _, c := range []*captured{stdout, stderr} { // see giveOutputTo
		c.in.Chown(as.UID, as.GID)
	}
	environ := []string{}
	for _, v := range t.Env {
		environ = append(environ, v.Name+"="+v.Value)
		if v.Name == "HOME" {
			home = ""
		}
	}
	if home != "" {
		environ = append(environ, "HOME="+home)
	}
	status, err := t.start(program{
		path: t.Words[0], words: t.Words, dir: t.Dir, environ: environ, as: as.credential(),
		stdout: stdout.in, stderr: stderr.in, timeout: time.Duration(t.Timeout) * time.Millisecond,
	})
	stdout.end()
	stderr.end()
	switch {
	case errors.Is(err, errTimeout):
		t.fail("timeout", "it was killed, since it did not end within %v%s", time.Duration(t.Timeout)*time.Millisecond, lastWords(stderr, stdout))
		return nil
	case err != nil:
		t.fail("", "%s cannot be started: %v", text.Path(t.Words[0]), tooLarge(err))
		return nil
	case status.Signaled():
		t.fail("exit-code", "it was killed by signal %d (%v)%s", status.Signal(), status.Signal(), lastWords(stderr, stdout))
	case status.ExitStatus() != t.ExitCode:
		t.fail("exit-code", "the exit code is %d, not %d%s", status.ExitStatus(), t.ExitCode, lastWords(stderr, stdout))
	}
	t.checkContent("stdout", "stdout", stdout.kept, stdout.all, t.Stdout)
	t.checkContent("stderr", "stderr", stderr.kept, stderr.all, t.Stderr)
	return nil
}

// imageUser is a user by number, as container runtimes find it.
type imageUser struct {
	UID, GID int
	groups   []uint32
}

// credential returns what starts a process as the user; nil for our own user, which takes no privilege.
func (u imageUser) credential() *syscall.Credential {
	if u.UID == os.Getuid() && u.GID == os.Getgid() && len(u.groups) == 0 {
		return nil
	}
	groups := u.groups
	if len(groups) == 0 {
		groups = []uint32{uint32(u.GID)}
	}
	return &syscall.Credential{Uid: uint32(u.UID), Gid: uint32(u.GID), Groups: groups}
}

// Files with the names of users and groups.
const (
	passwdFile = "/etc/passwd"
	groupFile  = "/etc/group"
)

// imageUser finds the user that the image's config names, and its home.
func (t *imageTest) imageUser() (u imageUser, home string, err error) {
	found, err := user.GetExecUser(t.User, &user.ExecUser{Home: "/"}, t.names(passwdFile), t.names(groupFile))
	if err != nil {
		return u, "", fmt.Errorf("the user of the image, %s, is not in its %s and %s", text.Word(t.User), passwdFile, groupFile)
	}
	u = imageUser{UID: found.Uid, GID: found.Gid}
	for _, id := range found.Sgids {
		u.groups = append(u.groups, uint32(id))
	}
	if len(u.groups) > 0 {
		u.groups = append([]uint32{uint32(u.GID)}, u.groups...)
	}
	return u, found.Home, nil
}

// maxNames is the size limit of a file with names, in bytes.
const maxNames = 4 << 20

// names returns a file with names; an empty one when the image has none.
func (t *imageTest) names(file string) io.Reader {
	data, _, err := readRegular(t.root+file, maxNames)
	if err != nil {
		return strings.NewReader("")
	}
	return strings.NewReader(data)
}

// readRegular returns the content of a regular file up to a limit, and whether that is all. It follows symbolic links, and waits
// for nothing.
func readRegular(file string, limit int64) (content string, all bool, err error) {
	f, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
	if err != nil {
		return "", false, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "read", Path: file, Err: fs.ErrInvalid}
	}
	if err != nil {
		return "", false, err
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if int64(len(data)) > limit {
		return string(data[:limit]), false, err
	}
	return string(data), true, err
}

// showReport prints what a step that failed has reported, in a container of its own. It returns the exit code. The command of the
// step may have put anything in the place of the report, if root ran it and it ended the step.
func (c container) showReport() int {
	data, _, err := readRegular(c.out+"/"+step.ResultFile, step.MaxReport)
	if err == nil {
		_, err = os.Stdout.WriteString(data)
	}
	if err != nil {
		return fail(err)
	}
	return 0
}
