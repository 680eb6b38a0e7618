package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/packfile/frontend/cnb/env"
	"github.com/packfile/frontend/step"
)

// scriptError is the error of a script that failed.
type scriptError struct {
	text   string
	code   int  // exit code for it, as a shell would give it
	exited bool // it ended by itself, and code is its exit code
}

func (e *scriptError) Error() string { return e.text }

// notFound is the exit code of shells for a command that is not there.
const notFound = 127

// execute runs a script in folder dir. Errors call the script what.
func (s *scripted) execute(what string, script step.Script, dir string, e *env.Env) error {
	file := filepath.Join(s.input, script.File)
	for _, path := range []string{file, dir} {
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	shell, err := findShell(script.Shell, dir, e)
	if err != nil {
		return &scriptError{text: fmt.Sprintf("%s: %v", what, err), code: notFound}
	}
	words := append(script.Shell[:len(script.Shell):len(script.Shell)], file)
	stderr := os.Stderr
	var listened *listener
	if s.bare {
		if listened, err = listen(os.Stderr); err != nil {
			return err
		}
		stderr = listened.in
	}
	status, err := s.start(program{path: shell, words: words, dir: dir, environ: e.List(), stderr: stderr})
	if listened != nil {
		s.notFound = listened.end()
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		// The shell and the folder were there a moment ago.
		err = fmt.Errorf("the dynamic loader or interpreter of %s is not in the build image; set shell = %s", shell, shellHint)
		return &scriptError{text: fmt.Sprintf("%s: %v", what, err), code: notFound}
	case err != nil:
		return fmt.Errorf("%s: %s: %w", what, shell, tooLarge(err))
	case status.Signaled():
		return &scriptError{
			text: fmt.Sprintf("%s was killed by signal %d (%v)", what, status.Signal(), status.Signal()),
			code: 128 + int(status.Signal()),
		}
	case status.ExitStatus() != 0:
		return &scriptError{
			text:   fmt.Sprintf("%s failed with exit code %d", what, status.ExitStatus()),
			code:   status.ExitStatus(),
			exited: true,
		}
	}
	return nil
}

const shellHint = `"/bin/sh" or another one that is there`

// findShell returns the path of a script's shell. If the shell is env(1), it also checks the program that env will look
// for: env reports a missing one by exit code 127, which the script itself may also end with.
func findShell(shell []string, dir string, e *env.Env) (string, error) {
	if len(shell) == 0 {
		return "", errors.New("it has no shell")
	}
	path, err := e.LookPath(shell[0], dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("the build image has no %s; set shell = %s", shell[0], shellHint)
	case err != nil:
		return "", fmt.Errorf("the shell %s may not be executed", shell[0])
	}
	if filepath.Base(shell[0]) != "env" || len(shell) != 2 || strings.HasPrefix(shell[1], "-") || strings.Contains(shell[1], "=") {
		return path, nil
	}
	if _, err := e.LookPath(shell[1], dir); err != nil {
		return "", fmt.Errorf("the build image has %s, but no program %q on PATH for it; set shell = %s", shell[0], shell[1], shellHint)
	}
	return path, nil
}

// forwarded are the signals that stop a build, and those that scripts may use themselves.
var forwarded = []os.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2}

// program is a program to start.
type program struct {
	path    string
	words   []string // its name and arguments
	dir     string
	environ []string
	as      *syscall.Credential // nil for ours
	stdout  *os.File            // nil for ours
	stderr  *os.File            // nil for ours
	timeout time.Duration       // after which it is killed, 0 for never
}

// errTimeout is the error of a program that was killed after its timeout.
var errTimeout = errors.New("timeout")

// start runs a program in a process group of its own and waits for it. Meanwhile it passes signals on to the group and
// reaps other processes that end: orphans become our children. When the program has ended, start kills the processes that
// it left, so that nothing changes the layer afterwards. The error is errTimeout when the program took too long.
func (r *runner) start(p program) (syscall.WaitStatus, error) {
	if err := checkVariables(p.environ); err != nil {
		return 0, err
	}
	stdin, err := emptyInput()
	if err != nil {
		return 0, err
	}
	defer stdin.Close()
	signals := make(chan os.Signal, len(forwarded))
	signal.Notify(signals, forwarded...)
	defer signal.Stop(signals)

	stdout, stderr := uintptr(syscall.Stdout), uintptr(syscall.Stderr)
	if p.stdout != nil {
		stdout = p.stdout.Fd()
	}
	if p.stderr != nil {
		stderr = p.stderr.Fd()
	}
	pid, err := syscall.ForkExec(p.path, p.words, &syscall.ProcAttr{
		Dir:   p.dir,
		Env:   p.environ,
		Files: []uintptr{stdin.Fd(), stdout, stderr},
		Sys:   &syscall.SysProcAttr{Setpgid: true, Credential: p.as},
	})
	runtime.KeepAlive(stdin)
	runtime.KeepAlive(p.stdout)
	runtime.KeepAlive(p.stderr)
	if err != nil {
		return 0, err
	}
	ended := make(chan struct{})
	go func() {
		err := caught(func() error {
			for {
				select {
				case sig := <-signals:
					syscall.Kill(-pid, sig.(syscall.Signal))
				case <-ended:
					return nil
				}
			}
		})
		if err != nil {
			say(step.StepBinary, err.Error())
		}
	}()
	var timer *time.Timer
	if p.timeout > 0 {
		timer = time.AfterFunc(p.timeout, func() {
			syscall.Kill(pid, syscall.SIGKILL) // it may have left its group
			syscall.Kill(-pid, syscall.SIGKILL)
		})
	}
	status, err := waitFor(pid)
	if timer != nil && !timer.Stop() {
		err = errTimeout
	}
	close(ended)
	syscall.Kill(-pid, syscall.SIGKILL)
	if r.alone {
		syscall.Kill(-1, syscall.SIGKILL)
		waitFor(-1)
	} else {
		killChildren()
	}
	return status, err
}

// killChildren kills all our children, and their children, which then become ours (hideMemory). When the daemon gives
// steps no process namespace of their own, we see other processes as well, and only these are known to be ours. It also
// ends processes that are stopped or about to fork.
func killChildren() {
	for {
		found := false
		lists, _ := filepath.Glob("/proc/self/task/*/children")
		for _, list := range lists {
			data, _ := os.ReadFile(list)
			for _, field := range strings.Fields(string(data)) {
				if pid, err := strconv.Atoi(field); err == nil {
					found = true
					syscall.Kill(pid, syscall.SIGKILL)
				}
			}
		}
		if !found {
			return
		}
		var status syscall.WaitStatus
		if _, err := syscall.Wait4(-1, &status, 0, nil); err != nil && err != syscall.EINTR {
			return
		}
	}
}

// waitFor reaps children until pid has ended, or until there are none.
func waitFor(pid int) (syscall.WaitStatus, error) {
	for {
		var status syscall.WaitStatus
		ended, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return status, err
		case ended == pid:
			return status, nil
		}
	}
}

// emptyInput returns a file with nothing to read: /dev/null, or a pipe when there is no /dev.
func emptyInput() (*os.File, error) {
	if f, err := os.Open(os.DevNull); err == nil {
		return f, nil
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	return r, w.Close()
}
