package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
)

const registryConfig = `version: 0.1
log: { level: warn, accesslog: { disabled: true } }
storage:
  filesystem: { rootdirectory: %q }
http: { net: unix, addr: %q }
`

// registry is one of the benchmark's own, so that nothing stays of what is pushed to it, behind a proxy that measures what
// moves.
type registry struct {
	addr  string // the proxy's
	meter meter
	end   func() // stops and removes it
}

func (b *bench) emptyRegistry() (*registry, error) {
	dir, err := os.MkdirTemp(b.tmp, "r")
	if err != nil {
		return nil, err
	}
	socket, config := filepath.Join(dir, "s"), filepath.Join(dir, "config.yml")
	if err := os.WriteFile(config, fmt.Appendf(nil, registryConfig, filepath.Join(dir, "root"), socket), 0o644); err != nil {
		return nil, err
	}
	p, err := start(dir, "docker-registry", "serve", config)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		MaxIdleConnsPerHost: 32,
		DisableCompression:  true, // bytes are counted as the client asked for them
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}
	r := &registry{}
	server := &http.Server{Handler: r.proxy(transport)}
	r.end = func() {
		server.Close()
		p.stop()
		os.RemoveAll(dir)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		r.end()
		return nil, err
	}
	r.addr = listener.Addr().String()
	go server.Serve(listener)
	err = p.await(func() error {
		resp, err := http.Get("http://" + r.addr + "/v2/")
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return errors.New(resp.Status)
		}
		return nil
	})
	if err != nil {
		r.end()
		return nil, err
	}
	return r, nil
}

func (r *registry) proxy(transport http.RoundTripper) http.Handler {
	return &httputil.ReverseProxy{
		Transport: transport,
		ErrorLog:  log.New(io.Discard, "", 0), // the client is told
		Rewrite: func(req *httputil.ProxyRequest) {
			req.SetURL(&url.URL{Scheme: "http", Host: "registry"})
			req.Out.Host = req.In.Host // the registry tells clients where to go on by it
			r.meter.request(req.Out)
		},
		ModifyResponse: func(resp *http.Response) error {
			r.meter.response(resp)
			return nil
		},
	}
}
