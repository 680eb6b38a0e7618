package testbed

import (
	"io"
	"maps"
	"net/http"
	"regexp"
	"strings"
	"sync"
)

// Meter measures what goes through a proxy of a registry.
type Meter struct {
	mu   sync.Mutex
	sums Traffic
}

// Traffic is what moved, in bytes of HTTP bodies.
type Traffic map[Item]Moved

// Item is a part of an image in a repository.
type Item struct {
	Repository string
	Kind       string // "manifests" or "blobs"
	Digest     string // of a blob, "" if it came in pieces; a manifest may have its tag
}

// Moved are bytes that clients got from the registry, and bytes that they sent to it.
type Moved struct{ Pulled, Pushed int64 }

var itemPath = regexp.MustCompile(`^/v2/(.+)/(manifests|blobs)/(.+)$`)

// itemOf returns what a request is about, the zero Item when it is about no part of an image.
func itemOf(r *http.Request) Item {
	m := itemPath.FindStringSubmatch(r.URL.Path)
	if m == nil {
		return Item{}
	}
	i := Item{m[1], m[2], m[3]}
	if strings.HasPrefix(i.Digest, "uploads/") {
		i.Digest = r.URL.Query().Get("digest")
	}
	return i
}

func (m *Meter) add(i Item, by Moved) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.sums == nil {
		m.sums = Traffic{}
	}
	sum := m.sums[i]
	m.sums[i] = Moved{sum.Pulled + by.Pulled, sum.Pushed + by.Pushed}
}

func (m *Meter) request(r *http.Request) {
	if r.Body != nil && r.Body != http.NoBody {
		i := itemOf(r)
		r.Body = counted{r.Body, func(n int64) { m.add(i, Moved{Pushed: n}) }}
	}
}

func (m *Meter) response(r *http.Response) {
	if r.Request.Method == http.MethodGet {
		i := itemOf(r.Request)
		r.Body = counted{r.Body, func(n int64) { m.add(i, Moved{Pulled: n}) }}
	}
}

// SoFar returns what has moved since the last Take.
func (m *Meter) SoFar() Traffic {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.sums)
}

// Take returns what has moved since the last Take, and begins anew.
func (m *Meter) Take() Traffic {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.sums
	m.sums = nil
	return t
}

// Sum adds up the items that are wanted.
func (t Traffic) Sum(wanted func(Item) bool) (total Moved) {
	for i, m := range t {
		if wanted(i) {
			total.Pulled += m.Pulled
			total.Pushed += m.Pushed
		}
	}
	return total
}

// counted is a body that tells how much of it is read.
type counted struct {
	io.ReadCloser
	add func(int64)
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.add(int64(n))
	return n, err
}
