package testbed

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/moby/buildkit/client"
	digest "github.com/opencontainers/go-digest"
)

// at returns a time some seconds after a beginning that all share.
func at(seconds int) *time.Time {
	t := time.Unix(1_000_000, 0).Add(time.Duration(seconds) * time.Second)
	return &t
}

// step returns a vertex with an input.
func step(name string) client.Vertex {
	return client.Vertex{Digest: digest.FromString(name), Inputs: []digest.Digest{"sha256:input"}, Name: name}
}

// statuses reports a vertex once for each change.
func statuses(v client.Vertex, changes ...func(*client.Vertex)) (all []*client.SolveStatus) {
	for _, change := range changes {
		change(&v)
		reported := v
		all = append(all, &client.SolveStatus{Vertexes: []*client.Vertex{&reported}})
	}
	return all
}

func loaded(*client.Vertex)     {}
func starts(v *client.Vertex)   { v.Started, v.Completed = at(1), nil }
func ends(v *client.Vertex)     { v.Completed, v.Cached = at(5), false }
func isCached(v *client.Vertex) { v.Started, v.Completed, v.Cached = at(1), at(1), true }
func cancelled(v *client.Vertex) {
	v.Completed, v.Error = at(2), "context canceled"
}

func TestWhetherAVertexRan(t *testing.T) {
	t.Parallel()
	source := step("source")
	source.Inputs = nil
	for name, test := range map[string]struct {
		vertex  client.Vertex
		changes []func(*client.Vertex)
		there   bool
		ran     bool
	}{
		"one that was only loaded is not there":                {step("a"), []func(*client.Vertex){loaded}, false, false},
		"one that ended ran":                                   {step("a"), []func(*client.Vertex){loaded, starts, ends}, true, true},
		"one that has not ended did not":                       {step("a"), []func(*client.Vertex){starts}, true, false},
		"one from the cache did not":                           {step("a"), []func(*client.Vertex){loaded, isCached}, true, false},
		"one that was cancelled did not":                       {step("a"), []func(*client.Vertex){starts, cancelled}, true, false},
		"one whose second output is asked for afterwards ran":  {step("a"), []func(*client.Vertex){starts, ends, isCached}, true, true},
		"a source that was looked for and is there did not":    {source, []func(*client.Vertex){starts, ends, isCached}, true, false},
		"a source that was looked for and then got ran":        {source, []func(*client.Vertex){starts, ends, starts, ends}, true, true},
		"one that ran after another try was cancelled did run": {step("a"), []func(*client.Vertex){starts, cancelled, func(v *client.Vertex) { v.Error = "" }, starts, ends}, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			var p Progress
			for _, s := range statuses(test.vertex, test.changes...) {
				p.Add(s)
			}
			all := p.Named(test.vertex.Name)
			if there := len(all) == 1; there != test.there {
				t.Fatalf("it is there: %t", there)
			}
			if test.there && all[0].Ran() != test.ran {
				t.Errorf("ran: %t", all[0].Ran())
			}
		})
	}
}

// A vertex that is downloaded from an imported cache ends like one that ran, and is reported without its inputs.
func TestAVertexOfAnImportedCacheDidNotRun(t *testing.T) {
	t.Parallel()
	v := step("a")
	var p Progress
	for _, s := range statuses(v, loaded) {
		p.Add(s)
	}
	v.Inputs = nil
	for _, s := range statuses(v, starts) {
		p.Add(s)
	}
	p.Add(&client.SolveStatus{Statuses: []*client.VertexStatus{{ID: "sha256:53fa", Vertex: v.Digest, Started: at(1), Current: 269}}})
	for _, s := range statuses(v, starts, ends) {
		p.Add(s)
	}
	if all := p.Named("a"); len(all) != 1 || all[0].Ran() {
		t.Errorf("read:\n%s", &p)
	}
}

func TestAVertexIsNamedWithAndWithoutAReason(t *testing.T) {
	t.Parallel()
	var p Progress
	for _, name := range []string{"[a] run", "[a] run (version 1)", "[a] runs", "[a] run twice"} {
		for _, s := range statuses(step(name), starts) {
			p.Add(s)
		}
	}
	if all := p.Named("[a] run"); len(all) != 2 || all[0].Name != "[a] run" || all[1].Name != "[a] run (version 1)" {
		t.Errorf("named: %v", all)
	}
}

func TestWhatIsPrintedAndSentIsCounted(t *testing.T) {
	t.Parallel()
	v := step("a")
	var p Progress
	for _, s := range statuses(v, starts) {
		p.Add(s)
	}
	p.Add(&client.SolveStatus{Logs: []*client.VertexLog{{Vertex: v.Digest, Data: []byte("mark 1\nma"), Timestamp: *at(2)}}})
	p.Add(&client.SolveStatus{Logs: []*client.VertexLog{{Vertex: v.Digest, Data: []byte("rk 2\n"), Timestamp: *at(3)}}})
	for _, current := range []int64{10, 70} {
		p.Add(&client.SolveStatus{Statuses: []*client.VertexStatus{
			{ID: "transferring context:", Vertex: v.Digest, Started: at(1), Current: current},
			{ID: "extracting", Vertex: v.Digest, Started: at(1), Current: 1000}}})
	}
	for _, s := range statuses(v, starts, ends) {
		p.Add(s)
	}
	if n := p.Printed("mark"); n != 2 {
		t.Errorf("printed %d times", n)
	}
	if n := p.Sent(); n != 70 {
		t.Errorf("%d bytes were sent", n)
	}
	if quiet := p.Named("a")[0].Quiet(); quiet != 2*time.Second {
		t.Errorf("it was quiet for %s", quiet)
	}
}

func TestProgressIsReadFromATraceAndFromRawJSON(t *testing.T) {
	t.Parallel()
	var lines []string
	for _, s := range statuses(step("a"), loaded, starts, ends) {
		data, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(data))
	}
	traced, err := ReadTrace(strings.NewReader(strings.Join(lines, "\n") + `{"vertexes": [{"dig`))
	if err != nil {
		t.Fatal(err)
	}
	raw, rest := ReadRawJSON([]byte("before\n" + strings.Join(lines, "\n") + "\n{ after\n"))
	if rest != "before\n{ after\n" {
		t.Errorf("the rest is %q", rest)
	}
	for _, p := range []*Progress{traced, raw} {
		if all := p.Named("a"); len(all) != 1 || !all[0].Ran() {
			t.Errorf("read:\n%s", p)
		}
	}
	if _, err := ReadTrace(strings.NewReader("{]")); err == nil {
		t.Error("what is no status was read")
	}
}
