package e2e

import (
	"crypto/rand"
	"encoding/json"
	"strings"
	"testing"
)

// A build says why something is built again, and what it would build.

func TestExplain(t *testing.T) {
	t.Parallel()
	dir := app(t, three)
	image := imageName(t)
	explain := func(args ...string) string {
		t.Helper()
		out, err := buildx(t, dir, args...)
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return out
	}
	contains(t, explain("--call=packfile.explain"), "No previous image was named")
	if out, err := buildx(t, dir, "-t", image, "--push"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	previous := "--build-context=previous=docker-image://" + image
	contains(t, explain("--call=packfile.explain", previous+"-none"), "WARNING: previous image: ", "not found")

	write(t, dir, map[string]string{"deps.lock": "changed", "more.lock": "more"})
	out := explain("--call=packfile.explain", previous)
	contains(t, out, "LAYER", "tool", "reused", "built", "(deps.lock, new: more.lock)")
	if strings.Contains(out, "] run") {
		t.Errorf("a run step is in the log:\n%s", out)
	}
	out = explain("--call=packfile.explain,format=json", previous)
	actions := explainedActions(t, out)
	equal(t, "actions", actions, []string{"tool reused", "modules built", "other reused"})

	// The build does what was said, and says so.
	out = explain("-t", imageName(t), previous)
	contains(t, out, "[tool] reused from the previous image", "[other] reused from the previous image", "[modules] run (version ", "(deps.lock, new: more.lock))")
}

func TestStepSaysWhyItRuns(t *testing.T) {
	t.Parallel()
	dir := app(t, three)
	args := map[string]string{"build-arg:PACKFILE_APP": rand.Text()}
	b := request{dir: dir, opts: args}.build(t)
	if strings.Contains(b.log, `packfile-step: layer`) {
		t.Errorf("the first build gives a reason:\n%s", b.log)
	}
	write(t, dir, map[string]string{"deps.lock": "changed"})
	b = request{dir: dir, opts: args}.build(t)
	contains(t, b.log, `packfile-step: layer "modules": version `, "(deps.lock)")
	if strings.Contains(b.log, `packfile-step: layer "tool"`) {
		t.Errorf("a layer that is cached gives a reason:\n%s", b.log)
	}
}

func TestWhatCanBeAskedIsListed(t *testing.T) {
	t.Parallel()
	out, err := buildx(t, app(t, three), "--call=subrequests.describe")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	contains(t, out, "lint", "outline", "targets", "packfile.explain")
}

// explainedActions are what becomes of each layer, by the log of a --call=packfile.explain,format=json.
func explainedActions(t *testing.T, log string) (actions []string) {
	t.Helper()
	_, text, _ := strings.Cut("\n"+log, "\n{")
	text, _, _ = strings.Cut("{"+text, "\n}")
	var answer struct {
		Platforms []struct {
			Layers []struct{ Layer, Action, Why string }
		}
	}
	if err := json.Unmarshal([]byte(text+"\n}"), &answer); err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	for _, l := range answer.Platforms[0].Layers {
		actions = append(actions, l.Layer+" "+l.Action)
	}
	return actions
}
