package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// secondDaemon starts another, empty buildkitd for one test, and returns its address.
func secondDaemon(t *testing.T) string {
	t.Helper()
	addr, stop, err := startDaemon()
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
	o.once.Do(func() { o.addr, o.stop, o.err = startDaemon() })
	if o.err != nil {
		t.Fatal(o.err)
	}
	return o.addr
}

func startDaemon() (addr string, stop func(), err error) {
	root, err := os.MkdirTemp("", "packfile-e2e-") // names of a test's own folders are too long for a socket
	if err != nil {
		return "", nil, err
	}
	log, err := os.Create(filepath.Join(root, "log"))
	if err != nil {
		return "", nil, err
	}
	addr = "unix://" + filepath.Join(root, "s")
	cmd := exec.Command("buildkitd", "--root", filepath.Join(root, "root"), "--addr", addr,
		"--otel-socket-path", filepath.Join(root, "otel"), "--containerd-worker=false", "--oci-worker-binary", "runc")
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
		log.Close()
		os.RemoveAll(root)
	}
	for range 200 {
		if exec.Command("buildctl", "--addr", addr, "debug", "workers").Run() == nil {
			return addr, stop, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	text, _ := os.ReadFile(log.Name())
	stop()
	return "", nil, fmt.Errorf("buildkitd did not start:\n%s", text)
}
