package main

import (
	"fmt"
	"slices"
	"strings"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/packfile/frontend/internal/testbed"
)

// buildPackage and runPackages are packages of the app that is measured with packages of the operating system.
const buildPackage = "make"

var runPackages = []string{"ca-certificates", "libcurl4", "libevent-2.1-7"}

// packagedApp is an app that needs a package to build, and some to run. Its Dockerfile takes away all that
// apt leaves behind.
func packagedApp() map[string]string {
	const install = "RUN apt-get update && apt-get install -y --no-install-recommends %s && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/*\n"
	df := "ARG RUN_IMAGE=@IMAGE@\nFROM @BUILD@ AS tools\n" + fmt.Sprintf(install, buildPackage) +
		"RUN @STEP@; mkdir /tool; make --version > /tool/version\n" +
		"FROM $RUN_IMAGE\n" + fmt.Sprintf(install, strings.Join(runPackages, " ")) +
		"COPY --from=tools /tool /layers/tool\nWORKDIR /workspace\nCOPY . .\nUSER 1000:1000\nCMD [\"cat\", \"a.txt\"]\n"
	return map[string]string{
		"packfile.toml": testbed.Packfile(
			config("id", "bench", "build-packages", []string{buildPackage}, "run-packages", runPackages),
			testbed.Process("web", "cat", "a.txt"),
			testbed.Layer("tool").Export().Inputs("tool.lock").Run("@STEP@; make --version > $LAYER/version")),
		"Dockerfile": df, "tool.lock": "1\n", "a.txt": "@RUN@\n",
	}
}

const maxPackagesRatio = 1.05

// measurePackages is about packages of the operating system: their layer, and builds in CI that have it from the build before.
func (b *bench) measurePackages() error {
	own := *b
	own.images.build = b.images.debian
	return own.onCold((*cold).measurePackages)
}

func (c *cold) measurePackages() (err error) {
	if c.dirs, err = c.project("packages", []frontend{packfile, dockerfile}, packagedApp()); err != nil {
		return err
	}
	if err := c.first(1); err != nil {
		return err
	}
	for _, measure := range []func() error{c.measurePackagesLayer, c.measurePackagesKept, c.measurePackagesEdit, c.measurePackagesRebased} {
		if err := measure(); err != nil {
			return err
		}
	}
	return nil
}

// measurePackagesLayer is about the bytes of the layer that the packages make: the largest that the base has not.
func (c *cold) measurePackagesLayer() error {
	base, err := testbed.ReadImage(c.ctx, c.runImage[0])
	if err != nil {
		return err
	}
	var sizes [2]float64
	for f := range c.dirs {
		image, err := testbed.ReadImage(c.ctx, c.appImage(f, "before"))
		if err != nil {
			return err
		}
		sizes[f] = float64(largestBeside(base, image))
	}
	compare("layer of packages, compressed, against RUN apt-get install", size, sizes[packfile], sizes[dockerfile], maxPackagesRatio).print()
	return nil
}

// largestBeside returns the size of an image's largest layer that another does not have.
func largestBeside(other, image testbed.Image) (largest int64) {
	for _, l := range image.Manifest.Layers {
		if !slices.ContainsFunc(other.Manifest.Layers, func(o ocispecs.Descriptor) bool { return o.Digest == l.Digest }) {
			largest = max(largest, l.Size)
		}
	}
	return largest
}

// measurePackagesKept is about builds on a daemon that has done the first.
func (c *cold) measurePackagesKept() error {
	on, end, err := c.emptyDaemon()
	if err != nil {
		return err
	}
	defer end()
	var times [2][]float64
	var installs [2]int
	for i := range c.rounds + 1 {
		for _, f := range []frontend{packfile, dockerfile} {
			again, err := on.build(f, c.dirs[f])
			if err != nil {
				return err
			}
			if i > 0 {
				times[f] = append(times[f], again.time)
				installs[f] += again.installs()
			}
		}
	}
	installedNothing("packages, second build, ", fmt.Sprint(installs[packfile]), fmt.Sprint(installs[dockerfile])).print()
	compare("packages, second build, time, against the gateway image", seconds, median(times[packfile]), median(times[dockerfile]), 0).print()
	return nil
}

func (c *cold) measurePackagesEdit() error {
	all, err := c.repeat(change{file: "a.txt"}, 3, inlineCache)
	if err != nil {
		return err
	}
	const what = "packages, empty daemon, source edit, "
	installedNothing(what, all.installs(previousImage), all.installs(inlineCache)).print()
	all.stepsRan(what, inlineCache, 0).print()
	all.under(what+"pulled", size, pulled, maxPulled).print()
	for _, row := range quantities {
		all.compare(what+row.name, inlineCache, row.unit, row.of).print()
	}
	return nil
}

// measurePackagesRebased is about another run image. The packages are installed anew, in a build as well.
func (c *cold) measurePackagesRebased() error {
	all, err := c.repeat(change{swapped: true}, 3, rebased)
	if err != nil {
		return err
	}
	const what = "packages, run image swapped, rebase, "
	figure{what: what + "installs", ours: all.installs(rebased), theirs: all.installs(previousImage)}.print()
	for _, row := range quantities {
		compare(what+row.name+", against a build with previous", row.unit, all.median(rebased, row.of), all.median(previousImage, row.of), 0).print()
	}
	return nil
}

func installedNothing(what, ours, theirs string) figure {
	return figure{what: what + "installs", ours: ours, theirs: theirs, target: "0", missed: ours != "0"}
}

// installs returns how many operations of the build installed packages, ours or a RUN.
func (r built) installs() (n int) {
	for _, v := range r.progress.Vertices() {
		if v.Ran() && (strings.Contains(v.Name, "-packages] install ") || strings.Contains(v.Name, "apt-get install ")) {
			n++
		}
	}
	return n
}
