package e2e

import (
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// gitIn runs git in a repository, as somebody.
func gitIn(t *testing.T, repo string, args ...string) {
	t.Helper()
	must(t, "git", append([]string{"-C", repo, "-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main"}, args...)...)
}

// serveGit serves the repositories in a folder, and is its address.
func serveGit(t *testing.T, base string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	// Not by way of git, which would start it as another process, and leave it when it is killed.
	program := filepath.Join(strings.TrimSpace(must(t, "git", "--exec-path")), "git-daemon")
	daemon := exec.Command(program, "--export-all", "--reuseaddr", "--listen=127.0.0.1", "--port="+port, "--base-path="+base, base)
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { daemon.Process.Kill(); daemon.Wait() })
	waitForPort(t, "127.0.0.1:"+port)
	return "git://127.0.0.1:" + port
}
