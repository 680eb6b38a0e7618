package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// proxy stands before the registry and counts what is downloaded from it: what a build pulls is measured where it is
// pulled from.
type proxy struct {
	host string // name it with this in place of the registry's

	mu     sync.Mutex
	pulled map[string]int64 // bytes by blob digest
}

func newProxy(t *testing.T) *proxy {
	t.Helper()
	registry, _, _ := strings.Cut(env.frontend, "/")
	p := &proxy{pulled: map[string]int64{}}
	reverse := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: registry})
	reverse.ModifyResponse = func(res *http.Response) error {
		_, digest, blob := strings.Cut(res.Request.URL.Path, "/blobs/")
		if blob && res.Request.Method == http.MethodGet {
			res.Body = &counted{ReadCloser: res.Body, add: func(n int) {
				p.mu.Lock()
				p.pulled[digest] += int64(n)
				p.mu.Unlock()
			}}
		}
		return nil
	}
	server := httptest.NewServer(reverse)
	t.Cleanup(server.Close)
	p.host = strings.TrimPrefix(server.URL, "http://")
	return p
}

// name is an image of the registry by way of the proxy.
func (p *proxy) name(image string) string {
	_, rest, _ := strings.Cut(image, "/")
	return p.host + "/" + rest
}

// bytes that were pulled of a blob.
func (p *proxy) bytes(digest string) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pulled[digest]
}

// counted is a body that counts what is read of it.
type counted struct {
	io.ReadCloser
	add func(n int)
}

func (c *counted) Read(buf []byte) (int, error) {
	n, err := c.ReadCloser.Read(buf)
	c.add(n)
	return n, err
}
