package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"time"
)

// sealedLayer is a project with one layer, which is the folder tree of its app.
const sealedLayer = `[config]
shell = "/bin/sh -e"
build-image = "@BUILD@"
run-image = "@IMAGE@"
[[layers]]
name = "tree"
export = true
[layers.build]
inputs = ["tree"]
[layers.build.run]
inline = "cp -a tree $LAYER/"
`

// sealName is what the operation is called that makes a layer of what a run step left: it gives all files one time, and
// computes the layer's digest.
const sealName = "[tree] layer"

// measureSeal is about what each layer costs beyond its script, for 1 GB, next to copying the same tree.
func (b *bench) measureSeal() error {
	const total, maxRatio = 1_000_000_000, 1.5
	for _, files := range []int{100, 50_000} {
		if err := b.sealOf(files, total/files, maxRatio); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) sealOf(files, bytes int, limit float64) error {
	name := fmt.Sprintf("seal-%d", files)
	app := map[string]string{"packfile.toml": sealedLayer}
	for i := range files {
		path := fmt.Sprintf("tree/%d/%d", i/100, i)
		app[path] = string(randomBytes(path, bytes))
	}
	dirs, err := b.project(name, []frontend{packfile}, app)
	if err != nil {
		return err
	}
	dir := dirs[packfile]
	var ours, theirs []float64
	for round := range 3 {
		if err := write(dir, "tree/round", fmt.Append(nil, b.id, round)); err != nil {
			return err
		}
		result, err := b.build(packfile, dir)
		if err != nil {
			return err
		}
		took, ok := result.vertices[sealName]
		if !ok {
			return fmt.Errorf("the build had no operation %q", sealName)
		}
		ours = append(ours, took)
		start := time.Now()
		if out, err := exec.CommandContext(b.ctx, "cp", "-a", filepath.Join(dir, "tree"), filepath.Join(dir, fmt.Sprint("copy", round))).CombinedOutput(); err != nil {
			return fmt.Errorf("cp: %w\n%s", err, out)
		}
		theirs = append(theirs, time.Since(start).Seconds())
	}
	what := fmt.Sprintf("layer of 1 GB in %d files: one time and digest, against cp", files)
	compare(what, seconds, median(ours), median(theirs), limit).print()
	return nil
}
