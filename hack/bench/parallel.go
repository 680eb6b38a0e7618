package main

import (
	"fmt"
	"strings"

	"github.com/packfile/frontend/internal/testbed"
)

// measureParallel is about layers that do not depend on each other: eight that each sleep for one second.
func (b *bench) measureParallel() error {
	const layers, limit, tries = 8, 2.5, 3
	pf := testbed.Tables(config())
	var stages, copies strings.Builder
	for i := range layers {
		pf += moduleLayer(fmt.Sprint("l", i), "sleep 1 && touch $LAYER/file")
		fmt.Fprintf(&stages, "FROM @BUILD@ AS l%d\nUSER root\nRUN @STEP@ %[1]d @RUN@ && sleep 1 && mkdir -p /layers && touch /layers/l%[1]d\n", i)
		fmt.Fprintf(&copies, "COPY --from=l%d /layers /layers\n", i)
	}
	df := stages.String() + "FROM @IMAGE@\n" + copies.String()

	kinds := []frontend{packfile, dockerfile}
	times := map[frontend][]float64{}
	for try := range tries {
		dirs, err := b.project(fmt.Sprintf("parallel%d", try), kinds, map[string]string{"packfile.toml": pf, "Dockerfile": df})
		if err != nil {
			return err
		}
		for _, f := range kinds {
			result, err := b.build(f, dirs[f])
			if err != nil {
				return err
			}
			if result.steps != layers {
				return fmt.Errorf("%s ran %d of %d steps", f, result.steps, layers)
			}
			times[f] = append(times[f], result.time)
		}
	}
	under("eight independent layers, each sleeps one second", seconds, median(times[packfile]), median(times[dockerfile]), limit).print()
	return nil
}
