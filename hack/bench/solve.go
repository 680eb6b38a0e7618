package main

import (
	"strings"
	"time"

	"github.com/moby/buildkit/client"
	"github.com/packfile/frontend/internal/testbed"
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
	time     float64 // seconds from the request to the end of the progress
	sent     int64   // bytes of local folders that the client sent
	steps    int     // how many steps ran: scripts print stepMark
	progress testbed.Progress
}

// quietOne is how long the operation whose name begins so ran after it printed something last, in seconds, if there is one.
func (r built) quietOne(prefix string) (float64, bool) {
	for _, v := range r.progress.Vertices() {
		if strings.HasPrefix(v.Name, prefix) && v.Name != prefix+" definition" {
			return v.Quiet().Seconds(), true
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
	var r built
	updates, done := make(chan *client.SolveStatus), make(chan struct{})
	go func() {
		defer close(done)
		for s := range updates {
			r.progress.Add(s)
		}
	}()
	start := time.Now()
	_, err := b.daemon.Solve(b.ctx, nil, opt, updates)
	r.time = time.Since(start).Seconds()
	<-done
	r.sent, r.steps = r.progress.Sent(), r.progress.Printed(stepMark)
	return r, err
}
