package main

import (
	"strings"
	"time"

	"github.com/moby/buildkit/client"
	digest "github.com/opencontainers/go-digest"
	"github.com/tonistiigi/fsutil"
)

// frontend is one of those that are compared.
type frontend int

const (
	packfile   frontend = iota // ours
	dockerfile                 // the Dockerfile frontend as a gateway image: the fair twin
	builtIn                    // the Dockerfile frontend in the daemon
)

var frontends = []frontend{packfile, dockerfile, builtIn}

func (f frontend) String() string { return [...]string{"packfile", "dockerfile", "built-in"}[f] }

// filename is what the frontend reads.
func (f frontend) filename() string {
	if f == packfile {
		return "packfile.toml"
	}
	return "Dockerfile"
}

// built is what a build took.
type built struct {
	time  float64 // seconds from the request to the end of the progress
	sent  int64   // bytes of local folders that the client sent
	steps int     // how many steps ran: scripts print stepMark
	// quiet has how long each operation ran after it printed something last, in seconds, by its name.
	quiet map[string]float64
}

// quietOne is that of the operation whose name begins so, if there is one.
func (r built) quietOne(prefix string) (float64, bool) {
	for name, time := range r.quiet {
		if strings.HasPrefix(name, prefix) && name != prefix+" definition" {
			return time, true
		}
	}
	return 0, false
}

// stepMark is printed by every script of a project.
const stepMark = "bench-step"

// build builds a project to an image that is named and pushed nowhere.
func (b *bench) build(f frontend, dir string) (built, error) {
	opt, err := b.request(f, dir)
	if err != nil {
		return built{}, err
	}
	opt.Exports = []client.ExportEntry{{Type: client.ExporterImage}}
	return b.solve(opt)
}

// request asks a frontend to build a project. Clients with equal shared keys share what they have sent before, as buildx
// does for one folder.
func (b *bench) request(f frontend, dir string) (client.SolveOpt, error) {
	context, err := fsutil.NewFS(dir)
	if err != nil {
		return client.SolveOpt{}, err
	}
	opt := client.SolveOpt{
		Frontend:      "gateway.v0",
		FrontendAttrs: map[string]string{"filename": f.filename()},
		LocalMounts:   map[string]fsutil.FS{"context": context, "dockerfile": context},
		SharedKey:     "bench:" + dir,
	}
	switch f {
	case packfile:
		opt.FrontendAttrs["source"] = b.images.packfile
	case dockerfile:
		opt.FrontendAttrs["source"] = b.images.dockerfile
	case builtIn:
		opt.Frontend = "dockerfile.v0"
	}
	return opt, nil
}

func (b *bench) solve(opt client.SolveOpt) (built, error) {
	var p progress
	updates, done := make(chan *client.SolveStatus), make(chan struct{})
	go func() {
		defer close(done)
		for s := range updates {
			p.add(s)
		}
	}()
	start := time.Now()
	_, err := b.daemon.Solve(b.ctx, nil, opt, updates)
	took := time.Since(start).Seconds()
	<-done
	return built{time: took, sent: p.sent(), steps: p.steps(), quiet: p.quiet()}, err
}

// progress is what the daemon said during a build.
type progress struct {
	transfers map[transfer]int64
	output    map[digest.Digest][]byte
	printed   map[digest.Digest]time.Time // last
	vertices  map[digest.Digest]*client.Vertex
}

// transfer is one sending of a local folder, whichever vertices wait for it.
type transfer struct {
	vertex  digest.Digest
	id      string
	started int64
}

func (p *progress) add(s *client.SolveStatus) {
	if p.transfers == nil {
		p.transfers, p.output = map[transfer]int64{}, map[digest.Digest][]byte{}
		p.printed, p.vertices = map[digest.Digest]time.Time{}, map[digest.Digest]*client.Vertex{}
	}
	for _, st := range s.Statuses {
		// The daemon's source/local calls them so.
		if strings.HasPrefix(st.ID, "transferring ") && st.Started != nil {
			p.transfers[transfer{st.Vertex, st.ID, st.Started.UnixNano()}] = st.Current
		}
	}
	for _, v := range s.Vertexes {
		if v.Started != nil && v.Completed != nil {
			p.vertices[v.Digest] = v
		}
	}
	for _, l := range s.Logs {
		p.output[l.Vertex] = append(p.output[l.Vertex], l.Data...)
		p.printed[l.Vertex] = l.Timestamp
	}
}

func (p *progress) quiet() map[string]float64 {
	quiet := map[string]float64{}
	for id, v := range p.vertices {
		since := *v.Started
		if printed, ok := p.printed[id]; ok {
			since = printed
		}
		quiet[v.Name] = v.Completed.Sub(since).Seconds()
	}
	return quiet
}

func (p *progress) sent() (n int64) {
	for _, bytes := range p.transfers {
		n += bytes
	}
	return n
}

func (p *progress) steps() (n int) {
	for _, text := range p.output {
		n += strings.Count(string(text), stepMark)
	}
	return n
}
