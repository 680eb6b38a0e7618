package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
)

// measureLLB is about the way from a packfile's bytes to marshalled LLB, against building and marshalling the same
// graph by hand: the Go benchmarks of package image. Whatever disturbs them only makes them slower, so the fastest of
// several runs counts.
func (b *bench) measureLLB() error {
	const runs, maxRatio, maxLive, maxGrowth = 5, 2, 100e6, 1.5
	binary := filepath.Join(b.tmp, "image.test")
	if out, err := exec.CommandContext(b.ctx, "go", "test", "-c", "-o", binary, "./image").CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	var fastest benchmarks
	live := 0.0
	for range runs {
		cmd := exec.CommandContext(b.ctx, binary, "-test.run=^TestMemoryOfAThousandLayers$", "-test.v", "-test.bench=^Benchmark(Packfile|ByHand)$", "-test.benchtime=0.3s")
		cmd.Dir = "image"
		out, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w\n%s", err, out)
		}
		if err := fastest.add(string(out)); err != nil {
			return err
		}
		m := liveLine.FindStringSubmatch(string(out))
		if m == nil {
			return fmt.Errorf("no live memory in:\n%s", out)
		}
		if live, err = strconv.ParseFloat(m[1], 64); err != nil {
			return err
		}
	}
	for _, n := range []string{"10", "100", "1000"} {
		compare("packfile of "+n+" layers to LLB, against LLB by hand", seconds, fastest["Packfile/"+n], fastest["ByHand/"+n], maxRatio).print()
	}
	compare("its time per layer, 1000 layers / 10", seconds, fastest["Packfile/1000"]/1000, fastest["Packfile/10"]/10, maxGrowth).print()
	under("its live memory, 1000 layers", megabytes, live*(1<<20), 0, maxLive).print()
	return nil
}

// benchmarks are the least seconds of each, by name.
type benchmarks map[string]float64

var (
	benchmarkLine = regexp.MustCompile(`(?m)^Benchmark(\S+?)(?:-\d+)?\s+\d+\s+([\d.]+) ns/op`)
	liveLine      = regexp.MustCompile(`([\d.]+) MB live`)
)

func (bm *benchmarks) add(output string) error {
	lines := benchmarkLine.FindAllStringSubmatch(output, -1)
	if len(lines) != 6 {
		return fmt.Errorf("%d benchmarks instead of 6 in:\n%s", len(lines), output)
	}
	if *bm == nil {
		*bm = benchmarks{}
	}
	for _, m := range lines {
		ns, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			return err
		}
		s := ns / 1e9
		if old, ok := (*bm)[m[1]]; !ok || s < old {
			(*bm)[m[1]] = s
		}
	}
	return nil
}
