package main

import (
	"github.com/moby/buildkit/client"
	"github.com/packfile/frontend/internal/testbed"
)

// emptyDaemon starts a buildkitd that has never built anything, and returns the benchmark on it, with what ends and
// removes it. That needs root.
func (b *bench) emptyDaemon() (*bench, func(), error) {
	d, err := testbed.StartDaemon(b.ctx, "overlayfs")
	if err != nil {
		return nil, nil, err
	}
	daemon, err := client.New(b.ctx, d.Address)
	if err != nil {
		d.Stop()
		return nil, nil, err
	}
	end := func() {
		daemon.Close()
		d.Stop()
	}
	on := *b
	on.daemon = daemon
	return &on, end, nil
}
