package testbed

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/moby/buildkit/client"
)

// Daemon is a buildkitd that starts empty.
type Daemon struct {
	Address string
	cmd     *exec.Cmd
	hold    func() error // closes its standard input, which ends it
}

// StartDaemon starts an empty buildkitd of a kind, as hack/daemon.sh calls it: "overlayfs", "native", with "rootless-", "oldest-"
// and "proxy-" before it. The words of by, if there are any, are a command that starts it. Starting takes seconds. The daemon
// ends with this process at the latest, and leaves nothing.
func StartDaemon(ctx context.Context, kind string, by ...string) (*Daemon, error) {
	repository, err := root()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(stateFolder(kind), "packfile-daemon-") // a test's own folders have names that are too long for a socket
	if err != nil {
		return nil, err
	}
	args := append(by[:len(by):len(by)], filepath.Join(repository, "hack/daemon.sh"), kind, dir)
	d := &Daemon{Address: "unix://" + filepath.Join(dir, "sock"), cmd: exec.Command(args[0], args[1:]...)}
	d.cmd.Stdout, d.cmd.Stderr = os.Stderr, os.Stderr
	held, err := d.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	d.hold = held.Close
	if err := d.cmd.Start(); err != nil {
		return nil, err
	}
	const patience = 30 * time.Second
	if err := await(ctx, patience, func() error { return d.answers(ctx) }); err != nil {
		text, _ := os.ReadFile(filepath.Join(dir, "log"))
		d.Stop()
		return nil, fmt.Errorf("buildkitd (%s) did not start: %w\n%s", kind, err, text)
	}
	return d, nil
}

// answers asks the daemon for its workers. It looks for the socket first: a client that finds none waits a second before it looks
// again.
func (d *Daemon) answers(ctx context.Context) error {
	conn, err := net.Dial("unix", strings.TrimPrefix(d.Address, "unix://"))
	if err != nil {
		return err
	}
	conn.Close()
	c, err := client.New(ctx, d.Address)
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.ListWorkers(ctx)
	return err
}

// Stop ends the daemon and removes its state.
func (d *Daemon) Stop() {
	d.hold()
	d.cmd.Wait()
}

// SharedDaemon is a daemon that several tests build on. It keeps what one test has built, so each test builds things that no
// other does. The zero value is a daemon that is not started yet.
type SharedDaemon struct {
	once   sync.Once
	daemon *Daemon
	err    error
}

// Get returns the daemon. The first call starts it, with the kind of that call.
func (s *SharedDaemon) Get(kind string) (*Daemon, error) {
	s.once.Do(func() { s.daemon, s.err = StartDaemon(context.Background(), kind) })
	return s.daemon, s.err
}

// Stop ends the daemon, if it was started.
func (s *SharedDaemon) Stop() {
	if s.daemon != nil {
		s.daemon.Stop()
	}
}

// stateFolder returns the folder for a daemon's state, "" for the folder of temporary files. The native snapshotter copies whole
// root file systems, which takes minutes on a disk: it gets memory where there is plenty.
func stateFolder(kind string) string {
	const memory, needed = "/dev/shm", 12 << 30
	var free syscall.Statfs_t
	if !strings.HasSuffix(kind, "native") || syscall.Statfs(memory, &free) != nil || free.Bavail*uint64(free.Bsize) < needed {
		return ""
	}
	info, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return ""
	}
	_, line, _ := strings.Cut(string(info), "MemAvailable:")
	var kib uint64
	if _, err := fmt.Sscan(line, &kib); err != nil || kib<<10 < needed {
		return ""
	}
	return memory
}

// await asks again and again until there is no error. When its patience ends it returns the last error.
func await(ctx context.Context, patience time.Duration, ask func() error) error {
	const pause = 20 * time.Millisecond
	deadline := time.After(patience)
	for {
		err := ask()
		if err == nil {
			return nil
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		case <-deadline:
			return err
		}
	}
}
