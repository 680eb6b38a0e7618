package graph

import (
	"fmt"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/step"
)

// oneAfterAnother returns a packfile of n layers with a test, each with a link to all before it. So a test can be asked only when
// the one before it is answered.
func oneAfterAnother(n int, layer string) string {
	var b strings.Builder
	b.WriteString("[config]\nshell = \"/bin/sh\"\n")
	for i := range n {
		fmt.Fprintf(&b, "[[layers]]\nname = \"l%d\"\n%s\n[layers.build]\ntest = { inline = \"x\" }\nrun = { inline = \"x\" }\nlinks = [", i, layer)
		for j := range i {
			fmt.Fprintf(&b, "{ name = \"l%d\", version-as = \"V%d\" },\n", j, j)
		}
		b.WriteString("]\n")
	}
	return b.String()
}

// answerTests answers tests and other questions of a build, each by itself as they come from a daemon, until there are none.
func answerTests(t testing.TB, g testGraph) *Decisions {
	d := g.decided(t, nil)
	for {
		qs := d.Questions()
		if len(qs) == 0 {
			return d
		}
		for _, q := range qs {
			r := step.Result{Metadata: metadata.Table{"version": "1"}}
			if q.Kind == fact.Built || q.Kind == fact.Copied {
				r.DiffID = digest.FromString(g.byID[q.Layer].Name).String()
			}
			var err error
			if d, err = d.With(fact.Facts{q: {Result: r}}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// rebuilt returns a build of a packfile, with an image of its layers as the previous one.
func rebuilt(t testing.TB, text string) testGraph {
	t.Helper()
	d := answerTests(t, newBuild(t, text, func(in *testInput) { in.Build.Exact = true }))
	var names []string
	for _, l := range d.Layers {
		names = append(names, l.Name)
	}
	from := imageOf(t, d, names...)
	return newBuild(t, text, func(in *testInput) { in.Build.Exact, in.Previous = true, from })
}

// BenchmarkAnswers measures what it takes to decide about layers while the answers of their tests come in one by one.
func BenchmarkAnswers(b *testing.B) {
	for _, kind := range []struct{ name, layer string }{{"exported", "export = true"}, {"kept", ""}} {
		for _, n := range []int{30, 100, 300} {
			g := rebuilt(b, oneAfterAnother(n, kind.layer))
			b.Run(fmt.Sprintf("%s/%d", kind.name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					answerTests(b, g)
				}
				links := n * (n - 1) / 2
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*links), "ns/link")
			})
		}
	}
}
