package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// daemonKind is what a daemon is that a test starts: as hack/daemon.sh calls it. The environment may name one that is like
// the daemon of BUILDKIT_HOST.
func daemonKind() string { return or(os.Getenv("PACKFILE_DAEMON_KIND"), "overlayfs") }

// secondDaemon starts another, empty buildkitd for one test, and returns its address.
func secondDaemon(t *testing.T) string {
	t.Helper()
	return newDaemon(t, daemonKind())
}

// newDaemon starts an empty buildkitd of a kind for one test, and returns its address. It is started by a command, if
// one is given.
func newDaemon(t *testing.T, kind string, by ...string) string {
	t.Helper()
	addr, stop, err := startDaemon(kind, by...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return addr
}

// otherBuilder is another buildkitd, which tests share: what one has built is no news to the next, but each builds things
// that no other does. The first use starts it; TestMain ends it.
var otherBuilder struct {
	once sync.Once
	addr string
	stop func()
	err  error
}

func otherDaemon(t *testing.T) string {
	t.Helper()
	o := &otherBuilder
	o.once.Do(func() { o.addr, o.stop, o.err = startDaemon(daemonKind()) })
	if o.err != nil {
		t.Fatal(o.err)
	}
	return o.addr
}

func startDaemon(kind string, by ...string) (addr string, stop func(), err error) {
	dir, err := os.MkdirTemp(daemonFolder(kind), "packfile-e2e-") // names of a test's own folders are too long for a socket
	if err != nil {
		return "", nil, err
	}
	args := append(by[:len(by):len(by)], "../hack/daemon.sh", kind, dir)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	held, err := cmd.StdinPipe() // ends with this process at the latest, and the daemon with it
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		held.Close()
		cmd.Wait()
	}
	addr = "unix://" + filepath.Join(dir, "sock")
	for range 400 {
		if exec.Command("buildctl", "--addr", addr, "debug", "workers").Run() == nil {
			return addr, stop, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	text, _ := os.ReadFile(filepath.Join(dir, "log"))
	stop()
	return "", nil, fmt.Errorf("buildkitd (%s) did not start:\n%s", kind, text)
}

// daemonFolder is where a daemon has its state, "" for the folder of temporary files. The native snapshotter copies whole
// root file systems, which takes minutes on a disk: it gets memory where there is plenty.
func daemonFolder(kind string) string {
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
