package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/packfile/frontend/internal/testbed"
)

// The app has as many dependencies, each with a lock file and a layer of its own that does not compress.
const (
	dependencies   = 8
	dependencySize = 50_000_000
	bumped         = 5 // the one that gets a new version
)

// lockedApp is an app whose dependencies fill 400 MB, with 2 MB of source files. What the steps make is different every
// time that they run.
func lockedApp() map[string]string {
	parts := []testbed.Part{config("id", "bench"), testbed.Process("web", "cat", "src/0.js"), testbed.Slice("deps")}
	var df strings.Builder
	df.WriteString("ARG RUN_IMAGE=@IMAGE@\nFROM $RUN_IMAGE\nUSER root\nWORKDIR /workspace\n")
	files := map[string]string{}
	for i := 1; i <= dependencies; i++ {
		lock := fmt.Sprintf("deps/%d.lock", i)
		parts = append(parts, testbed.Layer(fmt.Sprint("dep", i)).Export().Match(lock).
			Run(fmt.Sprintf("@STEP@; head -c %d /dev/urandom > $LAYER/data", dependencySize)))
		fmt.Fprintf(&df, "COPY deps/%d.lock deps/\nRUN @STEP@; mkdir -p /layers/dep%[1]d && head -c %[2]d /dev/urandom > /layers/dep%[1]d/data\n", i, dependencySize)
		files[lock] = fmt.Sprintf("dependency %d of @RUN@\n", i)
	}
	df.WriteString("COPY . .\nUSER 1000:1000\nCMD [\"cat\", \"src/0.js\"]\n")
	for i := range 200 {
		name := fmt.Sprintf("src/%d.js", i)
		files[name] = string(randomBytes(name, 10_000))
	}
	files["packfile.toml"], files["Dockerfile"] = testbed.Packfile(parts...), df.String()
	return files
}

// measurePrevious is about builds in CI: on an empty daemon, with what the build before has pushed.
func (b *bench) measurePrevious() error { return b.onCold((*cold).measurePrevious) }

func (c *cold) measurePrevious() (err error) {
	c.least = dependencies * dependencySize
	if c.dirs, err = c.project("previous", []frontend{packfile, dockerfile}, lockedApp()); err != nil {
		return err
	}
	if err := c.first(dependencies); err != nil {
		return err
	}
	for _, measure := range []func() error{c.measureUnchanged, c.measureSourceEdit, c.measureBumped, c.measureSwapped, c.measureRebased, c.measureOverNetwork} {
		if err := measure(); err != nil {
			return err
		}
	}
	return nil
}

const maxPulled, maxTime, maxRatio = 200e3, 1.5, 0.2

func (c *cold) measureUnchanged() error {
	all, err := c.repeat(change{}, 3, cacheWays...)
	if err != nil {
		return err
	}
	all.print("empty daemon, no change, ", maxTime)
	ours, theirs := all.median(previousImage, pulledFrontend), all.median(inlineCache, pulledFrontend)
	compare("empty daemon, frontend image pulled", size, ours, theirs, 0).print()

	if all, err = c.repeat(change{warm: true}, 3, inlineCache); err != nil {
		return err
	}
	all.compare("frontend image there, no change, time", inlineCache, seconds, took).print()
	return nil
}

func (c *cold) measureSourceEdit() error {
	all, err := c.repeat(change{file: "src/7.js"}, 3, cacheWays...)
	if err != nil {
		return err
	}
	all.print("empty daemon, source edit, ", maxTime)
	return nil
}

// usual is a network between a builder and its registry as users have it.
var usual = testbed.Network{RoundTrip: 20 * time.Millisecond, Bandwidth: 50e6}

const maxTimeOverNetwork = 2.5

// measureOverNetwork is about the same registry, farther away. It stays there.
func (c *cold) measureOverNetwork() error {
	c.registry.MoveAway(usual)
	all, err := c.repeat(change{file: "src/7.js"}, 3, cacheWays...)
	if err != nil {
		return err
	}
	all.print("over a network, source edit, ", maxTimeOverNetwork)
	return nil
}

// print is for changes that nothing is built after. The limit is that of our time in seconds.
func (all rebuilds) print(what string, limit float64) {
	all.under(what+"time", seconds, took, limit).print()
	for _, w := range cacheWays {
		all.compare(what+"time", w, seconds, took).atMost(maxRatio).print()
	}
	all.under(what+"pulled", size, pulled, maxPulled).print()
	for _, w := range cacheWays {
		all.compare(what+"pulled", w, size, pulled).print()
	}
	all.stepsRan(what, inlineCache, 0).print()
}

func (c *cold) measureBumped() error {
	all, err := c.repeat(change{file: fmt.Sprintf("deps/%d.lock", bumped)}, 1, cacheWays...)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("empty daemon, one of %d bumped, ", dependencies)
	all.stepsRan(what, inlineCache, 1).print()
	all.under(what+"pushed beside its layer", size, pushedBeside, 100e3).print()
	for _, row := range quantities {
		for _, w := range cacheWays {
			all.compare(what+row.name, w, row.unit, row.of).print()
		}
	}
	return nil
}

func (c *cold) measureSwapped() error {
	all, err := c.repeat(change{swapped: true}, 1, inlineCache)
	if err != nil {
		return err
	}
	const what = "empty daemon, run image swapped, "
	all.stepsRan(what, inlineCache, 0).print()
	all.under(what+"time", seconds, took, 1).print()
	layers := all.median(previousImage, layersMoved)
	figure{what: what + "layers moved", ours: size(layers), theirs: size(all.median(inlineCache, layersMoved)), target: size(0), missed: layers > 0}.print()
	for _, row := range quantities {
		all.compare(what+row.name, inlineCache, row.unit, row.of).print()
	}
	return nil
}

// measureRebased is about the same, without the packfile and the app.
func (c *cold) measureRebased() error {
	all, err := c.repeat(change{swapped: true}, 3, rebased)
	if err != nil {
		return err
	}
	figure{what: "rebase, steps that ran", ours: all.steps(rebased), theirs: all.steps(previousImage)}.print()
	layers := all.median(rebased, layersMoved)
	figure{what: "rebase, layers moved", ours: size(layers), target: size(0), missed: layers > 0}.print()
	for _, row := range quantities {
		compare("rebase, "+row.name+", against a build with previous", row.unit, all.median(rebased, row.of), all.median(previousImage, row.of), 0).print()
	}
	return nil
}

var quantities = []struct {
	name string
	unit unit
	of   func(rebuilt) float64
}{{"pushed", size, pushed}, {"pulled", size, pulled}, {"time", seconds, took}}

// compare is ours against a way of theirs.
func (all rebuilds) compare(what string, w way, u unit, of func(rebuilt) float64) figure {
	return compare(what+", against "+w.String(), u, all.median(previousImage, of), all.median(w, of), 0)
}

// under is ours against a limit.
func (all rebuilds) under(what string, u unit, of func(rebuilt) float64, limit float64) figure {
	return under(what, u, all.median(previousImage, of), 0, limit)
}

// stepsRan is how many steps ran in each build, of those that have to.
func (all rebuilds) stepsRan(what string, w way, wanted int) figure {
	f := figure{what: what + "steps that ran", ours: all.steps(previousImage), theirs: all.steps(w), target: fmt.Sprint(wanted)}
	f.missed = f.ours != f.target
	return f
}
