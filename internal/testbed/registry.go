package testbed

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

const registryConfig = `version: 0.1
log: { level: warn, accesslog: { disabled: true } }
storage:
  filesystem: { rootdirectory: %q }
http: { net: unix, addr: %q }
`

// Registry is a registry behind a proxy. It starts empty and keeps nothing, and all that moves is measured.
type Registry struct {
	*Proxy
	dir string
	cmd *exec.Cmd
}

// StartRegistry starts a registry. Stop ends and removes it.
func StartRegistry(ctx context.Context) (*Registry, error) {
	dir, err := os.MkdirTemp("", "packfile-registry-")
	if err != nil {
		return nil, err
	}
	r := &Registry{dir: dir}
	if err := r.start(ctx); err != nil {
		text, _ := os.ReadFile(r.log())
		r.Stop()
		return nil, fmt.Errorf("the registry did not start: %w\n%s", err, text)
	}
	return r, nil
}

func (r *Registry) log() string { return filepath.Join(r.dir, "log") }

// start starts the registry and its proxy, and waits until it answers.
func (r *Registry) start(ctx context.Context) error {
	socket, config := filepath.Join(r.dir, "s"), filepath.Join(r.dir, "config.yml")
	if err := os.WriteFile(config, fmt.Appendf(nil, registryConfig, filepath.Join(r.dir, "root"), socket), 0o644); err != nil {
		return err
	}
	log, err := os.Create(r.log())
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command("docker-registry", "serve", config)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	r.cmd = cmd
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}
	r.Proxy, err = newProxy(&http.Transport{MaxIdleConnsPerHost: 32, DisableCompression: true, DialContext: dial}, "registry")
	if err != nil {
		return err
	}
	const patience = 20 * time.Second
	return await(ctx, patience, func() error {
		resp, err := http.Get("http://" + r.Address + "/v2/")
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return errors.New(resp.Status)
		}
		return nil
	})
}

// Stop ends the registry and removes its content.
func (r *Registry) Stop() {
	if r.Proxy != nil {
		r.Close()
	}
	if r.cmd != nil {
		r.cmd.Process.Kill()
		r.cmd.Wait()
	}
	os.RemoveAll(r.dir)
}
