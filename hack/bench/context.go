package main

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/packfile/frontend/internal/testbed"
)

// measureContext is about what is sent to the daemon for 20 versioned layers over an app of 200 MB: in the first build,
// and in the next one, when one file has changed.
func (b *bench) measureContext() error {
	const layers, appFiles, fileSize = 20, 100, 2_000_000
	pf := testbed.Tables(config())
	df := ""
	files := map[string]string{}
	for i := range layers {
		lock := fmt.Sprintf("lock%d.json", i)
		pf += testbed.Tables(testbed.Layer(fmt.Sprint("l", i)).Export().Match(lock).Run("@STEP@ && cp " + lock + " $LAYER/"))
		df += fmt.Sprintf("FROM @BUILD@ AS l%d\nUSER root\nWORKDIR /workspace\nCOPY lock%[1]d.json .\nRUN @STEP@ && mkdir -p /layers && cp lock%[1]d.json /layers/\n", i)
		files[lock] = fmt.Sprintf("{%d: \"@RUN@\"}", i)
	}
	df += "FROM @IMAGE@\n"
	for i := range layers {
		df += fmt.Sprintf("COPY --from=l%d /layers /layers\n", i)
	}
	files["packfile.toml"], files["Dockerfile"] = pf, df+"COPY . /workspace\n"
	kinds := []frontend{packfile, dockerfile}
	dirs, err := b.project("context", kinds, files)
	if err != nil {
		return err
	}
	content := randomBytes(b.id, fileSize*appFiles)
	changed := randomBytes(b.id+"changed", fileSize)
	var first, second [2]built
	for _, f := range kinds {
		for i := range appFiles {
			if err := testbed.WriteFile(dirs[f], fmt.Sprintf("data/%d", i), content[i*fileSize:][:fileSize]); err != nil {
				return err
			}
		}
		if first[f], err = b.build(f, dirs[f]); err != nil {
			return err
		}
		if first[f].steps != layers {
			return fmt.Errorf("%s ran %d of %d steps", f, first[f].steps, layers)
		}
		if err := testbed.WriteFile(dirs[f], "data/7", changed); err != nil {
			return err
		}
		if second[f], err = b.build(f, dirs[f]); err != nil {
			return err
		}
	}
	const app, file = fileSize * appFiles, fileSize
	what := fmt.Sprintf("%d versioned layers over a %d MB app, ", layers, app/1_000_000)
	bytes := func(r built) float64 { return float64(r.sent) }
	compare(what+"sent / its size", megabytes, bytes(first[packfile]), app, 1.01).print()
	compare(what+"sent / Dockerfile", megabytes, bytes(first[packfile]), bytes(first[dockerfile]), 0).print()
	compare(what+"time", seconds, first[packfile].time, first[dockerfile].time, 0).print()
	one := fmt.Sprintf("one file of %d MB of it changes, ", file/1_000_000)
	compare(one+"sent / its size", megabytes, bytes(second[packfile]), file, 1.05).print()
	compare(one+"sent / Dockerfile", megabytes, bytes(second[packfile]), bytes(second[dockerfile]), 0).print()
	compare(one+"time", seconds, second[packfile].time, second[dockerfile].time, 0).print()
	figure{what: strings.TrimSuffix(one, ", ") + ", steps that ran", ours: fmt.Sprint(second[packfile].steps), theirs: fmt.Sprint(second[dockerfile].steps), target: "0", missed: second[packfile].steps > 0}.print()
	return nil
}

// randomBytes are n bytes that do not compress, the same for the same seed.
func randomBytes(seed string, n int) []byte {
	data := make([]byte, n)
	rand.NewChaCha8(sha256.Sum256([]byte(seed))).Read(data)
	return data
}
