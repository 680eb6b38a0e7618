package testbed

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/moby/buildkit/client"
	digest "github.com/opencontainers/go-digest"
)

// Progress is what a daemon said during a build: the statuses from which clients make their text.
type Progress struct {
	vertices  []*Vertex // in the order in which they started
	byDigest  map[digest.Digest]*Vertex
	transfers map[transfer]int64
}

// Vertex is an operation of a build that has started.
type Vertex struct {
	Name   string
	Output string // what it printed

	step       bool // it has inputs: looking up an operation without, a source, is reported like running it
	downloaded bool // it came from an imported cache: that is reported like running it
	cached     bool
	completed  bool // at least once, and without the cache
	started    time.Time
	ended      time.Time
	printed    time.Time // last; zero when it printed nothing
}

// Ran reports whether the vertex was executed and did not fail: it was neither found in the builder's own cache, nor taken from
// an imported one, nor cancelled.
func (v *Vertex) Ran() bool {
	if v.step {
		return v.completed && !v.downloaded
	}
	return v.completed && !v.cached
}

// Quiet returns how long the vertex ran after it last printed something.
func (v *Vertex) Quiet() time.Duration {
	if v.printed.IsZero() {
		return v.ended.Sub(v.started)
	}
	return v.ended.Sub(v.printed)
}

// transfer is one transfer of a local folder, whichever vertices wait for it.
type transfer struct {
	vertex  digest.Digest
	id      string
	started int64
}

// Add adds a status.
func (p *Progress) Add(s *client.SolveStatus) {
	if p.byDigest == nil {
		p.byDigest, p.transfers = map[digest.Digest]*Vertex{}, map[transfer]int64{}
	}
	for _, v := range s.Vertexes {
		p.update(v)
	}
	for _, st := range s.Statuses {
		if v, ok := p.byDigest[st.Vertex]; ok && strings.HasPrefix(st.ID, "sha256:") {
			v.downloaded = true
		}
		// The daemon's source/local uses this name.
		if strings.HasPrefix(st.ID, "transferring ") && st.Started != nil {
			p.transfers[transfer{st.Vertex, st.ID, st.Started.UnixNano()}] = st.Current
		}
	}
	for _, l := range s.Logs {
		if v, ok := p.byDigest[l.Vertex]; ok {
			v.Output += string(l.Data)
			v.printed = l.Timestamp
		}
	}
}

// update adds a report about a vertex. A vertex counts as started from the first report with a start.
func (p *Progress) update(to *client.Vertex) {
	v, ok := p.byDigest[to.Digest]
	if !ok {
		v = &Vertex{Name: to.Name}
		p.byDigest[to.Digest] = v
	}
	v.step = v.step || len(to.Inputs) > 0
	if to.Started == nil {
		return
	}
	if v.started.IsZero() {
		p.vertices = append(p.vertices, v)
	}
	v.started = *to.Started
	if to.Completed == nil {
		return
	}
	v.ended = *to.Completed
	v.cached = v.cached || to.Cached
	v.completed = v.completed || !to.Cached && to.Error == ""
}

// Vertices returns the vertices that started, in that order.
func (p *Progress) Vertices() []*Vertex { return p.vertices }

// Named returns the vertices with a name, with or without a reason in parentheses behind it.
func (p *Progress) Named(name string) (all []*Vertex) {
	for _, v := range p.vertices {
		if v.Name == name || strings.HasPrefix(v.Name, name+" (") && strings.HasSuffix(v.Name, ")") {
			all = append(all, v)
		}
	}
	return all
}

// Sent returns how many bytes of local folders the client sent.
func (p *Progress) Sent() (n int64) {
	for _, bytes := range p.transfers {
		n += bytes
	}
	return n
}

// Printed returns how often vertices printed a text.
func (p *Progress) Printed(text string) (n int) {
	for _, v := range p.vertices {
		n += strings.Count(v.Output, text)
	}
	return n
}

// String returns a list of the vertices, with what became of them and what they printed.
func (p *Progress) String() string {
	var b strings.Builder
	for _, v := range p.vertices {
		state := "not run"
		if v.Ran() {
			state = "ran"
		}
		fmt.Fprintf(&b, "%s: %s\n%s", v.Name, state, v.Output)
	}
	return b.String()
}

// ReadTrace reads the statuses that buildctl --trace has written. A client that was killed may have written half of the last one,
// which is ignored.
func ReadTrace(r io.Reader) (*Progress, error) {
	p := &Progress{}
	for statuses := json.NewDecoder(r); ; {
		var s client.SolveStatus
		err := statuses.Decode(&s)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return p, nil
		}
		if err != nil {
			return nil, fmt.Errorf("statuses of a build: %w", err)
		}
		p.Add(&s)
	}
}

// ReadRawJSON reads the output of a client with --progress=rawjson. rest are the lines that are no statuses.
func ReadRawJSON(output []byte) (p *Progress, rest string) {
	p = &Progress{}
	for line := range bytes.Lines(output) {
		var s client.SolveStatus
		if !bytes.HasPrefix(line, []byte("{")) || json.Unmarshal(line, &s) != nil {
			rest += string(line)
			continue
		}
		p.Add(&s)
	}
	return p, rest
}
