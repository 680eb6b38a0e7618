package main

import (
	"fmt"

	"github.com/packfile/frontend/internal/testbed"
)

// smallApp is an app of the usual kind: something to run it, its modules, its assets and 200 source files.
func smallApp() map[string]string {
	files := map[string]string{
		"package.json":  `{"name": "app", "run": "@RUN@"}`,
		"lock.json":     `{"run": "@RUN@"}`,
		"packfile.toml": smallPackfile,
		"Dockerfile":    smallDockerfile,
	}
	for i := range 200 {
		files[fmt.Sprintf("src/%d.js", i)] = fmt.Sprintf("// source file %d of @RUN@\n", i)
	}
	for i := range 20 {
		files[fmt.Sprintf("assets/%d.css", i)] = fmt.Sprintf("/* asset %d of @RUN@ */\n", i)
	}
	return files
}

// smallPackfile has a layer of each kind: with a version, with a version that a test finds, with inputs.
var smallPackfile = testbed.Packfile(
	config("id", "bench", "version", "1"),
	testbed.Process("web", "/layers/bench/engine/bin/engine"),
	testbed.Layer("engine").Export().Version("1-@RUN@").Run(`
@STEP@ engine
mkdir $LAYER/bin $LAYER/lib
for i in $(seq 50); do echo $i @RUN@ > $LAYER/lib/$i; done
cp /bin/busybox $LAYER/bin/engine
`),
	testbed.Layer("modules").Export().Match("package.json", "lock.json").Run(`
@STEP@ modules
for i in $(seq 300); do mkdir $LAYER/$i; cat package.json lock.json > $LAYER/$i/index.js; done
`).
		Link("engine", "path-as", "ENGINE"),
	testbed.Layer("assets").Export().Inputs("assets/**").Run(`
@STEP@ assets
cat assets/* > $LAYER/all.css
`),
)

// smallDockerfile is the same app as a Dockerfile is written well: what changes seldom first, one stage for each thing.
const smallDockerfile = `FROM @BUILD@ AS engine
USER root
RUN @STEP@ engine && mkdir -p /layers/engine/bin /layers/engine/lib && \
    for i in $(seq 50); do echo $i @RUN@ > /layers/engine/lib/$i; done && \
    cp /bin/busybox /layers/engine/bin/engine

FROM @BUILD@ AS modules
USER root
COPY --from=engine /layers/engine /layers/engine
WORKDIR /workspace
COPY package.json lock.json ./
RUN @STEP@ modules && for i in $(seq 300); do mkdir -p /layers/modules/$i && \
    cat package.json lock.json > /layers/modules/$i/index.js; done

FROM @BUILD@ AS assets
USER root
WORKDIR /workspace
COPY assets assets
RUN @STEP@ assets && mkdir -p /layers/assets && cat assets/* > /layers/assets/all.css

FROM @IMAGE@
COPY --from=engine /layers/engine /layers/engine
COPY --from=modules /layers/modules /layers/modules
COPY --from=assets /layers/assets /layers/assets
WORKDIR /workspace
COPY . .
CMD ["/layers/engine/bin/engine"]
`

// measureBuilds is about the builds that a developer waits for: nothing has changed, a source file has changed.
func (b *bench) measureBuilds() error {
	dirs, err := b.project("small", frontends, smallApp())
	if err != nil {
		return err
	}
	for _, f := range frontends {
		first, err := b.build(f, dirs[f])
		if err != nil {
			return err
		}
		if first.steps != 3 {
			return fmt.Errorf("%s ran %d of 3 steps in the first build", f, first.steps)
		}
	}
	same, err := b.repeat(dirs, func(frontend, int) error { return nil })
	if err != nil {
		return err
	}
	const limit = 1.2
	same.against("no change, against the Dockerfile frontend's gateway image", dockerfile).atMost(limit).print()
	same.against("no change, against the one built in", builtIn).print()

	edited, err := b.repeat(dirs, func(f frontend, round int) error {
		return testbed.WriteFile(dirs[f], "src/7.js", fmt.Appendf(nil, "// edited, %s, %d\n", b.id, round))
	})
	if err != nil {
		return err
	}
	edited.against("source edit, against the Dockerfile frontend's gateway image", dockerfile).atMost(limit).print()
	edited.against("source edit, against the one built in", builtIn).print()
	ran := edited.steps[packfile]
	figure{what: "source edit, steps that ran", ours: fmt.Sprint(ran), theirs: fmt.Sprint(edited.steps[dockerfile]), target: "0", missed: ran > 0}.print()
	return nil
}

// repeated is what many builds with each frontend took.
type repeated struct {
	times map[frontend][]float64 // one for each round
	steps map[frontend]int       // of all builds together
}

// against compares medians.
func (r repeated) against(what string, f frontend) figure {
	return compare(what, seconds, median(r.times[packfile]), median(r.times[f]), 0)
}

// repeat builds with each frontend in turn, again and again.
func (b *bench) repeat(dirs map[frontend]string, prepare func(frontend, int) error) (repeated, error) {
	r := repeated{map[frontend][]float64{}, map[frontend]int{}}
	for round := range b.rounds {
		for i := range frontends {
			f := frontends[(round+i)%len(frontends)]
			if err := prepare(f, round); err != nil {
				return r, err
			}
			result, err := b.build(f, dirs[f])
			if err != nil {
				return r, err
			}
			r.times[f] = append(r.times[f], result.time)
			r.steps[f] += result.steps
		}
	}
	return r, nil
}
