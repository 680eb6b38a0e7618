package e2e

import (
	"os"
	"testing"

	"github.com/moby/buildkit/client"
	"github.com/packfile/frontend/internal/testbed"
)

// daemonKind is what a daemon is that a test starts: as hack/daemon.sh calls it. The environment may name one that is like
// the daemon of BUILDKIT_HOST.
func daemonKind() string { return or(os.Getenv("PACKFILE_DAEMON_KIND"), "overlayfs") }

// Daemons that tests share. The first use starts them; TestMain ends them.
var (
	otherBuilder testbed.SharedDaemon // is like the one of BUILDKIT_HOST
	oldest       testbed.SharedDaemon // is of the oldest supported BuildKit
)

// secondDaemon starts another, empty buildkitd for one test, and returns its address.
func secondDaemon(t *testing.T) string {
	t.Helper()
	return newDaemon(t, daemonKind())
}

// newDaemon starts an empty buildkitd of a kind for one test, and returns its address. It is started by a command, if
// one is given.
func newDaemon(t *testing.T, kind string, by ...string) string {
	t.Helper()
	d, err := testbed.StartDaemon(t.Context(), kind, by...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Stop)
	return d.Address
}

// otherDaemon is another buildkitd, which tests share: what one has built is no news to the next, but each builds things that no
// other does.
func otherDaemon(t *testing.T) string {
	t.Helper()
	return shared(t, &otherBuilder, daemonKind())
}

// oldestDaemon is one that tests share as well.
func oldestDaemon(t *testing.T) string {
	t.Helper()
	return shared(t, &oldest, "oldest-"+daemonKind())
}

func shared(t *testing.T, s *testbed.SharedDaemon, kind string) string {
	t.Helper()
	d, err := s.Get(kind)
	if err != nil {
		t.Fatalf("%v\nmake up and hack/tools.sh oldest build what is needed", err)
	}
	return d.Address
}

// clientOf talks to a daemon without buildctl.
func clientOf(t *testing.T, host string) *client.Client {
	t.Helper()
	c, err := client.New(t.Context(), host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// newProxy stands before the registry: what a build pulls is measured where it is pulled from.
func newProxy(t *testing.T) *testbed.Proxy {
	t.Helper()
	p, err := testbed.NewProxy(registry(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// pulled are the bytes that came of a blob through a proxy.
func pulled(p *testbed.Proxy, blob string) int64 {
	return p.Traffic.SoFar().Sum(func(i testbed.Item) bool { return i.Kind == "blobs" && i.Digest == blob }).Pulled
}
