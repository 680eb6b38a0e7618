package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/packfile/frontend/internal/testbed"
)

// sealedLayer is a project with one layer of as many files and folders as the tree that is copied has.
var sealedLayer = testbed.Packfile(
	config(),
	testbed.Layer("tree").Export().Inputs("round").Run(`
i=0
while [ $i -lt @FILES@ ]; do
	if [ $((i % 100)) = 0 ]; then dir=$LAYER/$((i / 100)); mkdir $dir; fi
	head -c @BYTES@ /dev/urandom > $dir/$i
	i=$((i + 1))
done
sync
echo made
`),
)

// sealNames are how the names of the operations begin that make a layer, after the script of the first has printed its last,
// and that put its digest into the image's label.
var sealNames = []string{"[tree] run", "[internal] describe tree"}

// measureSeal is about what each layer costs beyond its script, for 1 GB, next to copying the same tree.
func (b *bench) measureSeal() error {
	const total, maxRatio = 1_000_000_000, 1.5
	for _, files := range []int{100, 20_000} {
		if err := b.sealOf(files, total/files, maxRatio); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) sealOf(files, bytes int, limit float64) error {
	name := fmt.Sprintf("seal-%d", files)
	text := strings.NewReplacer("@FILES@", fmt.Sprint(files), "@BYTES@", fmt.Sprint(bytes)).Replace(sealedLayer)
	dirs, err := b.project(name, []frontend{packfile}, map[string]string{"packfile.toml": text})
	if err != nil {
		return err
	}
	dir, tree := dirs[packfile], filepath.Join(b.tmp, name+"-tree")
	defer os.RemoveAll(tree)
	for i := range files {
		path := fmt.Sprintf("%d/%d", i/100, i)
		if err := testbed.WriteFile(tree, path, randomBytes(path, bytes)); err != nil {
			return err
		}
	}
	var ours, theirs []float64
	for round := range 3 {
		if err := testbed.WriteFile(dir, "round", fmt.Append(nil, b.id, round)); err != nil {
			return err
		}
		opt, err := b.request(packfile, dir)
		if err != nil {
			return err
		}
		result, err := b.solve(opt) // and exported nowhere
		if err != nil {
			return err
		}
		took := 0.0
		for _, prefix := range sealNames {
			time, ok := result.quietOne(prefix)
			if !ok {
				return fmt.Errorf("the build had no operation %q", prefix)
			}
			took += time
		}
		ours = append(ours, took)
		copied := filepath.Join(b.tmp, name+"-copy")
		start := time.Now()
		if out, err := exec.CommandContext(b.ctx, "cp", "-a", tree, copied).CombinedOutput(); err != nil {
			return fmt.Errorf("cp: %w\n%s", err, out)
		}
		theirs = append(theirs, time.Since(start).Seconds())
		if err := os.RemoveAll(copied); err != nil {
			return err
		}
	}
	what := fmt.Sprintf("layer of 1 GB in %d files: one time and digest, against cp", files)
	compare(what, seconds, median(ours), median(theirs), limit).print()
	return nil
}
