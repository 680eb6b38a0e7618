package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// secondDaemon starts another, empty buildkitd, and returns its address.
func secondDaemon(t *testing.T) string {
	t.Helper()
	root, err := os.MkdirTemp("", "packfile-e2e-") // t.TempDir's names are too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	addr := "unix://" + filepath.Join(root, "s")
	log, err := os.Create(filepath.Join(root, "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("buildkitd", "--root", filepath.Join(root, "root"), "--addr", addr,
		"--otel-socket-path", filepath.Join(root, "otel"), "--containerd-worker=false", "--oci-worker-binary", "runc")
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
		log.Close()
		os.RemoveAll(root)
	})
	for range 200 {
		if exec.Command("buildctl", "--addr", addr, "debug", "workers").Run() == nil {
			return addr
		}
		time.Sleep(50 * time.Millisecond)
	}
	text, _ := os.ReadFile(log.Name())
	t.Fatalf("buildkitd did not start:\n%s", text)
	return ""
}
