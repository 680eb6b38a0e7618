package main

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
)

// meter measures what goes through a registry's proxy.
type meter struct {
	mu      sync.Mutex
	traffic traffic
}

// traffic is what moved, in bytes of HTTP bodies.
type traffic map[item]moved

// item is a part of an image in a repository.
type item struct {
	repository string
	kind       string // "manifests" or "blobs"
	digest     string // of a blob, "" if it came in pieces; a manifest may have its tag
}

// moved are bytes that clients got from the registry, and that they sent to it.
type moved struct{ pulled, pushed int64 }

var itemPath = regexp.MustCompile(`^/v2/(.+)/(manifests|blobs)/(.+)$`)

// itemOf says what a request is about.
func itemOf(r *http.Request) item {
	m := itemPath.FindStringSubmatch(r.URL.Path)
	if m == nil {
		return item{}
	}
	i := item{m[1], m[2], m[3]}
	if strings.HasPrefix(i.digest, "uploads/") {
		i.digest = r.URL.Query().Get("digest")
	}
	return i
}

func (m *meter) add(i item, by moved) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.traffic == nil {
		m.traffic = traffic{}
	}
	sum := m.traffic[i]
	m.traffic[i] = moved{sum.pulled + by.pulled, sum.pushed + by.pushed}
}

func (m *meter) request(r *http.Request) {
	if r.Body != nil && r.Body != http.NoBody {
		i := itemOf(r)
		r.Body = counted{r.Body, func(n int64) { m.add(i, moved{pushed: n}) }}
	}
}

func (m *meter) response(r *http.Response) {
	if r.Request.Method == http.MethodGet {
		i := itemOf(r.Request)
		r.Body = counted{r.Body, func(n int64) { m.add(i, moved{pulled: n}) }}
	}
}

// take returns what has moved since it was last called.
func (m *meter) take() traffic {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.traffic
	m.traffic = nil
	return t
}

// sum adds up the items that are wanted.
func (t traffic) sum(wanted func(item) bool) (total moved) {
	for i, m := range t {
		if wanted(i) {
			total.pulled += m.pulled
			total.pushed += m.pushed
		}
	}
	return total
}

// counted tells how much is read.
type counted struct {
	io.ReadCloser
	add func(int64)
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.add(int64(n))
	return n, err
}
