package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/moby/buildkit/client"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/packfile/frontend/internal/testbed"
)

// appBuilt is what a build of an app took.
type appBuilt struct {
	built
	traffic testbed.Traffic
	steps   int
}

// appStep matches the names of operations that run a command: those of a packfile, and those of a Dockerfile.
var appStep = regexp.MustCompile(`^\[[^]]+\] ((require|test|setup|run)( \(.*\))?$|RUN )`)

// appSolve builds on a daemon.
func (a *appBench) appSolve(on *bench, opt client.SolveOpt) (r appBuilt, err error) {
	a.registry.Traffic.Take()
	if r.built, err = on.solve(opt); err != nil {
		return r, err
	}
	r.traffic = a.registry.Traffic.Take()
	for _, v := range r.progress.Vertices() {
		if v.Ran() && appStep.MatchString(v.Name) {
			r.steps++
		}
	}
	return r, nil
}

// appMaxima are the goals.
const appLines, appSize = 1.5, 1.05

// measure builds, runs and asks an app, and builds it again after changes.
func (a *appBench) measure(one app) error {
	dir, err := a.get(one)
	if err != nil {
		return err
	}
	lines, sizes, cold, warm := map[frontend]float64{}, map[frontend]float64{}, map[frontend]appBuilt{}, map[frontend]appBuilt{}
	for _, f := range []frontend{packfile, dockerfile} {
		if lines[f], err = linesOf(filepath.Join(dir, f.filename())); err != nil {
			return err
		}
		if cold[f], warm[f], err = a.first(one, f, dir); err != nil {
			return fmt.Errorf("%s: %w", f, err)
		}
		before := a.image(one, f, "before")
		if err := a.ask(one, before); err != nil {
			return err
		}
		image, err := testbed.ReadImage(a.ctx, before)
		if err != nil {
			return err
		}
		sizes[f] = sizeOf(image)
	}
	count := func(v float64) string { return fmt.Sprint(v) }
	compare(one.name+", lines", count, lines[packfile], lines[dockerfile], appLines).print()
	compare(one.name+", image without launcher and SBOM", size, sizes[packfile], sizes[dockerfile], appSize).print()
	compare(one.name+", first build on an empty builder", seconds, cold[packfile].time, cold[dockerfile].time, 0).print()
	compare(one.name+", source edit, same builder", seconds, warm[packfile].time, warm[dockerfile].time, 0).print()
	if err := a.measureChange(one, dir, "source edit", one.edit, min(2, a.rounds)); err != nil {
		return err
	}
	if one.bump == "" {
		return nil
	}
	return a.measureChange(one, dir, "dependency bumped", one.bump, 1)
}

// first builds an app on an empty daemon, and again on the same one after an edit.
func (a *appBench) first(one app, f frontend, dir string) (cold, warm appBuilt, err error) {
	on, end, err := a.emptyDaemon()
	if err != nil {
		return cold, warm, err
	}
	defer end()
	opt, err := a.appRequest(one, f, dir, a.image(one, f, "before"))
	if err != nil {
		return cold, warm, err
	}
	if cold, err = a.appSolve(on, opt); err != nil {
		return cold, warm, err
	}
	edited, err := a.changed(dir, one.edit)
	if err != nil {
		return cold, warm, err
	}
	if opt, err = a.appRequest(one, f, edited, a.image(one, f, "warm")); err != nil {
		return cold, warm, err
	}
	warm, err = a.appSolve(on, opt)
	return cold, warm, err
}

// measureChange builds an app after a change, on empty daemons that are told of the image before.
func (a *appBench) measureChange(one app, dir, what, command string, rounds int) error {
	all := map[frontend][]appBuilt{}
	for range rounds {
		changed, err := a.changed(dir, command)
		if err != nil {
			return err
		}
		for _, f := range []frontend{packfile, dockerfile} {
			r, err := a.rebuild(one, f, changed)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", what, f, err)
			}
			all[f] = append(all[f], r)
		}
	}
	middle := func(f frontend, of func(appBuilt) float64) float64 {
		var values []float64
		for _, r := range all[f] {
			values = append(values, of(r))
		}
		return median(values)
	}
	what = one.name + ", " + what + ", "
	for _, row := range []struct {
		name string
		unit unit
		of   func(appBuilt) float64
	}{
		{"time", seconds, func(r appBuilt) float64 { return r.time }},
		{"pulled", size, func(r appBuilt) float64 { return float64(r.traffic.Sum(ofBuild).Pulled) }},
		{"steps that ran", func(v float64) string { return fmt.Sprint(v) }, func(r appBuilt) float64 { return float64(r.steps) }},
	} {
		ours, theirs := middle(packfile, row.of), middle(dockerfile, row.of)
		f := figure{what: what + row.name, ours: row.unit(ours), theirs: row.unit(theirs)}
		if theirs != 0 {
			f.ratio = ours / theirs
		}
		f.print()
	}
	return nil
}

// rebuild builds an app on an empty daemon, ours with the image before, theirs with the cache in it.
func (a *appBench) rebuild(one app, f frontend, dir string) (appBuilt, error) {
	before := a.image(one, f, "before")
	opt, err := a.appRequest(one, f, dir, a.image(one, f, fmt.Sprint("after-", a.changes)))
	if err != nil {
		return appBuilt{}, err
	}
	if f == packfile {
		opt.FrontendAttrs["context:previous"] = "docker-image://" + before
	} else {
		opt.CacheImports = []client.CacheOptionsEntry{{Type: "registry", Attrs: map[string]string{"ref": before}}}
	}
	// As in CI, no two images are the same: were they, the registry would have what is pushed.
	opt.FrontendAttrs["label:"+ocispecs.AnnotationRevision] = fmt.Sprint(a.changes)
	on, end, err := a.emptyDaemon()
	if err != nil {
		return appBuilt{}, err
	}
	defer end()
	return a.appSolve(on, opt)
}

// linesOf counts the lines of a file that are neither blank nor comments.
func linesOf(path string) (float64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	n := 0.0
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			n++
		}
	}
	return n, nil
}

// sizeOf returns the size of an image's compressed layers in bytes, without the two that a packfile's image has besides: launcher
// and SBOM. The history names them.
func sizeOf(image testbed.Image) float64 {
	total, i := image.Size(), 0
	for _, h := range image.Config.History {
		if h.EmptyLayer {
			continue
		}
		if h.Comment == "packfile" && (h.CreatedBy == "launcher" || h.CreatedBy == "sbom") {
			total -= image.Manifest.Layers[i].Size
		}
		i++
	}
	return float64(total)
}
