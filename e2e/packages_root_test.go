package e2e

import (
	"context"
	"crypto/tls"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moby/buildkit/client"
	bk "github.com/moby/buildkit/client/llb"
)

// root installs packages in the image, runs a command there, and returns what it prints.
func (i installation) root(t *testing.T, command string) (log string, err error) {
	t.Helper()
	b, p := i.packages(t)
	root, _, err := b.InstallPackages(p)
	if err != nil {
		t.Fatal(err)
	}
	return i.solve(t, root.Run(bk.Args([]string{"/bin/sh", "-euc", command})).Root())
}

func TestPackagesAreInTheImageThatStepsRunIn(t *testing.T) {
	t.Parallel()
	i := from(t, "tool", deb{name: "tool", files: map[string]string{"usr/bin/tool": "#!/bin/sh\necho it runs\n"}, make: "chmod 755 usr/bin/tool"})
	log, err := i.root(t, `
tool
dpkg -s tool | grep Status
ls -d /packfile /usr/sbin/policy-rc.d 2>&1
ls -R /etc/apt/sources.list.d /etc/apt/trusted.gpg.d /var/lib/apt/lists /var/cache/apt | grep -e test -e .deb$
true`)
	if err == nil {
		t.Fatal("grep should have found nothing") // its exit code ends the script
	}
	contains(t, log, "tool 1\n", "it runs\nStatus: install ok installed\n", "cannot access '/packfile'", "cannot access '/usr/sbin/policy-rc.d'")
}

func TestABuildImageMayLosePackages(t *testing.T) {
	t.Parallel()
	i := from(t, "other-awk", deb{name: "other-awk", control: "Conflicts: mawk\nProvides: awk\n"})
	log, err := i.root(t, "test ! -e /usr/bin/mawk")
	if err != nil {
		t.Fatal(err, log)
	}
	contains(t, log, "other-awk 1\nmawk is removed\n")
}

func TestPackagesOfASourceWithAKeyAreInstalled(t *testing.T) {
	t.Parallel()
	dir, address := repository(t, deb{name: "good"})
	home := t.TempDir()
	gpg := func(args ...string) {
		must(t, "gpg", append([]string{"--homedir", home, "--batch", "--yes", "--passphrase", "", "--pinentry-mode", "loopback"}, args...)...)
	}
	key := filepath.Join(home, "key.asc")
	gpg("--quick-generate-key", "nobody@packages.example.com", "rsa2048", "sign", "never")
	gpg("--armor", "--output", key, "--export")
	gpg("--clearsign", "--output", filepath.Join(dir, "InRelease"), filepath.Join(dir, "Release"))
	text, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	image := offline(t)
	i := installation{
		names: []string{"good"}, image: &image, keys: map[string]string{"0.asc": string(text)},
		sources: map[string]string{"0.sources": "Types: deb\nURIs: " + address + "/\nSuites: ./\n"},
	}
	l := i.layer(t)
	for _, name := range l.names() {
		if strings.HasPrefix(name, "etc/") || strings.HasPrefix(name, "packfile") {
			t.Errorf("the layer has %s", name)
		}
	}
	i.keys = nil
	code, log := i.fails(t)
	equal(t, "exit code without the key", code, 1)
	contains(t, log, "is not signed")
}

// behindTLS serves what an address has with a certificate that no image trusts, and returns its own address.
func behindTLS(t *testing.T, a authority, address string) string {
	t.Helper()
	to, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(httputil.NewSingleHostReverseProxy(to))
	server.Listener.Close()
	server.Listener = listenOutside(t)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{a.certificate}}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL
}

func TestAptTrustsTheSecretAndLeavesNothingOfIt(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	_, plain := repository(t, deb{name: "good"})
	secure := behindTLS(t, a, plain)
	image := offline(t)
	source := func(address string) map[string]string {
		return map[string]string{"test.list": "deb [trusted=yes] " + address + "/ ./\n"}
	}
	want := installation{names: []string{"good"}, image: &image, sources: source(plain)}.layer(t)
	data, err := os.ReadFile(a.file)
	if err != nil {
		t.Fatal(err)
	}
	got := installation{names: []string{"good"}, image: &image, sources: source(secure), secret: data}.layer(t)
	equal(t, "diff id", got.diffID, want.diffID)
	_, log := installation{names: []string{"good"}, image: &image, sources: source(secure), refresh: "without the secret"}.fails(t)
	contains(t, log, "certificate")
}

func TestAMirrorThatIsGoneIsNoFaultOfAName(t *testing.T) {
	t.Parallel()
	dir, address := repository(t, deb{name: "good"})
	image := offline(t)
	i := installation{names: []string{"good"}, image: &image, sources: map[string]string{"test.list": "deb [trusted=yes] " + address + "/ ./\n"}}
	if err := os.Remove(filepath.Join(dir, "good_1_all.deb")); err != nil {
		t.Fatal(err)
	}
	code, log := i.fails(t)
	equal(t, "exit code when a package is gone", code, 1)
	contains(t, log, "404")
	closed := listenOutside(t)
	closed.Close()
	i.sources["test.list"] = "deb [trusted=yes] http://" + closed.Addr().String() + "/ ./\n"
	code, log = i.fails(t)
	equal(t, "exit code when nobody answers", code, 1)
	contains(t, log, "Connection refused", "apt-get update failed")
}

func TestABuildThatIsCancelledEndsAScriptThatHangs(t *testing.T) {
	t.Parallel()
	const sleep = "sleep\x0010012345\x00"
	i := from(t, "hangs", deb{name: "hangs", scripts: map[string]string{"postinst": "trap '' TERM INT HUP; sleep 10012345 & sleep 10012345"}})
	b, p := i.packages(t)
	root, _, err := b.InstallPackages(p)
	if err != nil {
		t.Fatal(err)
	}
	def, err := root.Marshal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error)
	go func() {
		_, err := clientOf(t, os.Getenv("BUILDKIT_HOST")).Solve(ctx, def, client.SolveOpt{}, nil)
		ended <- err
	}()
	waitUntil(t, "the script runs", func() bool { return running(t, sleep) })
	cancel()
	if err := <-ended; err == nil {
		t.Error("the build should have failed")
	}
	waitUntil(t, "the script has ended", func() bool { return !running(t, sleep) })
}

// waitUntil waits for what must come soon.
func waitUntil(t *testing.T, what string, is func() bool) {
	t.Helper()
	for range 600 {
		if is() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("a minute has passed, and not: %s", what)
}

// running reports whether this machine runs a process with that command line.
func running(t *testing.T, line string) bool {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if data, err := os.ReadFile(file); err == nil && string(data) == line {
			return true
		}
	}
	return false
}
