package main

import (
	"net"
	"os"
	"path/filepath"

	"github.com/moby/buildkit/client"
)

// emptyDaemon starts a buildkitd that has never built anything, and returns the benchmark on it, with what ends and
// removes it. That needs root.
func (b *bench) emptyDaemon() (*bench, func(), error) {
	dir, err := os.MkdirTemp(b.tmp, "d")
	if err != nil {
		return nil, nil, err
	}
	socket := filepath.Join(dir, "s")
	p, err := start(dir, "buildkitd", "--root", filepath.Join(dir, "root"), "--addr", "unix://"+socket,
		"--otel-socket-path", filepath.Join(dir, "otel"), "--containerd-worker=false", "--oci-worker-binary", "runc")
	if err != nil {
		return nil, nil, err
	}
	stop := func() {
		p.stop()
		os.RemoveAll(dir)
	}
	// A client that finds no socket waits a second before it looks again, so the socket comes first.
	err = p.await(func() error {
		conn, err := net.Dial("unix", socket)
		if err == nil {
			conn.Close()
		}
		return err
	})
	if err != nil {
		stop()
		return nil, nil, err
	}
	daemon, err := client.New(b.ctx, "unix://"+socket)
	if err != nil {
		stop()
		return nil, nil, err
	}
	end := func() {
		daemon.Close()
		stop()
	}
	if _, err := daemon.ListWorkers(b.ctx); err != nil {
		end()
		return nil, nil, err
	}
	on := *b
	on.daemon = daemon
	return &on, end, nil
}
