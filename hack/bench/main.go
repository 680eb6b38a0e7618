// Command bench measures the frontend next to the Dockerfile frontend: the same app, the same daemon, the same run. It
// prints a table of ratios; docs/benchmarks.md says how to read it. A missed target is printed, not failed; what cannot
// be measured fails.
package main

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"

	"github.com/moby/buildkit/client"
)

// bench is one run.
type bench struct {
	ctx    context.Context
	daemon *client.Client
	id     string // in everything that is built, so that nothing of an earlier run is in a cache
	tmp    string // removed when the run ends
	rounds int
	apps   string // names, with commas between them
	images images
}

// images are those of the development environment, and the gateway image of the Dockerfile frontend.
type images struct {
	registry, packfile, dockerfile, build, run, debian string
}

// topics are what is measured, in the order of the table. The last one is measured only when it is asked for: it takes half an hour,
// and the registries of npm, Go and Debian.
var topics = []struct {
	name    string
	measure func(*bench) error
}{
	{"build", (*bench).measureBuilds},
	{"parallel", (*bench).measureParallel},
	{"modules", (*bench).measureModules},
	{"context", (*bench).measureContext},
	{"llb", (*bench).measureLLB},
	{"previous", (*bench).measurePrevious},
	{"packages", (*bench).measurePackages},
	{"seal", (*bench).measureSeal},
	{"matrix", (*bench).measureMatrix},
	{"size", (*bench).measureSizes},
	{"apps", (*bench).measureApps},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	names := make([]string, len(topics))
	for i, t := range topics {
		names[i] = t.name
	}
	only := flag.String("only", strings.Join(names[:len(names)-1], ","), "what to measure, of "+strings.Join(names, ","))
	rounds := flag.Int("rounds", 31, "how often builds that take less than a second are measured")
	publicApps := flag.String("apps", strings.Join(appNames(), ","), "public apps that the topic apps is about")
	flag.Parse()
	if err := run(ctx, *only, *publicApps, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, only, publicApps string, rounds int) error {
	b := &bench{ctx: ctx, id: strings.ToLower(rand.Text()), rounds: rounds, apps: publicApps}
	if err := b.findImages(); err != nil {
		return err
	}
	var err error
	if b.tmp, err = os.MkdirTemp("", "packfile-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.tmp)
	if b.daemon, err = client.New(ctx, os.Getenv("BUILDKIT_HOST")); err != nil {
		return err
	}
	defer b.daemon.Close()
	if err := b.makeTwin(); err != nil {
		return fmt.Errorf("gateway image of the Dockerfile frontend: %w", err)
	}

	fmt.Printf("BuildKit %s, %d processors, %d rounds\n\n", buildkitVersion(), runtime.NumCPU(), rounds)
	printHeader()
	failed := 0
	for _, t := range topics {
		if !contains(only, t.name) {
			continue
		}
		if err := t.measure(b); err != nil {
			fmt.Fprintf(os.Stderr, "bench: %s could not be measured: %v\n", t.name, err)
			failed++
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d not measured", failed)
	}
	return nil
}

func (b *bench) findImages() error {
	for name, to := range map[string]*string{
		"PACKFILE_REGISTRY":      &b.images.registry,
		"PACKFILE_FRONTEND":      &b.images.packfile,
		"PACKFILE_BUSYBOX_IMAGE": &b.images.build,
		"PACKFILE_EMPTY_IMAGE":   &b.images.run,
		"PACKFILE_DEBIAN_IMAGE":  &b.images.debian,
	} {
		if *to = os.Getenv(name); *to == "" {
			return fmt.Errorf("%s is not set: run `make bench`, or `make up` and `. .dev/env`", name)
		}
	}
	return nil
}

func contains(list, name string) bool {
	for item := range strings.SplitSeq(list, ",") {
		if item == name {
			return true
		}
	}
	return false
}
