package main

import (
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"

	"github.com/packfile/frontend/internal/testbed"
)

// moduleFiles is one module in its folder: layers that each are made by a script, and what else stands in its packfile.
func moduleFiles(files map[string]string, module string, layers []string, script, more string) {
	pf := testbed.Packfile(testbed.Config("id", "bench/"+module, "version", "1", "shell", "/bin/sh -e"), testbed.Text(more))
	for _, l := range layers {
		pf += moduleLayer(l, script)
	}
	files["modules/"+module+"/packfile.toml"] = pf
	files["packfile.toml"] += fmt.Sprintf("\n[[buildpacks]]\nuri = \"modules/%s\"\n", module)
}

// moduleLayer is a layer that no other project has.
func moduleLayer(name, script string) string {
	return testbed.Tables(testbed.Layer(name).Export().Version("@RUN@").Run("@STEP@ && " + script))
}

// modular is the beginning of a packfile that names modules.
var modular = testbed.Tables(config("id", "bench/modular"))

// measureModules is about builds of several modules.
func (b *bench) measureModules() error {
	for _, measure := range []func() error{b.measureModulesAtOnce, b.measureRequires, b.measureModulesUnchanged, b.measureOrder} {
		if err := measure(); err != nil {
			return err
		}
	}
	return nil
}

// measureModulesAtOnce is about modules that do not need each other. The reference lifecycle would take their steps' 8 s.
func (b *bench) measureModulesAtOnce() error {
	const modules, layers, limit, tries = 4, 2, 2.5, 3
	files := map[string]string{"packfile.toml": modular}
	for i := range modules {
		moduleFiles(files, fmt.Sprint("m", i), []string{"a", "b"}, "sleep 1 && touch $LAYER/file", "")
	}
	var times []float64
	for try := range tries {
		r, err := b.buildModules(fmt.Sprint("modules-at-once", try), files, modules*layers)
		if err != nil {
			return err
		}
		times = append(times, r.time)
	}
	under("four modules of two layers, each sleeps one second", seconds, median(times), modules*layers, limit).print()
	return nil
}

// buildModules builds a new project of modules, of which so many steps run.
func (b *bench) buildModules(name string, files map[string]string, steps int) (built, error) {
	dirs, err := b.project(name, []frontend{packfile}, files)
	if err != nil {
		return built{}, err
	}
	r, err := b.build(packfile, dirs[packfile])
	if err == nil && r.steps != steps {
		err = fmt.Errorf("%s: %d of %d steps ran", name, r.steps, steps)
	}
	return r, err
}

// measureRequires is about the require scripts of many modules: a build in which there is nothing else to do, as far as the plan.
func (b *bench) measureRequires() error {
	const modules, limit, tries = 20, 2, 3
	files := map[string]string{"packfile.toml": modular}
	for i := range modules {
		moduleFiles(files, fmt.Sprint("m", i), nil, "",
			testbed.Tables(testbed.Provided("l").Require(fmt.Sprint("@STEP@ @RUN@ ", i))))
	}
	var times []float64
	for try := range tries {
		dirs, err := b.project(fmt.Sprint("requires", try), []frontend{packfile}, files)
		if err != nil {
			return err
		}
		opt, err := b.request(packfile, dirs[packfile])
		if err != nil {
			return err
		}
		opt.FrontendAttrs["requestid"] = "frontend.packfile.plan"
		opt.FrontendAttrs["frontend.caps"] = "moby.buildkit.frontend.subrequests"
		r, err := b.solve(opt)
		if err != nil {
			return err
		}
		if r.steps != modules {
			return fmt.Errorf("%d of %d require scripts ran", r.steps, modules)
		}
		times = append(times, r.time)
	}
	under("require scripts of 20 modules, until the plan is known", seconds, median(times), 0, limit).print()
	return nil
}

// measureModulesUnchanged is about what it takes to find many modules when there is nothing to build.
func (b *bench) measureModulesUnchanged() error {
	const modules, limit = 30, 1.5
	const script = "touch $LAYER/file"
	many, one := map[string]string{"packfile.toml": modular}, map[string]string{"packfile.toml": modular}
	for i := range modules {
		moduleFiles(many, fmt.Sprint("m", i), []string{"l"}, script, "")
		one["packfile.toml"] += moduleLayer(fmt.Sprint("l", i), script)
	}
	dirs := map[string]string{}
	for name, files := range map[string]map[string]string{"many": many, "one": one} {
		project, err := b.project("unchanged-"+name, []frontend{packfile}, files)
		if err != nil {
			return err
		}
		dirs[name] = project[packfile]
		first, err := b.build(packfile, dirs[name])
		if err != nil {
			return err
		}
		if first.steps != modules {
			return fmt.Errorf("%d of %d steps ran in the first build", first.steps, modules)
		}
	}
	times := map[string][]float64{}
	for range b.rounds {
		for name, dir := range dirs {
			r, err := b.build(packfile, dir)
			if err != nil {
				return err
			}
			if r.steps != 0 {
				return fmt.Errorf("%d steps ran although nothing changed", r.steps)
			}
			times[name] = append(times[name], r.time)
		}
	}
	compare("30 modules, no change, against their layers in one packfile", seconds, median(times["many"]), median(times["one"]), limit).print()
	return nil
}

var orderLine = regexp.MustCompile(`(?m)^BenchmarkResolveOrder\S*\s+\d+\s+([\d.]+) ns/op\s+([\d.]+) B/op`)

// measureOrder is about an order of many groups of which the last passes: the Go benchmark of package plan.
func (b *bench) measureOrder() error {
	const limit, maxBytes = 1, 200e6
	out, err := exec.CommandContext(b.ctx, "go", "test", "-run=^$", "-bench=^BenchmarkResolveOrder$", "./cnb/plan").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	m := orderLine.FindStringSubmatch(string(out))
	if m == nil {
		return fmt.Errorf("no benchmark in:\n%s", strings.TrimSpace(string(out)))
	}
	ns, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return err
	}
	bytes, err := strconv.ParseFloat(m[2], 64)
	if err != nil {
		return err
	}
	under("an order of 5184 groups, until the last passes", seconds, ns/1e9, 0, limit).print()
	under("what that allocates in all", megabytes, bytes, 0, maxBytes).print()
	return nil
}
